import { describe, expect, it } from "vitest";
import { message } from "../../support/messages.ts";
import { drain, persistent, publish, TestConsumer, TestHost } from "../../support/queue.ts";

const dlx = { deadLetterExchange: "dlx" };

describe("x-max-length", () => {
  it("drops from the head", () => {
    const host = new TestHost();
    const queue = host.queue({ maxLength: 2, ...dlx });
    publish(queue, "a", "b", "c", "d");
    expect([queue.ready, host.deadLetters]).toEqual([2, ["a maxlen", "b maxlen"]]);
    expect(drain(queue)).toEqual(["c", "d"]);
  });

  it("of 0 keeps nothing but what a consumer takes at once", () => {
    const queue = new TestHost().queue({ maxLength: 0 });
    publish(queue, "a");
    const consumer = new TestConsumer();
    queue.addConsumer(consumer);
    publish(queue, "b");
    expect([consumer.got, queue.ready]).toEqual([["b"], 0]);
  });

  it("counts ready messages only, and looks again when some are put back", () => {
    const host = new TestHost();
    const queue = host.queue({ maxLength: 2, ...dlx });
    const consumer = new TestConsumer({ prefetch: 2 });
    queue.addConsumer(consumer);
    publish(queue, "a", "b", "c", "d");
    expect([queue.ready, queue.unacked]).toEqual([2, 2]);
    queue.removeConsumer(consumer);
    consumer.settle(queue, "requeue", "b");
    expect([drain(queue), host.deadLetters]).toEqual([["c", "d"], ["b maxlen"]]);
  });

  it("drops messages that must first be read from the store once they are", () => {
    const host = new TestHost();
    const before = host.queue();
    for (const key of ["a", "b", "c"]) before.enqueue(persistent(key), undefined, 0);
    host.store.settle();
    const restarted = host.restarted();
    const queue = restarted.restore(restarted.queue({ maxLength: 2, ...dlx }));
    publish(queue, "d");
    expect(queue.ready).toBe(4);
    restarted.store.settle();
    expect([queue.ready, restarted.deadLetters]).toEqual([2, ["a maxlen", "b maxlen"]]);
    expect(drain(queue)).toEqual(["c", "d"]);
  });

  it("drops higher priorities first, since they are the head", () => {
    const queue = new TestHost().queue({ maxLength: 2, maxPriority: 1 });
    for (const [routingKey, priority] of [
      ["a", 0],
      ["b", 1],
      ["c", 0],
    ] as const) {
      queue.enqueue(message({ routingKey, priority }), undefined, 0);
    }
    expect(drain(queue)).toEqual(["a", "c"]);
  });
});

describe("x-max-length-bytes", () => {
  it("counts bodies, and drops as many messages as it takes", () => {
    const host = new TestHost();
    const queue = host.queue({ maxLengthBytes: 100, ...dlx });
    for (const size of [40, 40, 20, 90]) {
      queue.enqueue(message({ routingKey: `${size}`, body: Buffer.alloc(size) }), undefined, 0);
    }
    expect([queue.readyBytes, host.deadLetters]).toEqual([90, ["40 maxlen", "40 maxlen", "20 maxlen"]]);
  });

  it("drops a message that alone is too large", () => {
    const queue = new TestHost().queue({ maxLengthBytes: 100 });
    queue.enqueue(message({ body: Buffer.alloc(101) }), undefined, 0);
    expect([queue.ready, queue.readyBytes]).toEqual([0, 0]);
  });
});

describe("x-overflow", () => {
  it("reject-publish refuses what comes when the queue is full", () => {
    const host = new TestHost();
    const queue = host.queue({ maxLength: 1, overflow: "reject-publish", ...dlx });
    const results = ["a", "b"].map((routingKey) => queue.enqueue(message({ routingKey }), undefined, 0));
    expect([results, host.deadLetters]).toEqual([["done", "rejected"], []]);
    expect([drain(queue), queue.counters.published]).toEqual([["a"], 1]);
    expect(queue.enqueue(message({}), undefined, 0)).toBe("done");
  });

  it("reject-publish goes by bytes too, those of the message included", () => {
    const queue = new TestHost().queue({ maxLengthBytes: 10, overflow: "reject-publish" });
    const results = [9, 9, 1].map((size) => queue.enqueue(message({ body: Buffer.alloc(size) }), undefined, 0));
    expect(results).toEqual(["done", "rejected", "done"]);
  });

  it("reject-publish-dlx sends it to the dead-letter exchange", () => {
    const host = new TestHost();
    const queue = host.queue({ maxLength: 1, overflow: "reject-publish-dlx", ...dlx });
    publish(queue, "a", "b");
    expect([drain(queue), host.deadLetters]).toEqual([["a"], ["b maxlen"]]);
  });
});
