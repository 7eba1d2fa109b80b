import { describe, expect, it } from "vitest";
import { Expiry } from "../../../src/queue/expiry.ts";
import { Segment } from "../../../src/queue/segment.ts";
import { DrivenClock } from "../../support/driven-clock.ts";
import { message } from "../../support/messages.ts";
import { drain, persistent, publish, TestConsumer, TestHost } from "../../support/queue.ts";

describe("a message's time to live", () => {
  it("ends on time wherever it stands in the queue", () => {
    const host = new TestHost();
    const queue = host.queue({ deadLetterExchange: "dlx" });
    publish(queue, "first");
    for (const expiration of ["300", "100", "200"])
      queue.enqueue(message({ routingKey: expiration, expiration }), undefined, 0);
    publish(queue, "last");
    host.clock.advance(99);
    expect(queue.ready).toBe(5);
    host.clock.advance(1);
    expect([host.deadLetters, queue.ready]).toEqual([["100 expired"], 4]);
    host.clock.advance(200);
    expect(host.deadLetters).toEqual(["100 expired", "200 expired", "300 expired"]);
    expect([drain(queue), queue.readyBytes]).toEqual([["first", "last"], 0]);
  });

  it.each([
    [50, "100", 50],
    [100, "50", 50],
    [undefined, "70", 70],
    [80, undefined, 80],
  ])("is the shorter of the queue's (%s) and its own (%s)", (messageTtlMs, expiration, ms) => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs });
    queue.enqueue(message(expiration === undefined ? {} : { expiration }), undefined, 0);
    host.clock.advance(ms - 1);
    expect(queue.ready).toBe(1);
    host.clock.advance(1);
    expect(queue.ready).toBe(0);
  });

  it("of 0 means now or never", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 0, deadLetterExchange: "dlx" });
    publish(queue, "a");
    expect([queue.ready, host.deadLetters]).toEqual([0, ["a expired"]]);
    const consumer = new TestConsumer({ prefetch: 1 });
    queue.addConsumer(consumer);
    publish(queue, "b", "c");
    expect([consumer.got, host.deadLetters]).toEqual([["b"], ["a expired", "c expired"]]);
    consumer.settle(queue, "requeue");
    expect([queue.ready, host.deadLetters]).toEqual([0, ["a expired", "c expired", "b expired"]]);
  });

  it("does not end while it is unacked, and does when it is put back too late", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 100 });
    publish(queue, "a", "b");
    const consumer = new TestConsumer({ prefetch: 2 });
    queue.addConsumer(consumer);
    queue.removeConsumer(consumer);
    host.clock.advance(50);
    consumer.settle(queue, "requeue", "b");
    host.clock.advance(50);
    expect([queue.ready, queue.unacked]).toEqual([0, 1]);
    consumer.settle(queue, "requeue", "a");
    expect([queue.ready, queue.unacked]).toEqual([0, 0]);
  });

  it("goes on over a restart", () => {
    const host = new TestHost();
    const queue = host.queue();
    for (const expiration of ["60500", "60100"]) {
      queue.enqueue(persistent(expiration, { expiration }), undefined, 0);
    }
    queue.enqueue(persistent("stays"), undefined, 0);
    host.store.settle();
    const restarted = host.restarted();
    const again = restarted.restore(restarted.queue());
    // It is read a little ahead, so that reading it takes nothing of the time.
    restarted.clock.advance(40_000);
    expect(restarted.store.busy).toBe(false);
    restarted.clock.advance(1000);
    restarted.store.settle();
    restarted.clock.advance(19_099);
    expect(again.ready).toBe(3);
    restarted.clock.advance(1);
    expect(again.ready).toBe(2);
    restarted.clock.advance(400);
    expect(drain(again)).toEqual(["stays"]);
  });

  it("is noticed before a consumer is served", () => {
    const host = new TestHost();
    const queue = host.queue();
    queue.enqueue(persistent("a", { expiration: "10" }), undefined, 0);
    queue.enqueue(persistent("b"), undefined, 0);
    host.store.settle();
    const restarted = host.restarted();
    const again = restarted.restore(restarted.queue());
    const consumer = new TestConsumer();
    again.addConsumer(consumer);
    restarted.clock.advance(10);
    restarted.store.settle();
    expect(consumer.got).toEqual(["b"]);
  });

  it("of a whole backlog ends in turns of 5,000, so that it stops nobody", () => {
    const host = new TestHost();
    const queue = host.queue({ messageTtlMs: 100 });
    const one = message({});
    for (let i = 0; i < 12_000; i++) queue.enqueue(one, undefined, 0);
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      host.clock.advance(i === 0 ? 100 : 1);
      seen.push(queue.ready);
    }
    expect(seen).toEqual([7000, 2000, 0]);
  });
});

