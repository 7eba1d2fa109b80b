import { describe, expect, it } from "vitest";
import type { QueueOptions } from "../../../src/queue/arguments.ts";
import type { Queue } from "../../../src/queue/queue.ts";
import { drain, persistent, publish, TestConsumer, TestHost } from "../../support/queue.ts";

function change(queue: Queue, options: Partial<QueueOptions>): void {
  queue.change({ ...queue.options, ...options });
}

describe("a queue whose time to live changes", () => {
  it("lets go at once of what has waited longer than it may now", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 60_000, deadLetterExchange: "dlx" });
    publish(queue, "old");
    host.clock.advance(500);
    publish(queue, "new");
    change(queue, { messageTtlMs: 400 });
    host.clock.advance(1);
    expect(host.deadLetters).toEqual(["old expired"]);
    host.clock.advance(398);
    expect(queue.ready).toBe(1);
    host.clock.advance(1);
    expect(host.deadLetters).toEqual(["old expired", "new expired"]);
  });

  it("gives more time, or all time, to what is in it", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 100 });
    publish(queue, "a");
    host.clock.advance(50);
    change(queue, { messageTtlMs: 200 });
    host.clock.advance(149);
    expect(queue.ready).toBe(1);
    change(queue, { messageTtlMs: undefined });
    host.clock.advance(1_000_000);
    expect(drain(queue)).toEqual(["a"]);
  });

  it("counts from now for what nothing limited before", () => {
    const host = new TestHost();
    const queue = host.queue();
    publish(queue, "a");
    host.clock.advance(5000);
    change(queue, { messageTtlMs: 100 });
    host.clock.advance(99);
    expect(queue.ready).toBe(1);
    host.clock.advance(1);
    expect(queue.ready).toBe(0);
  });

  it("never gives a message more than its own expiration", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 50 });
    queue.enqueue(persistent("a", { expiration: "80" }), undefined, 0);
    host.clock.advance(10);
    change(queue, { messageTtlMs: 1000 });
    host.clock.advance(69);
    expect(queue.ready).toBe(1);
    host.clock.advance(1);
    expect(queue.ready).toBe(0);
  });

  it("means unacked messages too, when they come back", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 100 });
    const consumer = new TestConsumer({ prefetch: 1 });
    queue.addConsumer(consumer);
    publish(queue, "a");
    change(queue, { messageTtlMs: 10_000 });
    host.clock.advance(5000);
    queue.removeConsumer(consumer);
    consumer.settle(queue, "requeue");
    expect(queue.ready).toBe(1);
    host.clock.advance(5000);
    expect(queue.ready).toBe(0);
  });

  it("says so to the store", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 100 });
    queue.enqueue(persistent("a"), undefined, 0);
    host.store.settle();
    change(queue, { messageTtlMs: 60_000 });
    host.store.settle();
    const restarted = host.restarted();
    const again = restarted.restore(restarted.queue({ messageTtlMs: 60_000 }));
    restarted.clock.advance(59_000);
    restarted.store.settle();
    expect(again.ready).toBe(1);
    restarted.clock.advance(1000);
    expect(again.ready).toBe(0);
  });

  it("reaches messages that are on disk only, in time", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 100_000 });
    for (const key of ["a", "b"]) queue.enqueue(persistent(key), undefined, 0);
    host.store.settle();
    const restarted = host.restarted();
    const again = restarted.restore(restarted.queue({ messageTtlMs: 100_000, deadLetterExchange: "dlx" }));
    restarted.clock.advance(5000);
    change(again, { messageTtlMs: 50_000 });
    change(again, { messageTtlMs: 10_000 });
    restarted.clock.advance(3000);
    restarted.store.settle();
    restarted.clock.advance(1999);
    expect(restarted.deadLetters).toEqual([]);
    restarted.clock.advance(1);
    expect(restarted.deadLetters).toEqual(["a expired", "b expired"]);
  });

  it.each([
    [60_000, 10_000, [9999, 1]],
    [10_000, 60_000, [59_999, 1]],
    [60_000, undefined, [1_000_000, 0]],
  ] as const)(
    "from %i to %s while they are on disk only, then restarts, keeps the new time",
    (before, after, [stays, goes]) => {
      const host = new TestHost();
      const queue = host.queue({ messageTtlMs: before });
      queue.enqueue(persistent("a"), undefined, 0);
      queue.enqueue(persistent("b"), undefined, 0);
      host.store.settle();
      const second = host.restarted();
      change(second.restore(second.queue({ messageTtlMs: before })), { messageTtlMs: after });
      const third = second.restarted();
      const again = third.restore(third.queue({ messageTtlMs: after }));
      third.clock.advance(stays - 1);
      third.store.settle();
      third.clock.advance(1);
      expect(again.ready).toBe(2);
      third.clock.advance(goes);
      expect(again.ready).toBe(goes === 0 ? 2 : 0);
    },
  );

  it("has the surplus gone at once when its greatest length shrinks", () => {
    const host = new TestHost();
    const queue = host.queue({ maxLength: 10, deadLetterExchange: "dlx" });
    publish(queue, "1", "2", "3", "4");
    change(queue, { maxLength: 2 });
    expect([queue.ready, host.deadLetters]).toEqual([2, ["1 maxlen", "2 maxlen"]]);
  });
});
