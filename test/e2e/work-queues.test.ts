import { describe, expect, it } from "vitest";
import { body, collect, counts, send, unique, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("work queues", () => {
  it("hands messages to several workers in turn", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const first = await collect(await client.channel(), queue);
    const second = await collect(await client.channel(), queue);
    send(channel, queue, ["1", "2", "3", "4", "5", "6"]);
    await eventually(() => expect(first.messages.length + second.messages.length).toBe(6));
    expect(first.bodies).toEqual(["1", "3", "5"]);
    expect(second.bodies).toEqual(["2", "4", "6"]);
  });

  it("keeps a message until the worker acknowledges it", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["task"]);
    const worker = await client.channel();
    const inbox = await collect(worker, queue, { noAck: false });
    await eventually(() => expect(inbox.bodies).toEqual(["task"]));
    worker.ack(inbox.at(0));
    await worker.close();
    expect(await counts(channel, queue)).toEqual({ messageCount: 0, consumerCount: 0 });
  });

  it("gives the task of a worker that died to another one, marked as redelivered", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const doomed = await client.connect();
    const started = await collect(await client.channel(doomed), queue, { noAck: false });
    send(channel, queue, ["long task"]);
    await eventually(() => expect(started.bodies).toEqual(["long task"]));
    expect(started.at(0).fields.redelivered).toBe(false);

    const other = await client.channel();
    const taken = await collect(other, queue, { noAck: false });
    client.cut(doomed);
    await eventually(() => expect(taken.bodies).toEqual(["long task"]));
    expect(taken.at(0).fields.redelivered).toBe(true);
    other.ack(taken.at(0));
  });

  it("loses nothing and finishes every task once when workers die one after another", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const tasks = Array.from({ length: 30 }, (_, index) => `task ${index}`);
    send(channel, queue, tasks);
    const finished: string[] = [];
    for (let dead = 0; dead < 3; dead++) {
      const doomed = await client.connect();
      const worker = await client.channel(doomed);
      await worker.prefetch(5);
      const inbox = await collect(worker, queue, { noAck: false });
      await eventually(() => expect(inbox.messages).toHaveLength(5));
      worker.ack(inbox.at(0));
      finished.push(body(inbox.at(0)));
      // The next delivery proves that the ack arrived before the socket goes.
      await eventually(() => expect(inbox.messages).toHaveLength(6));
      client.cut(doomed);
      await eventually(async () => expect((await counts(channel, queue)).consumerCount).toBe(0));
    }
    const survivor = await client.channel();
    await survivor.consume(queue, (message) => {
      if (message === null) return;
      finished.push(body(message));
      survivor.ack(message);
    });
    await eventually(() => expect(finished).toHaveLength(tasks.length));
    expect(finished.toSorted()).toEqual(tasks.toSorted());
  });

  it("with a prefetch of one gives the fast worker what the slow one has no hand free for", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const slow = await client.channel();
    await slow.prefetch(1);
    const stuck = await collect(slow, queue, { noAck: false });
    send(channel, queue, ["0"]);
    await eventually(() => expect(stuck.bodies).toEqual(["0"]));

    const fast = await client.channel();
    await fast.prefetch(1);
    const done: string[] = [];
    await fast.consume(queue, (message) => {
      if (message === null) return;
      done.push(body(message));
      fast.ack(message);
    });
    const rest = Array.from({ length: 20 }, (_, index) => String(index + 1));
    send(channel, queue, rest);
    await eventually(() => expect(done).toEqual(rest));
    expect(stuck.bodies).toEqual(["0"]);
    slow.ack(stuck.at(0));
  });

  it("acknowledges everything up to a message with one multiple ack", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["a", "b", "c"]);
    const worker = await client.channel();
    const inbox = await collect(worker, queue, { noAck: false });
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c"]));
    worker.ack(inbox.at(1), true);
    await worker.close();
    expect(await counts(channel, queue)).toEqual({ messageCount: 1, consumerCount: 0 });
  });

  it("names a consumer as it asks and generates a tag when it does not", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const tag = unique("tag");
    expect((await collect(channel, queue, { consumerTag: tag })).tag).toBe(tag);
    const { consumerTag } = await channel.consume(queue, () => {}, { noAck: true });
    expect(consumerTag).toMatch(/^amq\.ctag-[A-Za-z0-9_-]{22}$/);
  });
});
