import { number, type Row, text } from "./row.ts";

/** The bytes of a message's body, as far as they were fetched. */
export function bytesOf(message: Row): Uint8Array {
  const payload = text(message, "payload");
  if (text(message, "payload_encoding") === "string") return new TextEncoder().encode(payload);
  return Uint8Array.from(atob(payload), (character) => character.codePointAt(0) ?? 0);
}

/** The body with indentation when it is JSON. */
export function prettyJson(message: Row): string | undefined {
  if (text(message, "payload_encoding") !== "string") return undefined;
  const payload = text(message, "payload");
  if (!/^\s*[[{]/.test(payload)) return undefined;
  try {
    const value: unknown = JSON.parse(payload);
    // Numbers beyond what JavaScript can tell apart would be shown wrong.
    return /\d{16,}/.test(payload) ? undefined : JSON.stringify(value, null, 2);
  } catch {
    return undefined;
  }
}

/** Whether there is more of the body than was fetched. */
export function isCut(message: Row): boolean {
  return bytesOf(message).length < number(message, "payload_bytes");
}

const perLine = 16;

/** Offset, bytes and characters, sixteen a line. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let from = 0; from < bytes.length; from += perLine) {
    const line = [...bytes.subarray(from, from + perLine)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const characters = line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCodePoint(byte) : "·")).join("");
    lines.push(`${from.toString(16).padStart(8, "0")}  ${hex.padEnd(perLine * 3 - 1)}  ${characters}`);
  }
  return lines.join("\n");
}
