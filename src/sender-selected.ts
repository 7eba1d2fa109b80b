import { u8, u32 } from "./bytes.ts";
import { BrokerError } from "./errors.ts";
import { type FieldTable, nestingMax } from "./field-table.ts";
import type { Message } from "./record.ts";

/** Extra routing keys that the sender gave in the CC and BCC headers. */
export interface SenderSelected {
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
}

const none: SenderSelected = { cc: [], bcc: [] };

/** Reads the CC and BCC headers. Throws PRECONDITION_FAILED when they are not arrays; members that are no longstr do not count. */
export function senderSelected(headers: FieldTable): SenderSelected {
  if (!headers.has("CC") && !headers.has("BCC")) return none;
  return { cc: keys(headers, "CC"), bcc: keys(headers, "BCC") };
}

function keys(headers: FieldTable, name: "CC" | "BCC"): string[] {
  const field = headers.get(name);
  if (field === undefined) return [];
  if (field.type !== "array") throw invalid(name, field.type);
  return field.value.flatMap((key) => (key.type === "longstr" ? [key.value.toString()] : []));
}

function invalid(name: string, type: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", `invalid message: {unacceptable_type_in_header,"${name}",${type}}`);
}

const letterB = 0x42;
const letterC = 0x43;

/**
 * True when the message's headers hold CC or BCC, found without decoding them. Malformed headers count as a yes, so
 * that whoever asks decodes and refuses them: those of a message in a queue can be decoded at any time.
 */
export function mayBeSenderSelected(message: Message): boolean {
  if (message.headersAt === 0) return false;
  const { bytes, headersAt } = message;
  const end = headersAt + 4 + u32(bytes, headersAt);
  let at = headersAt + 4;
  while (at < end) {
    const size = u8(bytes, at);
    if (size === 2 && u8(bytes, at + 1) === letterC && u8(bytes, at + 2) === letterC) return true;
    if (size === 3 && u8(bytes, at + 1) === letterB && u8(bytes, at + 2) === letterC) return true;
    const next = valueEnd(bytes, at + 1 + size, end, 0);
    if (next < 0) return true;
    at = next;
  }
  return at !== end;
}

/** Where the value whose tag is at `at` ends, in a table or array that ends at `limit`; -1 when it is malformed. */
function valueEnd(bytes: Buffer, at: number, limit: number, depth: number): number {
  switch (bytes[at]) {
    case 0x53: // S
    case 0x78: // x
      return at + 5 + u32(bytes, at + 1);
    case 0x46: // F
      return nestedEnd(bytes, at + 1, limit, depth + 1, true);
    case 0x41: // A
      return nestedEnd(bytes, at + 1, limit, depth + 1, false);
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
function nestedEnd(bytes: Buffer, start: number, limit: number, depth: number, named: boolean): number {
  const end = start + 4 + u32(bytes, start);
  if (end > limit || depth > nestingMax) return -1;
  let at = start + 4;
  while (at < end) {
    if (named) at += 1 + u8(bytes, at);
    at = valueEnd(bytes, at, end, depth);
    if (at < 0) return -1;
  }
  return at === end ? end : -1;
}
