import { describe, expect, it } from "vitest";
import { Segment, segmentMessagesMax } from "../../../src/queue/segment.ts";
import { Message } from "../../../src/record.ts";
import { GatheredBatch } from "../../../src/store/batch.ts";
import type { BatchSource } from "../../../src/store/store.ts";
import { bodyOf, message, record } from "../../support/messages.ts";
import { DrivenStore, persistent, WaiterLog } from "../../support/queue.ts";
import { segment as segmentRow } from "../../support/store.ts";

function memorySegment(): Segment {
  return new Segment(7, 1, 0, undefined);
}

function keyAt(segment: Segment, index: number): string {
  return new Message().setRecord(segment.bytes(index), segment.start(index), segment.end(index)).routingKey;
}

function readyKeys(segment: Segment): string[] {
  const keys: string[] = [];
  for (let i = segment.nextReady(0); i < segment.count; i = segment.nextReady(i + 1)) keys.push(keyAt(segment, i));
  return keys;
}

describe("a segment", () => {
  it("keeps messages as they were, in order", () => {
    const segment = memorySegment();
    const sizes = [0, 10, 5000, 70_000, 16_384, 200];
    for (const size of sizes) segment.append(message({ routingKey: `k${size}`, body: Buffer.alloc(size, size) }), 0);
    expect([segment.count, segment.live]).toEqual([6, 6]);
    for (const [i, size] of sizes.entries()) {
      const kept = new Message().setRecord(segment.bytes(i), segment.start(i), segment.end(i));
      expect([kept.routingKey, segment.bodySize(i)]).toEqual([`k${size}`, size]);
      expect(bodyOf(kept).equals(Buffer.alloc(size, size))).toBe(true);
    }
  });

  it("takes messages off in any order", () => {
    const segment = memorySegment();
    for (const routingKey of ["a", "b", "c", "d"]) segment.append(message({ routingKey }), 0);
    segment.markUnacked(0);
    segment.settle(2, false);
    expect(readyKeys(segment)).toEqual(["b", "d"]);
    segment.markReady(0);
    expect([readyKeys(segment), segment.isRedelivered(0), segment.isRedelivered(1)]).toEqual([
      ["a", "b", "d"],
      true,
      false,
    ]);
    expect([segment.live, segment.isUnacked(0), segment.isReady(2), segment.isReady(99)]).toEqual([
      3,
      false,
      false,
      false,
    ]);
  });

  it("uses its memory again once all are settled", () => {
    const segment = memorySegment();
    segment.append(message({ routingKey: "a", body: Buffer.alloc(1000) }), 0);
    const { buffer } = segment.bytes(0);
    for (let i = 0; i < 10_000; i++) {
      segment.settle(i, false);
      segment.append(message({ routingKey: `${i}`, body: Buffer.alloc(1000) }), 0);
    }
    expect(segment.bytes(10_000).buffer).toBe(buffer);
    expect([segment.closed, keyAt(segment, 10_000), segment.bodySize(10_000)]).toEqual([false, "9999", 1000]);
  });

  it("does not use the memory of those that are unacked", () => {
    const segment = memorySegment();
    segment.append(message({ routingKey: "a" }), 0);
    segment.append(message({ routingKey: "b" }), 0);
    segment.markUnacked(1);
    segment.settle(0, false);
    segment.append(message({ routingKey: "c" }), 0);
    expect([keyAt(segment, 1), keyAt(segment, 2)]).toEqual(["b", "c"]);
  });

  it("shares large records with other queues instead of copying them", () => {
    const large = message({ routingKey: "k", body: Buffer.alloc(20_000) });
    const segments = [memorySegment(), memorySegment()];
    for (const segment of segments) segment.append(large, 0);
    expect(segments[0]?.bytes(0)).toBe(segments[1]?.bytes(0));
    segments[0]?.settle(0, false);
    expect(segments[1] && keyAt(segments[1], 0)).toBe("k");
  });

  it("copies small records out of the memory they came in", () => {
    const segment = memorySegment();
    const bytes = record({ routingKey: "k", body: Buffer.from("body") });
    segment.append(new Message().setRecord(bytes, 0, bytes.length), 0);
    bytes.fill(0);
    expect(keyAt(segment, 0)).toBe("k");
  });

  it.each([
    ["a megabyte of small messages", 10_000],
    ["a megabyte of large ones", 100_000],
  ])("takes no more after %s", (_name, size) => {
    const segment = memorySegment();
    let bytes = 0;
    while (!segment.closed) {
      const next = message({ body: Buffer.alloc(size) });
      bytes += next.size;
      segment.append(next, 0);
    }
    expect(bytes).toBeGreaterThanOrEqual(1024 * 1024);
    expect(bytes).toBeLessThan(1024 * 1024 + size + 100);
  });

  it("takes no more after as many as its index counts", () => {
    const segment = memorySegment();
    const empty = message({});
    for (let i = 0; i < segmentMessagesMax; i++) {
      expect(segment.closed).toBe(false);
      segment.append(empty, 0);
      segment.settle(i, false);
    }
    expect([segment.closed, segment.count, segment.live]).toEqual([true, segmentMessagesMax, 0]);
  });

  it("gives its buffer to the next when it is done, but not one that was read from the store", () => {
    const full = memorySegment();
    while (!full.closed) full.append(message({ body: Buffer.alloc(10_000) }), 0);
    const own = full.bytes(0);
    // As large as a segment's buffer, and a record that a socket is given without a copy.
    const bytes = record({ body: Buffer.alloc(own.length) }).subarray(-own.length);
    const stored = Segment.stored(segmentRow(1, 1), new DrivenStore());
    stored.fill({
      indexes: Uint32Array.of(0),
      flags: Uint32Array.of(0),
      expiresAt: Float64Array.of(0),
      ends: Uint32Array.of(bytes.length),
      bytes,
    });
    const next = (): Buffer => {
      const segment = memorySegment();
      segment.expectLike(full);
      segment.append(message({}), 0);
      return segment.bytes(0);
    };
    stored.free();
    expect(next()).not.toBe(bytes);
    const again = memorySegment();
    while (!again.closed) again.append(message({ body: Buffer.alloc(10_000) }), 0);
    full.free();
    const last = memorySegment();
    last.expectLike(again);
    last.append(message({}), 0);
    expect(last.bytes(0)).toBe(own);
  });

  it("knows where each message stands in its queue", () => {
    const [first, second] = [new Segment(1, 1, 0, undefined), new Segment(2, 1, 0, undefined)];
    expect(first.position(segmentMessagesMax - 1)).toBeLessThan(second.position(0));
  });

  it("remembers when messages expire, however many come before", () => {
    const segment = memorySegment();
    for (let i = 0; i < 100; i++) segment.append(message({}), 0);
    segment.append(message({}), 5000);
    for (let i = 0; i < 100; i++) segment.append(message({}), 6000 + i);
    expect([segment.expiresAt(0), segment.expiresAt(100), segment.expiresAt(200)]).toEqual([0, 5000, 6099]);
    expect(segment.firstExpiresAt).toBe(5000);
  });

  it("forgets everything when it is discarded, and tells who waited", () => {
    const store = new DrivenStore();
    const segment = new Segment(1, 1, 0, store);
    const waiter = new WaiterLog();
    for (const tag of [1, 2, 3]) segment.wait(segment.append(persistent(`${tag}`), 0), waiter, tag);
    segment.settle(1, false);
    segment.discard();
    expect(waiter.told).toEqual([2, 1, 3]);
    expect([segment.live, segment.closed, readyKeys(segment)]).toEqual([0, true, []]);
    store.settle();
    expect(waiter.told).toEqual([2, 1, 3]);
  });
});