describe("messages that are watched", () => {
  function watched(count: number): { clock: DrivenClock; expiry: Expiry; segment: Segment; expired: number[] } {
    const clock = new DrivenClock(0);
    const segment = new Segment(1, 1, 0, undefined);
    const expired: number[] = [];
    const expiry = new Expiry(
      clock,
      (_, index) => expired.push(index),
      () => undefined,
    );
    for (let i = 0; i < count; i++) segment.append(message({}), 1000);
    return { clock, expiry, segment, expired };
  }

  it("are forgotten once they outnumber the others by a thousand", () => {
    const { expiry, segment } = watched(60_000);
    for (let i = 0; i < 60_000; i++) {
      expiry.watch(segment, i, 1000);
      if (i >= 10) segment.settle(i, false);
      expect(expiry.size).toBeLessThanOrEqual(1040);
    }
  });

  it("are watched once, however often they are put back", () => {
    const { clock, expiry, segment, expired } = watched(10);
    for (let i = 0; i < 10_000; i++) {
      segment.markUnacked(i % 10);
      segment.markReady(i % 10);
      expiry.watch(segment, i % 10, 1000);
    }
    expect(expiry.size).toBe(10);
    clock.advance(1000);
    expect(expired).toHaveLength(10);
  });

  it("are watched again when they are put back after they were forgotten", () => {
    const { clock, expiry, segment, expired } = watched(3000);
    expiry.watch(segment, 0, 1000);
    segment.markUnacked(0);
    for (let i = 1; i < 3000; i++) expiry.watch(segment, i, 500);
    segment.markReady(0);
    expiry.watch(segment, 0, 1000);
    clock.advance(1000);
    expect(expired.filter((index) => index === 0)).toEqual([0]);
    expect(expired).toHaveLength(3000);
  });

  it("are due when the first of them is, whatever was watched before", () => {
    const { clock, expiry, segment } = watched(3);
    expiry.watch(segment, 0, 1000);
    expiry.watch(segment, 1, 400);
    expiry.watch(segment, 2, 700);
    expect(clock.nextDue).toBe(400);
    clock.advance(400);
    expect(clock.nextDue).toBe(700);
    expiry.stop();
    expect(clock.nextDue).toBeUndefined();
  });
});

/** A clock of a process that is kept waiting: between two looks at it much time may pass without a timer having fired. */
class StolenClock extends DrivenClock {
  /** Looks at the clock until then. */
  looks = Number.POSITIVE_INFINITY;
  #stolenMs = 0;

  override now(): number {
    if (this.looks-- === 0) this.#stolenMs = 1000;
    return super.now() + this.#stolenMs;
  }
}

it("a message that is due before it is watched does not overtake others that are", () => {
  const clock = new StolenClock();
  const host = new TestHost(clock);
  const queue = host.queue({ deadLetterExchange: "dlx" });
  queue.enqueue(persistent("first", { expiration: "50" }), undefined, 0);
  clock.looks = 1;
  queue.enqueue(persistent("second", { expiration: "50" }), undefined, 0);
  clock.advance(1000);
  expect(host.deadLetters).toEqual(["first expired", "second expired"]);
});
