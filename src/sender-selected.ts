import { u8, u32 } from "./bytes.ts";
import { BrokerError } from "./errors.ts";
import type { FieldTable } from "./field-table.ts";
import { headerValueEnd } from "./header-scan.ts";
import type { Message } from "./record.ts";
import type { RecordEdit } from "./record-edit.ts";

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

/** How to edit a message so that BCC, which is for the broker alone, is hidden; undefined when it has none. */
export function hidingBcc(headers: FieldTable): Pick<RecordEdit, "headers" | "hiddenHeaders"> | undefined {
  const bcc = headers.get("BCC");
  if (bcc === undefined) return undefined;
  const shown = new Map(headers);
  shown.delete("BCC");
  return { headers: shown, hiddenHeaders: new Map([["BCC", bcc]]) };
}

/** Every routing key of a message in a queue: its own, and those that its sender selected. */
export function routingKeysOf(message: Message): readonly string[] {
  const own = message.routingKey;
  if (!mayBeSenderSelected(message) && !message.hasHiddenHeaders) return [own];
  const { cc } = senderSelected(message.headers());
  const { bcc } = senderSelected(message.hiddenHeaders());
  return [own, ...cc, ...bcc];
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
    const next = headerValueEnd(bytes, at + 1 + size, end);
    if (next < 0) return true;
    at = next;
  }
  return at !== end;
}
