import { BrokerError } from "./errors.ts";
import { encodeTable, type FieldTable } from "./field-table.ts";
import type { JsonObject } from "./json-object.ts";
import { type MessageProperty, messageProperties } from "./message-properties.ts";
import { nameBytesMax } from "./names.ts";
import { frameEnd, frameOverhead } from "./record.ts";

/** Longest payload of a body frame in a record; deliveries cut it where a client's frame-max is smaller. */
const bodyFrameMax = 131_072 - frameOverhead;
const basicClass = 60;

/** A message as management takes it. */
export interface PlainMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: JsonObject;
  /** The headers property, decoded; none is written when it is undefined. */
  readonly headers: FieldTable | undefined;
  readonly body: Buffer;
}

/** Builds the record of a message (the layout is drawn in record.ts). Throws PRECONDITION_FAILED on bad properties. */
export function buildRecord({ exchange, routingKey, properties, headers, body }: PlainMessage): Buffer {
  const address = [shortString("exchange", exchange), shortString("routing_key", routingKey)];
  const frames = [frame(2, headerPayload(properties, headers, body.length))];
  for (let at = 0; at < body.length; at += bodyFrameMax) frames.push(frame(3, body.subarray(at, at + bodyFrameMax)));
  const record = Buffer.concat([...address, Buffer.of(frameEnd), ...frames]);
  // Queues may share a record that is a buffer of its own; concat may have cut it out of a larger one.
  return record.buffer.byteLength === record.length ? record : copyOf(record);
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameOverhead - 1);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.of(frameEnd)]);
}

function headerPayload(properties: JsonObject, headers: FieldTable | undefined, bodySize: number): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(basicClass, 0);
  head.writeBigUInt64BE(BigInt(bodySize), 4);
  let flags = 0;
  const parts: Buffer[] = [];
  for (const property of messageProperties) {
    const value = property.kind === "table" ? headers && encodeTable(headers) : encode(property, properties);
    if (value === undefined) continue;
    flags |= property.flag;
    parts.push(value);
  }
  head.writeUInt16BE(flags, 12);
  return Buffer.concat([head, ...parts]);
}

function encode({ name, kind }: MessageProperty, properties: JsonObject): Buffer | undefined {
  const value = properties.value(name);
  if (value === undefined) return undefined;
  if (kind === "text") {
    if (typeof value !== "string") throw invalid(`'${name}' should be a string`);
    return shortString(name, value);
  }
  const most = kind === "octet" ? 255n : 2n ** 64n - 1n;
  if (!isWhole(value)) throw invalid(`'${name}' should be an integer`);
  if (value < 0 || value > most) throw invalid(`'${name}' should be from 0 to ${most}`);
  if (kind === "octet") return Buffer.of(Number(value));
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
}

function shortString(name: string, text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length > nameBytesMax)
    throw invalid(`'${name}' is ${bytes.length} bytes long: ${nameBytesMax} are allowed`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function invalid(detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", detail);
}
