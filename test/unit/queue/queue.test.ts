import { describe, expect, it } from "vitest";
import type { Queue } from "../../../src/queue/queue.ts";
import { message } from "../../support/messages.ts";
import { drain, persistent, publish, TestConsumer, TestGetter, TestHost } from "../../support/queue.ts";

function consume(queue: Queue, rest: ConstructorParameters<typeof TestConsumer>[0] = {}): TestConsumer {
  const consumer = new TestConsumer(rest);
  queue.addConsumer(consumer);
  return consumer;
}

describe("a queue", () => {
  it("delivers in order, one after another while there is credit", () => {
    const queue = new TestHost().queue();
    publish(queue, "a", "b", "c", "d");
    const consumer = consume(queue, { prefetch: 3 });
    expect([consumer.got, queue.ready, queue.unacked]).toEqual([["a", "b", "c"], 1, 3]);
    consumer.settle(queue, "ack", "b");
    expect([consumer.got, queue.ready, queue.unacked]).toEqual([["a", "b", "c", "d"], 0, 3]);
  });

  it("hands a message to a waiting consumer at once", () => {
    const queue = new TestHost().queue();
    const consumer = consume(queue, { noAck: true });
    publish(queue, "a", "b");
    expect([consumer.got, queue.ready, queue.unacked]).toEqual([["a", "b"], 0, 0]);
    expect(queue.counters).toMatchObject({ published: 2, deliveredNoAck: 2, delivered: 0 });
  });

  it("counts the bytes of bodies, ready and unacked", () => {
    const queue = new TestHost().queue();
    for (const size of [1, 20, 300]) queue.enqueue(message({ body: Buffer.alloc(size) }), undefined, 0);
    expect([queue.readyBytes, queue.unackedBytes]).toEqual([321, 0]);
    const consumer = consume(queue, { prefetch: 2 });
    expect([queue.readyBytes, queue.unackedBytes]).toEqual([300, 21]);
    consumer.prefetch = 0;
    consumer.settle(queue, "requeue");
    expect([queue.readyBytes, queue.unackedBytes]).toEqual([301, 20]);
  });

  it("lets a consumer ack inside each delivery, however long the backlog", () => {
    const queue = new TestHost().queue();
    const keys = Array.from({ length: 50_000 }, (_, i) => `${i}`);
    publish(queue, ...keys);
    const consumer = new TestConsumer({ prefetch: 1 });
    consumer.onDeliver = () => consumer.settle(queue, "ack");
    queue.addConsumer(consumer);
    expect(consumer.got).toEqual(keys);
    expect(queue.counters).toMatchObject({ delivered: 50_000, acked: 50_000 });
  });

  it("puts requeued messages back to their places, marked as redelivered", () => {
    const queue = new TestHost().queue();
    publish(queue, "a", "b", "c", "d", "e");
    const consumer = consume(queue, { prefetch: 4 });
    queue.removeConsumer(consumer);
    for (const key of ["d", "b", "a"]) consumer.settle(queue, "requeue", key);
    publish(queue, "f");
    expect(drain(queue)).toEqual(["a!", "b!", "d!", "e", "f"]);
    consumer.settle(queue, "requeue", "c");
    publish(queue, "g");
    expect(drain(queue)).toEqual(["c!", "g"]);
    expect(queue.counters.redelivered).toBe(4);
  });

  it("puts a message that was handed over at once back before those that came later", () => {
    const queue = new TestHost().queue();
    const consumer = consume(queue, { prefetch: 2 });
    publish(queue, "a", "b", "c");
    queue.removeConsumer(consumer);
    consumer.settle(queue, "requeue", "b");
    consumer.settle(queue, "requeue", "a");
    expect(drain(queue)).toEqual(["a!", "b!", "c"]);
  });

  it("settles a delivery once: what was settled or requeued cannot be settled again", () => {
    const queue = new TestHost().queue({ deadLetterExchange: "dlx" });
    publish(queue, "a");
    const consumer = consume(queue);
    const [held] = consumer.held;
    if (held === undefined) throw new Error("nothing was delivered");
    queue.removeConsumer(consumer);
    queue.requeue(held.segment, held.index);
    queue.ack(held.segment, held.index);
    queue.requeue(held.segment, held.index);
    expect([queue.ready, queue.unacked]).toEqual([1, 0]);
    expect(drain(queue)).toEqual(["a!"]);
    queue.reject(held.segment, held.index);
    expect([queue.ready, queue.unacked, queue.counters.acked]).toEqual([0, 0, 0]);
  });

  it("keeps its order over many segments that come and go", () => {
    const queue = new TestHost().queue();
    const body = Buffer.alloc(300_000);
    const consumer = consume(queue);
    for (let i = 0; i < 100; i++) queue.enqueue(message({ routingKey: `${i}`, body }), undefined, 0);
    // Every other message is acked, the rest is held for long: segments go in any order.
    for (let i = 0; i < 90; i += 2) consumer.settle(queue, "ack", `${i}`);
    queue.removeConsumer(consumer);
    for (const { key } of [...consumer.held]) consumer.settle(queue, "requeue", key);
    const left = drain(queue).map((key) => Number.parseInt(key, 10));
    expect(left).toEqual(left.toSorted((a, b) => a - b));
    expect(left).toHaveLength(100 - 45);
  });

  it("takes nothing once it is deleted", () => {
    const queue = new TestHost().queue();
    queue.delete();
    expect(queue.enqueue(persistent("a"), undefined, 0)).toBe("done");
    expect(queue.ready).toBe(0);
  });
});

