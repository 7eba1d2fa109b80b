import { describe, expect, it } from "vitest";
import { emptyTable } from "../../../src/field-table.ts";
import type { Queue } from "../../../src/queue/queue.ts";
import { Message } from "../../../src/record.ts";
import { drain, persistent, TestConsumer, TestHost } from "../../support/queue.ts";

/** Notes the x-delivery-count of what it gets; undefined when there is none. */
class CountingConsumer extends TestConsumer {
  readonly counts: (number | undefined)[] = [];

  override deliver(...args: Parameters<TestConsumer["deliver"]>): void {
    const [bytes, addressStart, addressEnd, contentStart, contentEnd] = args;
    const headers = new Message().set(bytes, addressStart, addressEnd, contentStart, contentEnd).headers();
    const count = headers.get("x-delivery-count");
    this.counts.push(count?.type === "long" ? Number(count.value) : undefined);
    super.deliver(...args);
  }

  /** Puts back the first that it holds. */
  putBack(queue: Queue, failed: boolean): void {
    const [held] = this.held.splice(0, 1);
    if (held === undefined) throw new Error("holds nothing");
    queue.requeue(held.segment, held.index, failed);
    queue.resume();
  }
}

describe("a delivery limit", () => {
  it("counts deliveries that failed, not those put back, and shows the count", () => {
    const host = new TestHost();
    const queue = host.queue({ deliveryLimit: 5 });
    const consumer = new CountingConsumer({ prefetch: 1 });
    queue.addConsumer(consumer);
    queue.enqueue(persistent("a"), undefined, 0);
    for (const failed of [true, false, true, true]) consumer.putBack(queue, failed);
    expect(consumer.counts).toEqual([undefined, 1, 1, 2, 3]);
  });

  it("dead-letters a message whose deliveries failed more often", () => {
    const host = new TestHost();
    const queue = host.queue({ deliveryLimit: 2, deadLetterExchange: "dlx" });
    const consumer = new CountingConsumer({ prefetch: 1 });
    queue.addConsumer(consumer);
    queue.enqueue(persistent("a"), undefined, 0);
    for (let times = 0; times < 3; times++) consumer.putBack(queue, true);
    expect(consumer.counts).toEqual([undefined, 1, 2]);
    expect(host.deadLetters).toEqual(["a delivery_limit"]);
    expect([queue.ready, queue.unacked]).toEqual([0, 0]);
  });

  it("of none counts nothing", () => {
    const host = new TestHost();
    const queue = host.queue();
    const consumer = new CountingConsumer({ prefetch: 1 });
    queue.addConsumer(consumer);
    queue.enqueue(persistent("a"), undefined, 0);
    for (let times = 0; times < 30; times++) consumer.putBack(queue, true);
    expect(new Set(consumer.counts)).toEqual(new Set([undefined]));
  });

  it("goes on over a restart, whether the count came before or after the message was stored", () => {
    const host = new TestHost();
    const queue = host.queue({ deliveryLimit: 2 });
    const consumer = new CountingConsumer({ prefetch: 2 });
    queue.addConsumer(consumer);
    for (const key of ["a", "b"]) queue.enqueue(persistent(key), undefined, 0);
    consumer.putBack(queue, true);
    host.store.settle();
    for (let times = 0; times < 2; times++) consumer.putBack(queue, true);
    host.store.settle();
    const restarted = host.restarted();
    const again = restarted.restore(restarted.queue({ deliveryLimit: 2 }));
    const other = new CountingConsumer();
    again.addConsumer(other);
    restarted.store.settle();
    expect(other.got).toEqual(["a!", "b!"]);
    expect(other.counts.map((count) => count ?? 0).reduce((sum, count) => sum + count)).toBe(3);
  });
});

describe("a delayed retry", () => {
  const retry = { of: "all", minMs: 100, maxMs: 250 } as const;

  function failing(of: "all" | "failed" | "returned") {
    const host = new TestHost();
    const queue = host.queue({ deliveryLimit: 100, delayedRetry: { ...retry, of } });
    const consumer = new CountingConsumer({ prefetch: 1 });
    queue.addConsumer(consumer);
    queue.enqueue(persistent("a"), undefined, 0);
    return { host, queue, consumer };
  }

  it("comes later each time a delivery failed, up to the longest delay", () => {
    const { host, queue, consumer } = failing("all");
    for (const delay of [100, 200, 250, 250]) {
      consumer.putBack(queue, true);
      host.clock.advance(delay - 1);
      expect([consumer.held.length, queue.ready, queue.unacked]).toEqual([0, 0, 1]);
      host.clock.advance(1);
      expect(consumer.held.length).toBe(1);
    }
    expect(consumer.counts).toEqual([undefined, 1, 2, 3, 4]);
  });

  it.each([
    ["failed", true, 100],
    ["failed", false, 0],
    ["returned", true, 0],
    ["returned", false, 100],
    ["all", false, 100],
  ] as const)("of type %s waits after a delivery that failed: %s", (of, failed, delay) => {
    const { host, queue, consumer } = failing(of);
    consumer.putBack(queue, failed);
    expect(consumer.held.length).toBe(delay === 0 ? 1 : 0);
    host.clock.advance(delay);
    expect(consumer.held.length).toBe(1);
  });

  it("lets others go first, then puts the message back in its place", () => {
    const { host, queue, consumer } = failing("all");
    consumer.putBack(queue, true);
    for (const key of ["b", "c"]) queue.enqueue(persistent(key), undefined, 0);
    expect(consumer.got).toEqual(["a", "b"]);
    host.clock.advance(100);
    consumer.settle(queue, "ack", "b");
    expect(consumer.got).toEqual(["a", "b", "a!"]);
  });

  it("is over with the broker: the message is ready after a restart", () => {
    const { host, queue, consumer } = failing("all");
    consumer.putBack(queue, true);
    host.store.settle();
    const restarted = host.restarted();
    expect(drain(restarted.restore(restarted.queue()), restarted.store)).toEqual(["a!"]);
  });
});

it("a priority of its own is what a quorum queue's messages have that name none", () => {
  const host = new TestHost();
  const queue = host.queue({ maxPriority: 31, defaultPriority: 4 }, { arguments: emptyTable });
  queue.enqueue(persistent("none"), undefined, 0);
  for (const priority of [0, 5, 31, 255, 4]) queue.enqueue(persistent(`${priority}`, { priority }), undefined, 0);
  expect(drain(queue)).toEqual(["31", "255", "5", "none", "4", "0"]);
});
