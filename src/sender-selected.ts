import { u8, u32 } from "./bytes.ts";
import { BrokerError } from "./errors.ts";
import type { FieldTable } from "./field-table.ts";
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

/** True when the message's headers hold CC or BCC, found without decoding them. Malformed headers count as a yes. */
export function mayBeSenderSelected(message: Message): boolean {
  if (message.headersAt === 0) return false;
  const { bytes, headersAt } = message;
  const end = headersAt + 4 + u32(bytes, headersAt);
  let at = headersAt + 4;
  while (at < end) {
    const size = u8(bytes, at);
    if (size === 2 && u8(bytes, at + 1) === letterC && u8(bytes, at + 2) === letterC) return true;
    if (size === 3 && u8(bytes, at + 1) === letterB && u8(bytes, at + 2) === letterC) return true;
    at += 1 + size;
    const value = valueSize(bytes, at);
    if (value < 0) return true;
    at += value;
  }
  return at !== end;
}

/** Size of a field value with its tag; -1 for an unknown tag. */
function valueSize(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case 0x53: // S
    case 0x46: // F
    case 0x41: // A
    case 0x78: // x
      return 5 + u32(bytes, at + 1);
    case 0x49: // I
    case 0x69: // i
    case 0x66: // f
      return 5;
    case 0x6c: // l
    case 0x4c: // L
    case 0x54: // T
    case 0x64: // d
      return 9;
    case 0x74: // t
    case 0x62: // b
    case 0x42: // B
      return 2;
    case 0x73: // s
    case 0x75: // u
      return 3;
    case 0x44: // D
      return 6;
    case 0x56: // V
      return 1;
    default:
      return -1;
  }
}