describe("a queue with priorities", () => {
  it("delivers higher ones first, each in order; what is above the highest counts as that", () => {
    const queue = new TestHost().queue({ maxPriority: 5 });
    for (const [routingKey, priority] of [
      ["a", 0],
      ["b", 5],
      ["c", 3],
      ["d", 200],
      ["e", 3],
    ] as const) {
      queue.enqueue(message({ routingKey, priority }), undefined, 0);
    }
    publish(queue, "f");
    expect(drain(queue)).toEqual(["b", "d", "c", "e", "a", "f"]);
  });

  it("puts a requeued message back into its level", () => {
    const queue = new TestHost().queue({ maxPriority: 5 });
    queue.enqueue(message({ routingKey: "low" }), undefined, 0);
    queue.enqueue(message({ routingKey: "high", priority: 5 }), undefined, 0);
    const consumer = consume(queue, { prefetch: 2 });
    queue.removeConsumer(consumer);
    consumer.settle(queue, "requeue", "low");
    consumer.settle(queue, "requeue", "high");
    expect(drain(queue)).toEqual(["high!", "low!"]);
  });

  it("without them takes no notice of the property", () => {
    const queue = new TestHost().queue();
    queue.enqueue(message({ routingKey: "a" }), undefined, 0);
    queue.enqueue(message({ routingKey: "b", priority: 9 }), undefined, 0);
    expect(drain(queue)).toEqual(["a", "b"]);
  });
});

describe("basic.get", () => {
  it("gets the first message, or hears that there is none", () => {
    const queue = new TestHost().queue();
    publish(queue, "a");
    const [first, second] = [new TestGetter(false), new TestGetter()];
    queue.get(first);
    queue.get(second);
    expect([first.answer, second.answer, queue.unacked]).toEqual(["a", "", 1]);
    expect(queue.counters).toMatchObject({ got: 1, gotNoAck: 0 });
  });

  it("does not hear of a message that has expired", () => {
    const host = new TestHost();
    const queue = host.queue();
    queue.enqueue(message({ expiration: "10" }), undefined, 0);
    host.clock.advance(10);
    const getter = new TestGetter();
    queue.get(getter);
    expect(getter.answer).toBe("");
  });

  it("waits until the message has been read from the store", () => {
    const host = new TestHost();
    host.queue().enqueue(persistent("a"), undefined, 0);
    host.store.settle();
    const restarted = host.restarted();
    const queue = restarted.restore(restarted.queue());
    const [first, gone, second] = [new TestGetter(), new TestGetter(), new TestGetter()];
    for (const getter of [first, gone, second]) queue.get(getter);
    expect([first.answer, queue.ready]).toEqual([undefined, 1]);
    // Its channel was closed: it must not be answered, nor the message be lost on it.
    gone.waiting = false;
    restarted.store.settle();
    expect([first.answer, gone.answer, second.answer]).toEqual(["a", undefined, ""]);
  });

  it("is answered when the queue is purged or deleted meanwhile", () => {
    const host = new TestHost();
    host.queue().enqueue(persistent("a"), undefined, 0);
    host.store.settle();
    for (const end of ["purge", "delete"] as const) {
      const restarted = host.restarted();
      const queue = restarted.restore(restarted.queue());
      const getter = new TestGetter();
      queue.get(getter);
      queue[end]();
      restarted.store.settle();
      expect(getter.answer, end).toBe("");
    }
  });
});

