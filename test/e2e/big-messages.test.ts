import { createHash, randomBytes } from "node:crypto";
import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { collect, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("big messages", () => {
  it("of megabytes arrive whole, in order among small ones", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    const bodies = [5_000_000, 1, 131_064, 131_065, 131_063, 262_128, 1_048_576].map((size) => randomBytes(size));
    for (const content of bodies) channel.sendToQueue(queue, content, { persistent: true });
    await channel.waitForConfirms();
    const inbox = await collect(channel, queue);
    await eventually(() => expect(inbox.messages).toHaveLength(bodies.length));
    expect(inbox.messages.map((message) => digest(message.content))).toEqual(bodies.map(digest));
  });

  it("go to a client with smaller frames than the publisher's", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const content = randomBytes(300_000);
    channel.sendToQueue(queue, content, { messageId: "big" });
    const connection = await connect(`${broker.url}?frameMax=8192`);
    const inbox = await collect(await connection.createChannel(), queue);
    await eventually(() => expect(inbox.messages).toHaveLength(1));
    expect(digest(inbox.at(0).content)).toBe(digest(content));
    expect(inbox.at(0).properties.messageId).toBe("big");
    await connection.close();
  });

  it("do not stop what another channel of the connection does", async () => {
    const connection = await client.connect();
    const [big, small] = [await client.channel(connection), await client.channel(connection)];
    const [bigQueue, smallQueue] = [await client.queue(big), await client.queue(small)];
    const [bigInbox, smallInbox] = [await collect(big, bigQueue), await collect(small, smallQueue)];
    const content = randomBytes(3_000_000);
    for (let index = 0; index < 4; index++) {
      big.sendToQueue(bigQueue, content);
      send(small, smallQueue, [String(index)]);
    }
    await eventually(() => expect(smallInbox.bodies).toEqual(["0", "1", "2", "3"]));
    await eventually(() => expect(bigInbox.messages).toHaveLength(4));
    for (const message of bigInbox.messages) expect(message.content.equals(content)).toBe(true);
  });

  it("of any size keep their bytes while others follow, to a fast, a slow and an acknowledging consumer", async () => {
    const channel = await client.confirmChannel();
    const exchange = "sizes";
    await channel.assertExchange(exchange, "fanout", { durable: false });
    const queues = [await client.queue(channel), await client.queue(channel), await client.queue(channel)];
    for (const queue of queues) await channel.bindQueue(queue, exchange, "");
    const [fast = "", slow = "", acked = ""] = queues;
    const fastInbox = await collect(await client.channel(), fast);
    const ackChannel = await client.channel();
    const ackedDigests: string[] = [];
    await ackChannel.consume(acked, (message) => {
      if (message === null) return;
      ackedDigests.push(digest(message.content));
      ackChannel.ack(message);
    });
    const sizes = [100, 16_000, 16_500, 65_536, 130_000, 131_200, 200_000, 262_000, 263_000, 300_000];
    const bodies = Array.from({ length: 6 }, () => sizes.map((size) => randomBytes(size))).flat();
    const single = await client.queue(channel);
    const singleInbox = await collect(await client.channel(), single);
    for (const body of bodies) {
      channel.publish(exchange, "", body);
      channel.sendToQueue(single, body, { persistent: true });
    }
    await channel.waitForConfirms();
    const slowInbox = await collect(await client.channel(), slow);
    const expected = bodies.map(digest);
    for (const inbox of [fastInbox, slowInbox, singleInbox]) {
      await eventually(() => expect(inbox.messages).toHaveLength(bodies.length));
      expect(inbox.messages.map(({ content }) => digest(content))).toEqual(expected);
    }
    await eventually(() => expect(ackedDigests).toEqual(expected));
  });

  it("carry headers of many kilobytes", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const headers = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`header ${index}`, "x".repeat(500)]));
    channel.sendToQueue(queue, Buffer.from("x"), { headers });
    const inbox = await collect(channel, queue);
    await eventually(() => expect(inbox.messages).toHaveLength(1));
    expect(inbox.at(0).properties.headers).toEqual(headers);
  });
});
