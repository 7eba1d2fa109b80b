import { decodeTable, exact, tableSize } from "./field-table.ts";
import { type MessageProperty, messageProperties } from "./message-properties.ts";
import { type PlainTable, tableToPlain } from "./plain-table.ts";
import { frameOverhead, type Message, readShortString } from "./record.ts";

/** The properties that a message has, as management shows them. */
export function readProperties(message: Message): PlainTable {
  const { bytes, propertyFlags, propertiesEnd } = message;
  const properties: [string, unknown][] = [];
  let at = message.propertiesStart;
  for (const property of messageProperties) {
    if ((propertyFlags & property.flag) === 0) continue;
    properties.push([property.name, valueAt(property, bytes, at, propertiesEnd)]);
    at += sizeAt(property, bytes, at);
  }
  return Object.fromEntries(properties);
}

function valueAt({ kind }: MessageProperty, bytes: Buffer, at: number, limit: number): unknown {
  switch (kind) {
    case "text":
      return readShortString(bytes, at);
    case "octet":
      return bytes.readUInt8(at);
    case "timestamp":
      return exact(bytes.readBigUInt64BE(at));
    case "table":
      return tableToPlain(decodeTable(bytes, at, limit));
    default:
      return kind satisfies never;
  }
}

function sizeAt({ kind }: MessageProperty, bytes: Buffer, at: number): number {
  switch (kind) {
    case "text":
      return 1 + bytes.readUInt8(at);
    case "octet":
      return 1;
    case "timestamp":
      return 8;
    case "table":
      return tableSize(bytes, at);
    default:
      return kind satisfies never;
  }
}

/** The first `bytesMax` bytes of a message's body, copied out of its frames. */
export function readBody(message: Message, bytesMax: number): Buffer {
  const body = Buffer.allocUnsafe(Math.min(message.bodySize, bytesMax));
  let read = 0;
  let at = message.bodyStart;
  while (read < body.length) {
    const payload = at + frameOverhead - 1;
    const size = message.bytes.readUInt32BE(at + 3);
    read += message.bytes.copy(body, read, payload, Math.min(payload + size, payload + body.length - read));
    at = payload + size + 1;
  }
  return body;
}
