import { encodeTable, type FieldTable } from "../../src/field-table.ts";
import { frameEnd, Message, propertyFlag } from "../../src/record.ts";

/** The properties of a message; what is not given is not there. */
export interface Properties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly headers?: FieldTable;
  readonly deliveryMode?: number;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly expiration?: string;
  readonly messageId?: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
  readonly type?: string;
  readonly userId?: string;
  readonly appId?: string;
  readonly clusterId?: string;
}

/** What makes a message. */
export interface Parts extends Properties {
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly body?: Buffer;
}

const order = Object.keys(propertyFlag) as (keyof typeof propertyFlag)[];

function shortString(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function encodeProperty(name: keyof typeof propertyFlag, value: string | number | FieldTable): Buffer {
  if (typeof value === "string") return shortString(value);
  if (typeof value === "number") return name === "timestamp" ? long(BigInt(value)) : Buffer.of(value);
  return encodeTable(value);
}

/** The payload of a content header frame. */
export function headerPayload(properties: Properties, bodySize: number): Buffer {
  let flags = 0;
  const values: Buffer[] = [];
  for (const name of order) {
    const value = properties[name];
    if (value === undefined) continue;
    flags |= propertyFlag[name];
    values.push(encodeProperty(name, value));
  }
  const head = Buffer.alloc(4);
  head.writeUInt16BE(60);
  return Buffer.concat([head, long(BigInt(bodySize)), Buffer.of(flags >> 8, flags & 0xff), ...values]);
}

export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(type);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.of(frameEnd)]);
}

/** A body as frames with at most `most` bytes of payload. */
function bodyFrames(channel: number, body: Buffer, most = 131_064): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < body.length; at += most) frames.push(frame(3, channel, body.subarray(at, at + most)));
  return Buffer.concat(frames);
}

/** A record: how queues and the store keep a message. */
export function record(parts: Parts): Buffer {
  const { exchange = "", routingKey = "", body = Buffer.alloc(0) } = parts;
  const address = [shortString(exchange), shortString(routingKey), Buffer.of(frameEnd)];
  return Buffer.concat([...address, frame(2, 0, headerPayload(parts, body.length)), bodyFrames(0, body)]);
}

/** A message as it comes out of a channel, its expiration read. */
export function message(parts: Parts): Message {
  const made = new Message().setOwned(record(parts));
  if (parts.expiration !== undefined) made.expiresAfterMs = Number(parts.expiration);
  return made;
}

/** The body that the frames behind a message's header carry. */
export function bodyOf(message: Message): Buffer {
  const { bytes, contentEnd } = message;
  const parts: Buffer[] = [];
  let at = message.bodyStart;
  while (at < contentEnd) {
    const size = bytes.readUInt32BE(at + 3);
    if (bytes[at] !== 3 || bytes[at + 7 + size] !== frameEnd) throw new Error("not a body frame");
    parts.push(bytes.subarray(at + 7, at + 7 + size));
    at += size + 8;
  }
  if (at !== contentEnd) throw new Error("the last body frame is not whole");
  return Buffer.concat(parts);
}
