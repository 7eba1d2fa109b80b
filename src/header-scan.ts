import { u8, u32 } from "./bytes.ts";
import { nestingMax } from "./field-table.ts";
import type { Message } from "./record.ts";

/** Where the tag of a header's value is, found without decoding the others; -1 when there is no such header. */
export function findHeader(message: Message, name: string): number {
  if (message.headersAt === 0) return -1;
  const { bytes, headersAt } = message;
  const end = headersAt + 4 + u32(bytes, headersAt);
  let at = headersAt + 4;
  while (at < end) {
    const value = at + 1 + u8(bytes, at);
    if (value - at - 1 === name.length && bytes.toString("latin1", at + 1, value) === name) return value;
    at = headerValueEnd(bytes, value, end);
    if (at < 0) return -1;
  }
  return -1;
}

/** Where the value whose tag is at `at` ends, in a table that ends at `limit`; -1 when it is malformed. */
export function headerValueEnd(bytes: Buffer, at: number, limit: number): number {
  return valueEnd(bytes, at, limit, nestingMax);
}

/** Whether the headers are sound, with tables and arrays not deeper in each other than `depthMax`. */
export function hasSoundHeaders({ bytes, headersAt, propertiesEnd }: Message, depthMax: number): boolean {
  return headersAt === 0 || nestedEnd(bytes, headersAt, propertiesEnd, depthMax, true) >= 0;
}

/**
 * Where the value whose tag is at `at` ends, in a table or array that ends at `limit` and has `room` for others inside each
 * other; -1 when it is malformed.
 */
function valueEnd(bytes: Buffer, at: number, limit: number, room: number): number {
  switch (bytes[at]) {
    case 0x53: // S
    case 0x78: // x
      return at + 5 + u32(bytes, at + 1);
    case 0x46: // F
      return nestedEnd(bytes, at + 1, limit, room - 1, true);
    case 0x41: // A
      return nestedEnd(bytes, at + 1, limit, room - 1, false);
    case 0x49: // I
    case 0x69: // i
    case 0x66: // f
      return at + 5;
    case 0x6c: // l
    case 0x4c: // L
    case 0x54: // T
    case 0x64: // d
      return at + 9;
    case 0x74: // t
    case 0x62: // b
    case 0x42: // B
      return at + 2;
    case 0x73: // s
    case 0x75: // u
      return at + 3;
    case 0x44: // D
      return at + 6;
    case 0x56: // V
      return at + 1;
    default:
      return -1;
  }
}

/** Where the array, or table when its values are `named`, ends whose length is at `start`; -1 when it is malformed. */
function nestedEnd(bytes: Buffer, start: number, limit: number, room: number, named: boolean): number {
  const end = start + 4 + u32(bytes, start);
  if (end > limit || room < 0) return -1;
  let at = start + 4;
  while (at < end) {
    if (named) at += 1 + u8(bytes, at);
    at = valueEnd(bytes, at, end, room);
    if (at < 0) return -1;
  }
  return at === end ? end : -1;
}