describe("a segment in the store", () => {
  function storedSegment(): { store: DrivenStore; segment: Segment; commit: () => void; again: () => Segment } {
    const store = new DrivenStore();
    const segment = new Segment(1, 9, 3, store);
    const commit = (): void => {
      segment.storeWithin(0);
      store.settle();
    };
    const again = (): Segment => {
      const [row] = store.disk.state().segments;
      if (row === undefined) throw new Error("nothing is stored");
      const other = Segment.stored(row, new DrivenStore(store.disk));
      other.fill(store.disk.messages(1));
      return other;
    };
    return { store, segment, commit, again };
  }

  it("has the persistent messages that are not settled, with their places and times", () => {
    const { store, segment, commit, again } = storedSegment();
    segment.append(persistent("a"), 0);
    segment.append(message({ routingKey: "transient" }), 0);
    segment.append(persistent("b", { body: Buffer.alloc(100) }), 7000);
    segment.append(persistent("c"), 0);
    segment.settle(3, false);
    commit();
    expect(store.disk.state().segments).toEqual([
      { number: 1, queueId: 9, level: 3, count: 2, bodyBytes: 100, deliveredTo: 0, firstExpiresAt: 7000, ttlMs: -1 },
    ]);
    const read = again();
    expect([read.count, read.live, readyKeys(read)]).toEqual([3, 2, ["a", "b"]]);
    expect([read.expiresAt(0), read.expiresAt(2), read.firstExpiresAt, read.closed]).toEqual([0, 7000, 7000, true]);
  });

  it("loses those that are settled later, in whatever order", () => {
    const { store, segment, commit, again } = storedSegment();
    for (const key of ["a", "b", "c", "d", "e", "f"]) segment.append(persistent(key, { body: Buffer.from(key) }), 0);
    commit();
    for (const index of [4, 1, 2, 0]) segment.settle(index, false);
    commit();
    expect(store.disk.state().segments).toMatchObject([{ count: 2, bodyBytes: 2 }]);
    expect(readyKeys(again())).toEqual(["d", "f"]);
    segment.settle(3, false);
    segment.append(persistent("g"), 0);
    commit();
    expect(readyKeys(again())).toEqual(["f", "g"]);
  });

  it("knows after a restart which have been delivered before", () => {
    const { segment, commit, again } = storedSegment();
    for (const key of ["a", "b", "c"]) segment.append(persistent(key), 0);
    segment.markUnacked(0);
    commit();
    segment.markUnacked(1);
    segment.markReady(1);
    commit();
    const read = again();
    expect([0, 1, 2].map((index) => read.isRedelivered(index))).toEqual([true, true, false]);
  });

  it("can be settled after it was read back, and then leaves the store", () => {
    const { store, segment, commit } = storedSegment();
    for (const key of ["a", "b"]) segment.append(persistent(key), 0);
    commit();
    const restarted = new DrivenStore(store.disk);
    const [row] = store.disk.state().segments;
    const read = row && Segment.stored(row, restarted);
    read?.fill(store.disk.messages(1));
    read?.settle(0, false);
    restarted.settle();
    expect(store.disk.state().segments).toMatchObject([{ count: 1 }]);
    read?.settle(1, false);
    restarted.settle();
    expect([store.disk.state().segments, store.disk.messages(1).indexes.length]).toEqual([[], 0]);
  });

  it("never writes a message that was settled before it was handed over", () => {
    const { store, segment } = storedSegment();
    segment.append(persistent("a"), 0);
    segment.storeWithin(0);
    segment.settle(0, false);
    store.settle();
    expect(store.disk.state()).toMatchObject({ segments: [], lastSegment: 0 });
  });

  it("writes each message once", () => {
    const { store, segment, commit } = storedSegment();
    const sources: BatchSource[] = [];
    const mark = store.mark.bind(store);
    store.mark = (source, withinMs) => {
      sources.push(source);
      mark(source, withinMs);
    };
    segment.append(persistent("a"), 0);
    commit();
    segment.append(persistent("b"), 0);
    const batch = new GatheredBatch(1);
    sources[0]?.pack(batch, true);
    const bytes = Buffer.from(batch.memory, 0, batch.length);
    expect([bytes.includes("\u0001b"), bytes.includes("\u0001a")]).toEqual([true, false]);
  });
});
