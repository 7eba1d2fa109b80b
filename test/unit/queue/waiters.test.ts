import { describe, expect, it } from "vitest";
import type { Queue } from "../../../src/queue/queue.ts";
import { message } from "../../support/messages.ts";
import { persistent, publish, TestConsumer, TestHost, WaiterLog } from "../../support/queue.ts";

/** A durable queue, and one who waits for what is published to it. */
function waitedFor(options: Parameters<TestHost["queue"]>[0] = {}): {
  host: TestHost;
  queue: Queue;
  waiter: WaiterLog;
  send: (...tags: number[]) => string[];
} {
  const host = new TestHost();
  const queue = host.queue(options);
  const waiter = new WaiterLog();
  const send = (...tags: number[]): string[] => tags.map((tag) => queue.enqueue(persistent(`${tag}`), waiter, tag));
  return { host, queue, waiter, send };
}

describe("who waits for a message", () => {
  it("is told once it is on disk", () => {
    const { host, waiter, send } = waitedFor();
    expect(send(1, 2)).toEqual(["waits", "waits"]);
    host.store.step();
    expect(waiter.told).toEqual([]);
    expect(send(3)).toEqual(["waits"]);
    host.store.step();
    expect(waiter.told).toEqual([1, 2]);
    host.store.settle();
    expect(waiter.told).toEqual([1, 2, 3]);
  });

  it("need not wait when it is transient, or the queue does not outlive the broker", () => {
    const { queue, waiter, host } = waitedFor();
    const other = host.queue({}, { durable: false, id: 2 });
    expect(queue.enqueue(message({}), waiter, 1)).toBe("done");
    expect(other.enqueue(persistent("a"), waiter, 2)).toBe("done");
    host.store.settle();
    expect([waiter.told, host.store.committed]).toEqual([[], 0]);
  });

  it("need not wait when a consumer has taken it for good", () => {
    const { queue, waiter, send } = waitedFor();
    queue.addConsumer(new TestConsumer({ noAck: true }));
    expect([send(1), waiter.told]).toEqual([["done"], []]);
  });

  it("is told when it is acked before it was handed to the store, which then never hears of it", () => {
    const { host, queue, waiter, send } = waitedFor();
    const consumer = new TestConsumer();
    queue.addConsumer(consumer);
    expect(send(1)).toEqual(["waits"]);
    expect(waiter.told).toEqual([]);
    consumer.settle(queue, "ack");
    expect(waiter.told).toEqual([1]);
    host.store.settle();
    expect([waiter.told, host.store.disk.state().lastSegment]).toEqual([[1], 0]);
  });

  it("is told when it is acked inside the delivery", () => {
    const { queue, waiter, send } = waitedFor();
    const consumer = new TestConsumer();
    consumer.onDeliver = () => consumer.settle(queue, "ack");
    queue.addConsumer(consumer);
    expect([send(1, 2), waiter.told]).toEqual([
      ["waits", "waits"],
      [1, 2],
    ]);
  });

  it("is told with the batch when it is acked while that is written, and once", () => {
    const { host, queue, waiter, send } = waitedFor();
    const consumer = new TestConsumer();
    queue.addConsumer(consumer);
    send(1);
    host.store.step();
    consumer.settle(queue, "ack");
    expect(waiter.told).toEqual([]);
    host.store.settle();
    expect([waiter.told, host.store.disk.state().segments]).toEqual([[1], []]);
  });

  it.each([
    ["purged", (queue: Queue) => queue.purge()],
    ["deleted with its queue", (queue: Queue) => queue.delete()],
  ])("is told when it is %s", (_name, end) => {
    const { host, queue, waiter, send } = waitedFor();
    send(1, 2);
    end(queue);
    expect(waiter.told).toEqual([1, 2]);
    host.store.settle();
    expect([waiter.told, host.store.disk.state().segments]).toEqual([[1, 2], []]);
  });

  it("is told once when the queue is deleted while its batch is written", () => {
    const { host, queue, waiter, send } = waitedFor();
    send(1);
    host.store.step();
    send(2);
    queue.delete();
    expect(waiter.told).toEqual([2]);
    host.store.settle();
    expect([waiter.told, host.store.disk.state().segments]).toEqual([[2, 1], []]);
  });

  it("is told when it is dropped, or expires at once", () => {
    const dropping = waitedFor({ maxLength: 1 });
    dropping.send(1, 2);
    expect(dropping.waiter.told).toEqual([1]);
    const expiring = waitedFor({ messageTtlMs: 0 });
    expect([expiring.send(1), expiring.waiter.told]).toEqual([["waits"], [1]]);
  });

  it("hears nothing when it was rejected", () => {
    const { host, waiter, send } = waitedFor({ maxLength: 1, overflow: "reject-publish" });
    expect(send(1, 2)).toEqual(["waits", "rejected"]);
    host.store.settle();
    expect(waiter.told).toEqual([1]);
  });

  it("and is not alone is told in the order of publishing", () => {
    const { host, queue, waiter, send } = waitedFor();
    publish(queue, "transient");
    send(1);
    publish(queue, "transient");
    send(2, 3);
    host.store.settle();
    expect(waiter.told).toEqual([1, 2, 3]);
  });

  it("waits on while the disk is full", () => {
    const { host, waiter, send } = waitedFor();
    host.store.failNextFlushes(3);
    send(1);
    for (let i = 0; i < 4; i++) host.store.step();
    expect(waiter.told).toEqual([]);
    host.store.settle();
    expect(waiter.told).toEqual([1]);
  });

  it.each([
    ["expired", { messageTtlMs: 0 }],
    ["dropped", { maxLength: 0 }],
  ])("of a message that is dead-lettered when %s is told once the dead letter is safe", (_name, options) => {
    const { host, waiter, send } = waitedFor({ deadLetterExchange: "dlx", ...options });
    expect(send(1)).toEqual(["waits"]);
    expect([host.deadLetters.length, waiter.told]).toEqual([1, []]);
    // The dead letter goes into the batch that is gathered now.
    const batch = host.store.gathering;
    while (host.store.committed < batch) {
      expect(waiter.told).toEqual([]);
      host.store.step();
    }
    expect(waiter.told).toEqual([1]);
  });
});