describe("queue.purge", () => {
  it("drops what is ready and leaves what is unacked", () => {
    const host = new TestHost();
    const queue = host.queue({ deadLetterExchange: "dlx", maxPriority: 2 });
    publish(queue, "a", "b", "c");
    queue.enqueue(message({ routingKey: "d", priority: 2 }), undefined, 0);
    const consumer = consume(queue, { prefetch: 2 });
    queue.removeConsumer(consumer);
    expect(queue.purge()).toBe(2);
    expect([queue.ready, queue.readyBytes, queue.unacked, host.deadLetters]).toEqual([0, 0, 2, []]);
    consumer.settle(queue, "requeue", "d");
    publish(queue, "e");
    consumer.settle(queue, "requeue", "a");
    expect(drain(queue)).toEqual(["d!", "a!", "e"]);
  });

  it("drops what was never read from the store, on disk too", () => {
    const host = new TestHost();
    const queue = host.queue();
    for (const key of ["a", "b"]) queue.enqueue(persistent(key), undefined, 0);
    host.store.settle();
    const restarted = host.restarted();
    const again = restarted.restore(restarted.queue());
    expect([again.ready, again.purge(), again.ready]).toEqual([2, 2, 0]);
    again.enqueue(persistent("c"), undefined, 0);
    restarted.store.settle();
    expect(drain(again, restarted.store)).toEqual(["c"]);
    restarted.store.settle();
    expect(restarted.store.disk.state().segments).toEqual([]);
  });
});

describe("a restored queue", () => {
  function restored(...keys: string[]): { host: TestHost; queue: Queue } {
    const host = new TestHost();
    const before = host.queue();
    for (const key of keys) before.enqueue(persistent(key, { body: Buffer.from(key) }), undefined, 0);
    host.store.settle();
    const restarted = host.restarted();
    return { host: restarted, queue: restarted.restore(restarted.queue()) };
  }

  it("counts its messages before it has read them", () => {
    const { queue } = restored("a", "bc");
    expect([queue.ready, queue.readyBytes]).toEqual([2, 3]);
  });

  it("gives new messages after the old, though a consumer waits while these are read", () => {
    const { host, queue } = restored("a", "b");
    const consumer = consume(queue);
    publish(queue, "c");
    expect(consumer.got).toEqual([]);
    host.store.settle();
    publish(queue, "d");
    expect(consumer.got).toEqual(["a", "b", "c", "d"]);
  });

  it("reads a segment once, however often it is asked for", () => {
    const { host, queue } = restored("a", "b");
    for (let i = 0; i < 3; i++) queue.resume();
    const consumer = consume(queue, { prefetch: 1 });
    host.store.settle();
    expect([consumer.got, queue.ready]).toEqual([["a"], 1]);
  });
});

describe("a deleted queue", () => {
  it("tells its consumers, and takes no word of unacked messages any more", () => {
    const host = new TestHost();
    const queue = host.queue({ deadLetterExchange: "dlx" });
    publish(queue, "a", "b", "c");
    const consumer = consume(queue, { prefetch: 1 });
    const [held] = consumer.held;
    expect(queue.delete()).toBe(2);
    expect([queue.ready, queue.unacked, queue.consumerCount, consumer.isCancelled]).toEqual([0, 0, 0, true]);
    if (held !== undefined)
      for (const how of ["requeue", "reject", "ack"] as const) queue[how](held.segment, held.index);
    queue.removeConsumer(consumer);
    queue.resume();
    expect([queue.ready, queue.unacked, host.deadLetters, host.gone]).toEqual([0, 0, [], []]);
  });

  it("leaves nothing in the store, and what comes after it under its name stays", () => {
    const host = new TestHost();
    const queue = host.queue();
    queue.enqueue(persistent("a"), undefined, 0);
    host.store.settle();
    queue.enqueue(persistent("b"), undefined, 0);
    queue.delete();
    const next = host.queue({}, { id: 2 });
    next.enqueue(persistent("c"), undefined, 0);
    host.store.settle();
    expect(host.store.disk.state().segments).toMatchObject([{ queueId: 2, count: 1 }]);
  });
});

describe("x-expires", () => {
  it("ends a queue that nobody has used for so long", () => {
    const host = new TestHost();
    const queue = host.queue({ expiresMs: 100 });
    publish(queue, "a");
    host.clock.advance(99);
    expect(host.gone).toEqual([]);
    host.clock.advance(1);
    expect(host.gone).toEqual(["q unused"]);
  });

  it("counts from the last basic.get or declaration, and not while there are consumers", () => {
    const host = new TestHost();
    const queue = host.queue({ expiresMs: 100 });
    host.clock.advance(60);
    queue.get(new TestGetter());
    host.clock.advance(60);
    queue.touch();
    host.clock.advance(60);
    const consumer = consume(queue);
    host.clock.advance(1000);
    queue.touch();
    host.clock.advance(1000);
    expect(host.gone).toEqual([]);
    queue.removeConsumer(consumer);
    expect(host.gone).toEqual(["q unconsumed"]);
    host.clock.advance(99);
    expect(host.gone).toHaveLength(1);
    host.clock.advance(1);
    expect(host.gone).toEqual(["q unconsumed", "q unused"]);
  });

  it("is over when the queue is deleted", () => {
    const host = new TestHost();
    host.queue({ expiresMs: 100 }).delete();
    host.clock.advance(1000);
    expect(host.gone).toEqual([]);
    expect(host.clock.nextDue).toBeUndefined();
  });
});
