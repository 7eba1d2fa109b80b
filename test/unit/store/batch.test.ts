import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyBatch, type BatchTarget, GatheredBatch } from "../../../src/store/batch.ts";
import type { StoredSegment } from "../../../src/store/store.ts";
import { segment } from "../../support/store.ts";

type Operation =
  | { name: "segment"; state: StoredSegment }
  | { name: "message"; segment: number; index: number; flags: number; expiresAt: number; record: string }
  | { name: "restate"; segment: number; index: number; flags: number; expiresAt: number }
  | { name: "settled"; segment: number; from: number; to: number }
  | { name: "drop"; segment: number };

function perform(operation: Operation, target: BatchTarget): void {
  switch (operation.name) {
    case "segment":
      target.segment(operation.state);
      break;
    case "message": {
      const { segment, index, flags, expiresAt } = operation;
      const bytes = Buffer.from(`<${operation.record}>`, "latin1");
      target.message(segment, index, flags, expiresAt, bytes, 1, bytes.length - 1);
      break;
    }
    case "restate":
      target.restate(operation.segment, operation.index, operation.flags, operation.expiresAt);
      break;
    case "settled":
      target.settled(operation.segment, operation.from, operation.to);
      break;
    case "drop":
      target.dropSegment(operation.segment);
      break;
    default:
      operation satisfies never;
  }
}

/** Notes what it is told, as the operations that would tell it. */
class Notes implements BatchTarget {
  readonly operations: Operation[] = [];

  segment(state: StoredSegment): void {
    this.operations.push({ name: "segment", state });
  }

  message(
    segment: number,
    index: number,
    flags: number,
    expiresAt: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const record = bytes.toString("latin1", start, end);
    this.operations.push({ name: "message", segment, index, flags, expiresAt, record });
  }

  restate(segment: number, index: number, flags: number, expiresAt: number): void {
    this.operations.push({ name: "restate", segment, index, flags, expiresAt });
  }

  settled(segment: number, from: number, to: number): void {
    this.operations.push({ name: "settled", segment, from, to });
  }

  dropSegment(segment: number): void {
    this.operations.push({ name: "drop", segment });
  }
}

function applied(batch: GatheredBatch): Operation[] {
  const notes = new Notes();
  applyBatch(Buffer.from(batch.memory, 0, batch.length), notes);
  return notes.operations;
}

const number = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 37 }));
const index = fc.integer({ min: 0, max: 65_535 });
const time = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 53 - 1 }));
const size = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const state = fc.record({
  number,
  queueId: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  level: fc.integer({ min: 0, max: 255 }),
  count: size,
  bodyBytes: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  deliveredTo: size,
  firstExpiresAt: time,
  ttlMs: fc.integer({ min: -1, max: 2 ** 40 }),
});
const record = fc.uint8Array({ maxLength: 100, size: "max" }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ name: fc.constant("segment" as const), state }),
  fc.record({
    name: fc.constant("message" as const),
    segment: number,
    index,
    flags: fc.integer({ min: 0, max: 255 }),
    expiresAt: time,
    record,
  }),
  fc.record({ name: fc.constant("restate" as const), segment: number, index, flags: size, expiresAt: time }),
  fc.record({ name: fc.constant("settled" as const), segment: number, from: index, to: size }),
  fc.record({ name: fc.constant("drop" as const), segment: number }),
);

describe("A batch", () => {
  it("is applied as it was gathered, also in memory that has been used before", () => {
    const batch = new GatheredBatch(1);
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        batch.reset(1);
        for (const each of operations) perform(each, batch);
        expect(applied(batch)).toEqual(operations);
        expect(batch.isEmpty).toBe(operations.length === 0);
      }),
    );
  });

  it("restates a message whose flags are more than one byte", () => {
    const batch = new GatheredBatch(1);
    const message = { name: "message", segment: 1, index: 7, flags: 0x1234_5678, expiresAt: 5, record: "r" } as const;
    perform(message, batch);
    const { record: _, ...rest } = message;
    expect(applied(batch).at(-1)).toEqual({ ...rest, name: "restate" });
  });

  it("grows with what is put into it", () => {
    const batch = new GatheredBatch(1);
    const big = { name: "message", segment: 1, flags: 0, expiresAt: 0, record: "x".repeat(70_000) } as const;
    const operations = Array.from({ length: 50 }, (_, at) => ({ ...big, index: at }));
    for (const each of operations) perform(each, batch);
    expect(applied(batch)).toEqual(operations);
  });

  it("keeps its memory for the next, unless that grew beyond 8 MiB", () => {
    const batch = new GatheredBatch(1);
    batch.message(1, 0, 0, 0, Buffer.alloc(5_000_000), 0, 5_000_000);
    batch.reset(2);
    expect(batch.memory.byteLength).toBe(8 * 1024 * 1024);
    batch.message(1, 0, 0, 0, Buffer.alloc(9_000_000), 0, 9_000_000);
    batch.reset(3);
    expect(batch.memory.byteLength).toBe(0);
  });

  it("refuses an index that no segment has", () => {
    const batch = new GatheredBatch(1);
    batch.segment(segment(1, 1));
    expect(() => batch.message(1, 65_536, 0, 0, Buffer.alloc(1), 0, 1)).toThrow("index beyond its segment");
  });

  it("that is damaged is not applied in silence", () => {
    expect(() => applyBatch(Buffer.of(77), new Notes())).toThrow("no operation 77 in a batch");
  });
});
