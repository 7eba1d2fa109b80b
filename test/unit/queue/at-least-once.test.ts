import { describe, expect, it } from "vitest";
import { deadLetterRetryMs } from "../../../src/queue/dead-letter-retries.ts";
import { drain, persistent, TestConsumer, TestHost } from "../../support/queue.ts";

const options = {
  deadLettersAtLeastOnce: true,
  overflow: "reject-publish",
  deadLetterExchange: "dlx",
  messageTtlMs: 100,
} as const;

describe("dead lettering at least once", () => {
  it("keeps a message until its dead letter has arrived, which is one transaction", () => {
    const host = new TestHost();
    const queue = host.queue(options);
    queue.enqueue(persistent("a"), undefined, 0);
    host.store.settle();
    host.clock.advance(100);
    expect([queue.ready, queue.unacked, host.deadLetters]).toEqual([0, 1, ["a expired"]]);
    host.store.settle();
    expect(host.store.disk.state().segments).toMatchObject([{ count: 1 }]);
    host.onSent.shift()?.sent(true);
    expect(queue.unacked).toBe(0);
    host.store.settle();
    expect(host.store.disk.state().segments).toEqual([]);
  });

  it("sends again what arrived nowhere, for the reason it died of", () => {
    const host = new TestHost();
    const queue = host.queue(options);
    queue.enqueue(persistent("a"), undefined, 0);
    host.clock.advance(100);
    for (let times = 2; times < 5; times++) {
      host.onSent.shift()?.sent(false);
      host.clock.advance(deadLetterRetryMs - 1);
      expect(host.deadLetters).toHaveLength(times - 1);
      host.clock.advance(1);
      expect(host.deadLetters).toHaveLength(times);
    }
    expect(new Set(host.deadLetters)).toEqual(new Set(["a expired"]));
    host.onSent.shift()?.sent(true);
    expect([queue.ready, queue.unacked]).toEqual([0, 0]);
  });

  it("is for messages that were rejected as well", () => {
    const host = new TestHost();
    const queue = host.queue(options);
    const consumer = new TestConsumer();
    queue.addConsumer(consumer);
    queue.enqueue(persistent("a"), undefined, 0);
    consumer.settle(queue, "reject");
    expect([queue.unacked, host.deadLetters]).toEqual([1, ["a rejected"]]);
    host.onSent.shift()?.sent(true);
    expect(queue.unacked).toBe(0);
  });

  it("has the message still after a restart that came before its dead letter arrived", () => {
    const host = new TestHost();
    const queue = host.queue({ ...options, messageTtlMs: undefined });
    const consumer = new TestConsumer();
    queue.addConsumer(consumer);
    queue.enqueue(persistent("a"), undefined, 0);
    consumer.settle(queue, "reject");
    host.store.settle();
    const restarted = host.restarted();
    expect(drain(restarted.restore(restarted.queue()), restarted.store)).toEqual(["a!"]);
  });

  it("needs an overflow that drops nothing, as in RabbitMQ", () => {
    const host = new TestHost();
    const queue = host.queue({ ...options, overflow: "drop-head" });
    queue.enqueue(persistent("a"), undefined, 0);
    host.clock.advance(100);
    expect([queue.unacked, host.onSent.length, host.deadLetters]).toEqual([0, 0, ["a expired"]]);
  });

  it("forgets messages with their queue", () => {
    const host = new TestHost();
    const queue = host.queue(options);
    queue.enqueue(persistent("a"), undefined, 0);
    host.clock.advance(100);
    queue.delete();
    host.onSent.shift()?.sent(false);
    host.clock.advance(deadLetterRetryMs);
    expect(host.deadLetters).toHaveLength(1);
  });
});
