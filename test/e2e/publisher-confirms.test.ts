import { describe, expect, it } from "vitest";
import { body, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("publisher confirms", () => {
  it("confirms messages one by one", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    for (const text of ["a", "b", "c"]) {
      send(channel, queue, [text], { persistent: true });
      await channel.waitForConfirms();
    }
    expect(await drain(channel, queue)).toEqual(["a", "b", "c"]);
  });

  it("confirms a batch", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    const bodies = Array.from({ length: 500 }, (_, index) => String(index));
    send(channel, queue, bodies, { persistent: true });
    await channel.waitForConfirms();
    expect(await counts(channel, queue)).toEqual({ messageCount: 500, consumerCount: 0 });
  });

  it("confirms each message exactly once when publishers do not wait", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    const confirmed: number[] = [];
    for (let index = 0; index < 200; index++) {
      const persistent = index % 2 === 0;
      channel.sendToQueue(queue, Buffer.from("x"), { persistent }, (error) => {
        if (error === null) confirmed.push(index);
      });
    }
    await eventually(() => expect(confirmed).toHaveLength(200));
    expect(confirmed.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  it("confirms what no queue takes", async () => {
    const channel = await client.confirmChannel();
    const exchange = await client.exchange(channel, "direct");
    channel.publish(exchange, "nobody", Buffer.from("x"));
    await channel.waitForConfirms();
  });

  it("returns a mandatory message that no queue takes, before it confirms it", async () => {
    const channel = await client.confirmChannel();
    const exchange = await client.exchange(channel, "direct");
    const events: string[] = [];
    channel.on("return", (message) => {
      const { replyCode, replyText, exchange: from, routingKey } = message.fields as unknown as Record<string, unknown>;
      events.push(`return ${body(message)} ${replyCode} ${replyText} ${from === exchange} ${routingKey}`);
    });
    for (const key of ["one", "two"]) {
      channel.publish(exchange, key, Buffer.from(key), { mandatory: true }, () => events.push(`confirm ${key}`));
    }
    await channel.waitForConfirms();
    expect(events.filter((event) => event.startsWith("return"))).toEqual([
      "return one 312 NO_ROUTE true one",
      "return two 312 NO_ROUTE true two",
    ]);
    for (const key of ["one", "two"]) {
      const [returned, confirmed] = ["return", "confirm"].map((kind) =>
        events.findIndex((event) => event.startsWith(`${kind} ${key}`)),
      );
      expect(returned).toBeLessThan(confirmed ?? -1);
    }
  });

  it("does not return a mandatory message that a queue took", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    const returned: string[] = [];
    channel.on("return", (message) => returned.push(body(message)));
    send(channel, queue, ["taken"], { mandatory: true });
    await channel.waitForConfirms();
    expect(returned).toEqual([]);
  });

  it("returns mandatory messages without confirms too, with properties and body", async () => {
    const channel = await client.channel();
    const returned: unknown[] = [];
    channel.on("return", (message) => returned.push([body(message), message.properties.messageId]));
    channel.publish("amq.direct", client.queueName(), Buffer.from("back"), { mandatory: true, messageId: "m1" });
    await eventually(() => expect(returned).toEqual([["back", "m1"]]));
  });

  it("confirms a persistent message to durable and transient queues alike", async () => {
    const channel = await client.confirmChannel();
    const exchange = await client.exchange(channel, "fanout");
    const queues = [await client.queue(channel), await client.queue(channel, { durable: false })];
    for (const queue of queues) await channel.bindQueue(queue, exchange, "");
    channel.publish(exchange, "", Buffer.from("both"), { persistent: true });
    await channel.waitForConfirms();
    for (const queue of queues) expect(await drain(channel, queue)).toEqual(["both"]);
  });

  it("confirms a message that was consumed before it could be stored", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    await channel.consume(queue, () => {}, { noAck: true });
    for (let index = 0; index < 100; index++) send(channel, queue, ["x"], { persistent: true });
    await channel.waitForConfirms();
  });

  it("fails the confirms that are out when the channel is closed for an error", async () => {
    const channel = await client.confirmChannel();
    channel.publish(client.exchangeName("missing"), "", Buffer.from("x"));
    await expect(channel.waitForConfirms()).rejects.toThrow("channel closed");
  });
});
