import { describe, expect, it } from "vitest";
import { collect, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("a priority queue", () => {
  it("delivers the highest priority first, and equals in the order they came", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { maxPriority: 9 });
    for (const [text, priority] of Object.entries({ low1: 1, high1: 9, mid1: 5, low2: 1, high2: 9, mid2: 5 })) {
      send(channel, queue, [text], { priority });
    }
    expect(await drain(channel, queue)).toEqual(["high1", "high2", "mid1", "mid2", "low1", "low2"]);
  });

  it("takes a message without priority as the lowest and one above the maximum as the highest", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { maxPriority: 3 });
    send(channel, queue, ["none"]);
    send(channel, queue, ["zero"], { priority: 0 });
    send(channel, queue, ["three"], { priority: 3 });
    send(channel, queue, ["hundred"], { priority: 100 });
    const first = await channel.get(queue, { noAck: true });
    expect(first).toMatchObject({ content: Buffer.from("three") });
    const second = await channel.get(queue, { noAck: true });
    expect(second).toMatchObject({ content: Buffer.from("hundred"), properties: { priority: 100 } });
    expect(await drain(channel, queue)).toEqual(["none", "zero"]);
  });

  it("puts a message that is given back to its place among its own priority", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { maxPriority: 5 });
    send(channel, queue, ["high 1", "high 2"], { priority: 5 });
    send(channel, queue, ["low"], { priority: 1 });
    const taken = await channel.get(queue);
    if (taken !== false) channel.nack(taken, false, true);
    expect(await drain(channel, queue)).toEqual(["high 1", "high 2", "low"]);
  });

  it("drops from its head when it is full, which is where the highest priority stands", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { maxPriority: 5, maxLength: 2 });
    send(channel, queue, ["low"], { priority: 1 });
    send(channel, queue, ["high 1", "high 2"], { priority: 5 });
    await channel.waitForConfirms();
    expect(await drain(channel, queue)).toEqual(["high 2", "low"]);
  });

  it("counts and purges over all priorities", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { maxPriority: 5 });
    for (const priority of [0, 1, 5]) send(channel, queue, ["x"], { priority });
    await channel.waitForConfirms();
    expect((await counts(channel, queue)).messageCount).toBe(3);
    expect(await channel.purgeQueue(queue)).toEqual({ messageCount: 3 });
  });

  it("serves a consumer by priority as its hands get free", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { maxPriority: 5 });
    const worker = await client.channel();
    await worker.prefetch(1);
    const inbox = await collect(worker, queue, { noAck: false });
    send(channel, queue, ["first"], { priority: 1 });
    await eventually(() => expect(inbox.bodies).toEqual(["first"]));
    send(channel, queue, ["low"], { priority: 2 });
    send(channel, queue, ["high"], { priority: 4 });
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(2));
    for (const index of [0, 1]) {
      worker.ack(inbox.at(index));
      await eventually(() => expect(inbox.messages).toHaveLength(index + 2));
    }
    expect(inbox.bodies).toEqual(["first", "high", "low"]);
    worker.ack(inbox.at(2));
  });

  it("is an ordinary queue without x-max-priority", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["low"], { priority: 1 });
    send(channel, queue, ["high"], { priority: 9 });
    expect(await drain(channel, queue)).toEqual(["low", "high"]);
  });
});
