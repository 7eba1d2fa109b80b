import type { Channel } from "amqplib";
import { describe, expect, it } from "vitest";
import { body, collect, nextError, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const pseudoQueue = "amq.rabbitmq.reply-to";

/** Answers each request with its body doubled, to whatever address it carries. */
async function serveDoubling(channel: Channel, queue: string): Promise<void> {
  await channel.consume(queue, (request) => {
    if (request === null) return;
    const { replyTo, correlationId } = request.properties;
    channel.sendToQueue(replyTo, Buffer.from(String(Number(body(request)) * 2)), { correlationId });
    channel.ack(request);
  });
}

describe("remote procedure call", () => {
  it("answers over a reply queue and tells calls apart by correlation id", async () => {
    const server = await client.channel();
    const queue = await client.queue(server);
    await serveDoubling(server, queue);

    const caller = await client.channel();
    const { queue: replyTo } = await caller.assertQueue("", { exclusive: true });
    const replies = await collect(caller, replyTo);
    send(caller, queue, ["4"], { replyTo, correlationId: "four" });
    send(caller, queue, ["21"], { replyTo, correlationId: "twenty-one" });
    await eventually(() => expect(replies.bodies).toEqual(["8", "42"]));
    expect(replies.messages.map((message) => message.properties.correlationId)).toEqual(["four", "twenty-one"]);
  });
});

describe("direct reply-to", () => {
  it("answers a call without a reply queue", async () => {
    const server = await client.channel();
    const queue = await client.queue(server);
    await serveDoubling(server, queue);

    const caller = await client.channel();
    const replies = await collect(caller, pseudoQueue);
    send(caller, queue, ["4"], { replyTo: pseudoQueue, correlationId: "a" });
    await eventually(() => expect(replies.bodies).toEqual(["8"]));
    expect(replies.at(0)).toMatchObject({
      fields: { exchange: "", redelivered: false, deliveryTag: 1, consumerTag: replies.tag },
      properties: { correlationId: "a" },
    });
    expect(replies.at(0).fields.routingKey).toMatch(/^amq\.rabbitmq\.reply-to\../);
  });

  it("shows the server a generated address that leads back to the caller's channel", async () => {
    const server = await client.channel();
    const queue = await client.queue(server);
    const requests = await collect(server, queue);
    const [first, second] = [await client.channel(), await client.channel()];
    const inboxes = [await collect(first, pseudoQueue), await collect(second, pseudoQueue)];
    send(first, queue, ["one"], { replyTo: pseudoQueue });
    await eventually(() => expect(requests.messages).toHaveLength(1));
    send(second, queue, ["two"], { replyTo: pseudoQueue });
    await eventually(() => expect(requests.messages).toHaveLength(2));
    const addresses = requests.messages.map((request): string => request.properties.replyTo);
    for (const address of addresses) expect(address).toMatch(/^amq\.rabbitmq\.reply-to\../);
    expect(new Set(addresses).size).toBe(2);

    for (const address of addresses.toReversed()) send(server, address, [`for ${address}`]);
    for (const [index, inbox] of inboxes.entries()) {
      await eventually(() => expect(inbox.bodies).toEqual([`for ${addresses[index]}`]));
    }
  });

  it("lets a server ask by passive declare whether its caller is still there", async () => {
    const server = await client.channel();
    const queue = await client.queue(server);
    const requests = await collect(server, queue);
    const caller = await client.channel();
    await collect(caller, pseudoQueue);
    send(caller, queue, ["x"], { replyTo: pseudoQueue });
    await eventually(() => expect(requests.messages).toHaveLength(1));
    const address: string = requests.at(0).properties.replyTo;
    const { messageCount, consumerCount } = await server.checkQueue(address);
    expect({ messageCount, consumerCount }).toEqual({ messageCount: 0, consumerCount: 1 });

    await caller.close();
    const refused = nextError(server);
    await expect(server.checkQueue(address)).rejects.toThrow(/NOT_FOUND/);
    await refused;
  });

  it("drops a reply whose caller has gone, and returns it when it is mandatory", async () => {
    const server = await client.confirmChannel();
    const queue = await client.queue(server);
    const requests = await collect(server, queue);
    const caller = await client.channel();
    await collect(caller, pseudoQueue);
    send(caller, queue, ["x"], { replyTo: pseudoQueue });
    await eventually(() => expect(requests.messages).toHaveLength(1));
    await caller.close();
    const address: string = requests.at(0).properties.replyTo;
    const returned: string[] = [];
    server.on("return", (message) => returned.push(body(message)));
    server.sendToQueue(address, Buffer.from("dropped"));
    server.sendToQueue(address, Buffer.from("returned"), { mandatory: true });
    await server.waitForConfirms();
    expect(returned).toEqual(["returned"]);
  });

  it("refuses a request before there is a consumer for its reply", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const refused = nextError(channel);
    send(channel, queue, ["x"], { replyTo: pseudoQueue });
    expect((await refused).message).toContain("PRECONDITION_FAILED - fast reply consumer does not exist");
  });

  it("refuses a consumer of replies that means to acknowledge", async () => {
    const channel = await client.channel();
    await expect(channel.consume(pseudoQueue, () => {}, { noAck: false })).rejects.toThrow(
      "PRECONDITION_FAILED - reply consumer cannot acknowledge",
    );
  });

  it("refuses a second consumer of replies on a channel", async () => {
    const channel = await client.channel();
    await channel.consume(pseudoQueue, () => {}, { noAck: true });
    await expect(channel.consume(pseudoQueue, () => {}, { noAck: true })).rejects.toThrow(
      "PRECONDITION_FAILED - reply consumer already set",
    );
  });

  it("takes a new consumer after the last was cancelled", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await serveDoubling(await client.channel(), queue);
    const { consumerTag } = await channel.consume(pseudoQueue, () => {}, { noAck: true });
    await channel.cancel(consumerTag);
    const replies = await collect(channel, pseudoQueue);
    send(channel, queue, ["5"], { replyTo: pseudoQueue });
    await eventually(() => expect(replies.bodies).toEqual(["10"]));
  });
});
