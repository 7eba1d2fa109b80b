import { describe, expect, it } from "vitest";
import { newQueueCounters } from "../../../src/queue/queue-counters.ts";
import { QuickAcks } from "../../../src/queue/quick-acks.ts";
import { Segment } from "../../../src/queue/segment.ts";
import { GatheredBatch } from "../../../src/store/batch.ts";
import type { BatchSource } from "../../../src/store/store.ts";
import { DrivenStore, persistent, WaiterLog } from "../../support/queue.ts";

/** A segment of a durable queue whose batches are packed by hand. */
function held(): { segment: Segment; pack: (all: boolean) => { left: boolean; text: string }; acks: QuickAcks } {
  const store = new DrivenStore();
  let source: BatchSource | undefined;
  store.mark = (marked) => {
    source = marked;
  };
  const acks = new QuickAcks();
  const segment = new Segment(1, 9, 0, store, undefined, { acks, counters: newQueueCounters() });
  const pack = (all: boolean): { left: boolean; text: string } => {
    const batch = new GatheredBatch(1);
    const left = source?.pack(batch, all) ?? false;
    return { left, text: Buffer.from(batch.memory, 0, batch.length).toString("latin1") };
  };
  return { segment, pack, acks };
}

describe("a message that a consumer has", () => {
  it("is held back from one batch and written with the next", () => {
    const { segment, pack } = held();
    segment.append(persistent("early"), 0);
    segment.storeWithin(2);
    expect(pack(false)).toEqual({ left: true, text: "" });
    segment.append(persistent("later"), 0);
    const second = pack(false);
    expect([second.left, second.text.includes("early"), second.text.includes("later")]).toEqual([true, true, false]);
    const third = pack(false);
    expect([third.left, third.text.includes("early"), third.text.includes("later")]).toEqual([false, false, true]);
  });

  it("is never written when its ack comes meanwhile, and its publisher hears of it with the ack", () => {
    const { segment, pack } = held();
    const waiter = new WaiterLog();
    segment.append(persistent("a"), 0);
    segment.wait(0, waiter, 7);
    segment.storeWithin(2);
    pack(false);
    segment.settle(0, false);
    expect(waiter.told).toEqual([7]);
    expect(pack(false)).toEqual({ left: false, text: "" });
  });

  it("goes with the batch that must have everything", () => {
    const { segment, pack } = held();
    segment.append(persistent("a"), 0);
    segment.storeWithin(2);
    const { left, text } = pack(true);
    expect([left, text.includes("a")]).toEqual([false, true]);
  });

  it("does not wait when another one of its segment must not", () => {
    const { segment, pack } = held();
    segment.append(persistent("early"), 0);
    segment.storeWithin(2);
    segment.append(persistent("later"), 0);
    segment.storeWithin(0);
    const { left, text } = pack(false);
    expect([left, text.includes("early"), text.includes("later")]).toEqual([false, true, true]);
  });
});

describe("holding back", () => {
  it("is given up where each message had to be written after all", () => {
    const { segment, pack, acks } = held();
    let expected = 0;
    for (; expected < 1000 && acks.expected(); expected++) {
      segment.append(persistent(`${expected}`), 0);
      segment.storeWithin(2);
      pack(false);
      pack(false);
    }
    expect(expected).toBeLessThan(100);
  });

  it("rests for a while once more messages had to be written after all than were acked in time", () => {
    const acks = new QuickAcks();
    for (let i = 0; i < 100; i++) acks.inTime();
    acks.late(100);
    expect(acks.expected()).toBe(true);
    acks.late(65);
    expect(acks.expected()).toBe(false);
    let asked = 0;
    while (!acks.expected()) asked++;
    expect(asked).toBeGreaterThan(1000);
    expect(acks.expected()).toBe(true);
  });
});
