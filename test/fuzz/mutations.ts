import fc from "fast-check";
import { type Frame, wire } from "./corpus.ts";

/** One change to a list of frames; numbers are taken modulo what there is. */
export type Mutation =
  | { readonly kind: "set"; readonly frame: number; readonly at: number; readonly byte: number }
  | {
      readonly kind: "number";
      readonly frame: number;
      readonly at: number;
      readonly size: 2 | 4 | 8;
      readonly value: bigint;
    }
  | { readonly kind: "cut"; readonly frame: number; readonly at: number; readonly size: number }
  | { readonly kind: "insert"; readonly frame: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "repeat"; readonly frame: number; readonly times: number }
  | { readonly kind: "drop"; readonly frame: number }
  | { readonly kind: "swap"; readonly frame: number; readonly other: number }
  | { readonly kind: "type"; readonly frame: number; readonly type: number }
  | { readonly kind: "channel"; readonly frame: number; readonly channel: number }
  | { readonly kind: "method"; readonly frame: number; readonly classId: number; readonly methodId: number };

/** A change to the bytes as they go over the wire, below the frames. */
export type RawMutation = { readonly at: number; readonly byte: number } | { readonly end: number };

const place = fc.nat(4095);
const frame = fc.nat(15);
const telling = fc.constantFrom(
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  2n ** 63n,
);

/** What may be done to frames. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), frame, at: place, byte: fc.nat(255) }),
  fc.record({
    kind: fc.constant("number" as const),
    frame,
    at: place,
    size: fc.constantFrom(2 as const, 4 as const, 8 as const),
    value: telling,
  }),
  fc.record({ kind: fc.constant("cut" as const), frame, at: place, size: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant("insert" as const),
    frame,
    at: place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 32 }),
  }),
  fc.record({ kind: fc.constant("repeat" as const), frame, times: fc.integer({ min: 2, max: 4 }) }),
  fc.record({ kind: fc.constant("drop" as const), frame }),
  fc.record({ kind: fc.constant("swap" as const), frame, other: frame }),
  fc.record({ kind: fc.constant("type" as const), frame, type: fc.constantFrom(1, 2, 3, 4, 8, 0, 255) }),
  fc.record({ kind: fc.constant("channel" as const), frame, channel: fc.constantFrom(0, 1, 2, 2047, 65_535) }),
  fc.record({
    kind: fc.constant("method" as const),
    frame,
    classId: fc.constantFrom(10, 20, 30, 40, 50, 60, 85, 90, 0, 65_535),
    methodId: fc.oneof(
      fc.constantFrom(10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 70, 71, 72, 80, 90, 100, 110, 120),
      fc.nat(65_535),
    ),
  }),
);

/** What may be done to the bytes below: a length or an end octet that is wrong, a stream that ends too soon. */
export const rawMutation: fc.Arbitrary<RawMutation> = fc.oneof(
  fc.record({ at: place, byte: fc.nat(255) }),
  fc.record({ end: place }),
);

/** Makes the changes, one after the other; frames stay well-formed. */
export function mutate(frames: readonly Frame[], mutations: readonly Mutation[]): Frame[] {
  const all = [...frames];
  for (const each of mutations) if (all.length > 0) apply(all, each);
  return all;
}

function apply(all: Frame[], mutation: Mutation): void {
  const index = mutation.frame % all.length;
  const found = all[index];
  if (found === undefined) return;
  const { payload } = found;
  const put = (changed: Buffer): void => {
    all[index] = { ...found, payload: changed };
  };
  switch (mutation.kind) {
    case "set":
      return put(overwritten(payload, mutation.at, Buffer.of(mutation.byte)));
    case "number":
      return put(overwritten(payload, mutation.at, bytesOf(mutation.value, mutation.size)));
    case "method":
      return put(
        overwritten(
          payload,
          0,
          Buffer.concat([bytesOf(BigInt(mutation.classId), 2), bytesOf(BigInt(mutation.methodId), 2)]),
        ),
      );
    case "cut": {
      const at = mutation.at % (payload.length + 1);
      return put(Buffer.concat([payload.subarray(0, at), payload.subarray(at + mutation.size)]));
    }
    case "insert": {
      const at = mutation.at % (payload.length + 1);
      return put(Buffer.concat([payload.subarray(0, at), mutation.bytes, payload.subarray(at)]));
    }
    case "repeat":
      all.splice(index, 1, ...Array<Frame>(mutation.times).fill(found));
      return;
    case "drop":
      all.splice(index, 1);
      return;
    case "swap": {
      const other = mutation.other % all.length;
      [all[index], all[other]] = [all[other] ?? found, found];
      return;
    }
    case "type":
      all[index] = { ...found, type: mutation.type };
      return;
    case "channel":
      all[index] = { ...found, channel: mutation.channel };
      return;
    default:
      mutation satisfies never;
  }
}

function overwritten(payload: Buffer, place: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(payload);
  bytes.copy(copy, payload.length === 0 ? 0 : place % payload.length);
  return copy;
}

function bytesOf(value: bigint, size: 2 | 4 | 8): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes.subarray(8 - size);
}

/** The frames as bytes, some of which are then changed. */
export function toWire(frames: readonly Frame[], raw: RawMutation | undefined): Buffer {
  const bytes = Buffer.concat(frames.map(wire));
  if (raw === undefined || bytes.length === 0) return bytes;
  if ("end" in raw) return bytes.subarray(0, raw.end % bytes.length);
  return overwritten(bytes, raw.at, Buffer.of(raw.byte));
}
