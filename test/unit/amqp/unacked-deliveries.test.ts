import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnackedDeliveries } from "../../../src/protocol/amqp/unacked.ts";
import { Segment } from "../../../src/queue/segment.ts";
import { TestHost } from "../../support/queue.ts";

const queue = new TestHost().queue();
const segment = new Segment(1, 1, 0, undefined);

function add(unacked: UnackedDeliveries, index = 0): number {
  return unacked.add(queue, segment, index, undefined);
}

describe("unacked deliveries", () => {
  it("are numbered from 1, those that need no ack too", () => {
    const unacked = new UnackedDeliveries();
    expect([unacked.lastTag, add(unacked), unacked.skip(), add(unacked), unacked.lastTag]).toEqual([0, 1, 2, 3, 3]);
    expect([unacked.count, unacked.has(1), unacked.has(2), unacked.has(3), unacked.has(4)]).toEqual([
      2,
      true,
      false,
      true,
      false,
    ]);
  });

  it("are taken once", () => {
    const unacked = new UnackedDeliveries();
    add(unacked, 7);
    expect(unacked.take(1)).toEqual({ tag: 1, queue, segment, index: 7, owner: undefined });
    expect([unacked.take(1), unacked.take(0), unacked.take(-1), unacked.take(2 ** 53), unacked.count]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      0,
    ]);
  });

  it("are what a plain map of them would be, whatever is taken in whatever order", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ what: fc.constant("add"), n: fc.nat(50) }) },
      { weight: 5, arbitrary: fc.record({ what: fc.constantFrom("take", "skip"), n: fc.nat(200) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("takeFirst", "tagsUpTo"), n: fc.nat(200) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
        const unacked = new UnackedDeliveries();
        const model = new Map<number, number>();
        for (const { what, n } of steps) {
          if (what === "add") model.set(add(unacked, n), n);
          else if (what === "skip") unacked.skip();
          else if (what === "take") {
            expect(unacked.has(n)).toBe(model.has(n));
            expect(unacked.take(n)?.index).toBe(model.get(n));
            model.delete(n);
          } else if (what === "takeFirst") {
            const [first] = [...model.keys()].filter((tag) => tag <= n);
            expect(unacked.takeFirst(n)?.tag).toBe(first);
            if (first !== undefined) model.delete(first);
          } else expect(unacked.tagsUpTo(n)).toEqual([...model.keys()].filter((tag) => tag <= n));
          expect(unacked.count).toBe(model.size);
        }
      }),
    );
  });

  it("cost nothing for one that is held while a million come and go", () => {
    const unacked = new UnackedDeliveries();
    const held = [1, 2, 3].map(() => add(unacked));
    for (let i = 0; i < 1_000_000; i++) unacked.take(add(unacked));
    expect(unacked.capacity).toBe(16);
    expect([held.every((tag) => unacked.has(tag)), unacked.count, unacked.lastTag]).toEqual([true, 3, 1_000_003]);
  });

  it("have room for all that are held, and for not many more", () => {
    const unacked = new UnackedDeliveries();
    for (let i = 0; i < 10_000; i++) {
      add(unacked);
      if (i % 3 > 0) unacked.take(unacked.lastTag);
    }
    expect(unacked.count).toBe(3334);
    expect(unacked.capacity).toBeLessThanOrEqual(4 * 3334);
  });
});
