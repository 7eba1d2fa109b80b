import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConsumerTurns } from "../../../src/queue/consumer-turns.ts";
import { publish, TestConsumer, TestHost } from "../../support/queue.ts";

function consumers(...tags: string[]): TestConsumer[] {
  return tags.map((tag) => new TestConsumer({ tag, priority: tag.charCodeAt(0) - 97 }));
}

/** Whose turns come next; tags start with the priority, a the lowest. */
function turns(line: ConsumerTurns, count: number): string {
  return Array.from({ length: count }, () => line.next()?.tag ?? "-").join(" ");
}

describe("consumers of a queue", () => {
  it("take turns", () => {
    const line = new ConsumerTurns();
    for (const consumer of consumers("a1", "a2", "a3")) line.add(consumer);
    expect(turns(line, 7)).toBe("a1 a2 a3 a1 a2 a3 a1");
  });

  it("of a higher priority come first while they have credit", () => {
    const line = new ConsumerTurns();
    const [low, high, alsoHigh, middle] = consumers("a", "c1", "c2", "b");
    for (const consumer of [low, high, alsoHigh, middle]) if (consumer !== undefined) line.add(consumer);
    expect(turns(line, 3)).toBe("c1 c2 c1");
    for (const consumer of [high, alsoHigh]) if (consumer !== undefined) consumer.prefetch = 0;
    expect(turns(line, 2)).toBe("b b");
    if (middle !== undefined) middle.prefetch = 0;
    expect(turns(line, 2)).toBe("a a");
    if (high !== undefined) {
      high.prefetch = 1;
      line.add(high);
    }
    expect(turns(line, 2)).toBe("c1 c1");
  });

  it("without credit step out, and join again at the end", () => {
    const line = new ConsumerTurns();
    const [first, second] = consumers("a1", "a2");
    if (first === undefined || second === undefined) throw new Error("two were made");
    line.add(first);
    line.add(second);
    first.prefetch = 0;
    expect(turns(line, 2)).toBe("a2 a2");
    first.prefetch = 1;
    expect(turns(line, 2)).toBe("a2 a2");
    line.add(first);
    line.add(first);
    expect(turns(line, 4)).toBe("a2 a1 a2 a1");
    line.remove(second);
    line.remove(second);
    expect(turns(line, 2)).toBe("a1 a1");
    line.remove(first);
    expect(turns(line, 1)).toBe("-");
  });

  it("get their fair share, whoever comes, goes, loses credit or gets it back", () => {
    const step = fc.record({ what: fc.constantFrom("add", "remove", "lose", "serve"), who: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const line = new ConsumerTurns();
        const all = consumers("a0", "a1", "a2", "b0", "b1", "c0");
        let model: TestConsumer[] = [];
        for (const { what, who } of steps) {
          const consumer = all[who];
          if (consumer === undefined) continue;
          if (what === "add") {
            consumer.prefetch = 1;
            line.add(consumer);
            if (!model.includes(consumer)) model.push(consumer);
          } else if (what === "remove") {
            line.remove(consumer);
            model = model.filter((other) => other !== consumer);
          } else if (what === "lose") {
            consumer.prefetch = 0;
          } else {
            // Those found without credit leave, as far as one has to look.
            let expected: TestConsumer | undefined;
            for (const next of model.toSorted((a, b) => b.priority - a.priority)) {
              model = model.filter((other) => other !== next);
              if (!next.hasCredit()) continue;
              model.push(next);
              expected = next;
              break;
            }
            expect(line.next()?.tag).toBe(expected?.tag);
          }
        }
      }),
    );
  });
});

describe("an exclusive consumer", () => {
  it("is alone, and lets nobody else in", () => {
    const queue = new TestHost().queue();
    const exclusive = new TestConsumer({ exclusive: true });
    const other = new TestConsumer();
    queue.checkExclusiveUse(exclusive);
    queue.addConsumer(exclusive);
    const text = "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use";
    expect(() => queue.checkExclusiveUse(other)).toThrow(text);
    queue.removeConsumer(exclusive);
    queue.checkExclusiveUse(other);
    queue.addConsumer(other);
    expect(() => queue.checkExclusiveUse(exclusive)).toThrow(text);
  });
});

describe("a single active consumer", () => {
  it("gets everything until it goes; then the next one does", () => {
    const queue = new TestHost().queue({ singleActiveConsumer: true });
    const [first, second] = [new TestConsumer({ prefetch: 1 }), new TestConsumer()];
    queue.addConsumer(first);
    queue.addConsumer(second);
    publish(queue, "a", "b", "c");
    queue.consumerReady(second);
    expect([first.got, second.got]).toEqual([["a"], []]);
    first.settle(queue, "ack");
    expect(first.got).toEqual(["a", "b"]);
    queue.removeConsumer(first);
    expect(second.got).toEqual(["c"]);
    first.settle(queue, "requeue");
    expect(second.got).toEqual(["c", "b!"]);
  });
});
