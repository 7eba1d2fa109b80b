import { u8, u32 } from "./bytes.ts";
import { encodeTable, type FieldTable } from "./field-table.ts";
import { frameEnd, frameOverhead, hiddenStart, type Message, propertyFlag } from "./record.ts";

/** What to change of a message; what is not named stays. */
export interface RecordEdit {
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly headers?: FieldTable;
  /** Headers for the broker alone. An empty table removes them. */
  readonly hiddenHeaders?: FieldTable;
  readonly replyTo?: string;
  readonly removeExpiration?: boolean;
}

/** A property, by the name of its flag. */
export type PropertyName = keyof typeof propertyFlag;

const propertyOrder = Object.entries(propertyFlag) as [PropertyName, number][];

/** Builds a new record: the message with some of it changed. Body frames are copied as they are. */
export function editRecord(message: Message, edit: RecordEdit): Buffer {
  const address = [shortString(edit.exchange ?? message.exchange), shortString(edit.routingKey ?? message.routingKey)];
  const hidden = hiddenPart(edit.hiddenHeaders ?? message.hiddenHeaders());
  const body = message.bytes.subarray(message.bodyStart, message.contentEnd);
  return Buffer.concat([...address, ...hidden, Buffer.of(frameEnd), headerFrame(message, edit), body]);
}

function hiddenPart(headers: FieldTable): Buffer[] {
  return headers.size === 0 ? [] : [Buffer.of(hiddenStart), encodeTable(headers)];
}

function headerFrame(message: Message, edit: RecordEdit): Buffer {
  const properties = readProperties(message);
  change(properties, "headers", edit.headers && encodeTable(edit.headers));
  change(properties, "replyTo", edit.replyTo === undefined ? undefined : shortString(edit.replyTo));
  change(properties, "expiration", edit.removeExpiration === true ? null : undefined);
  let flags = 0;
  const parts: Buffer[] = [];
  for (const [name, flag] of propertyOrder) {
    const value = properties.get(name);
    if (value === undefined) continue;
    flags |= flag;
    parts.push(value);
  }
  const payload = Buffer.concat([Buffer.alloc(14), ...parts]);
  message.bytes.copy(payload, 0, message.contentStart + 8, message.contentStart + 20);
  payload.writeUInt16BE(flags, 12);
  const frame = Buffer.alloc(payload.length + frameOverhead);
  frame.writeUInt8(2, 0);
  frame.writeUInt32BE(payload.length, 3);
  payload.copy(frame, 7);
  frame.writeUInt8(frameEnd, frame.length - 1);
  return frame;
}

/** Undefined leaves the property, null removes it. */
function change(properties: Map<PropertyName, Buffer>, name: PropertyName, value: Buffer | null | undefined): void {
  if (value === null) properties.delete(name);
  else if (value !== undefined) properties.set(name, value);
}

/** The bytes of a property as they are in the message; undefined when absent. */
export function findProperty(message: Message, name: PropertyName): Buffer | undefined {
  return readProperties(message).get(name);
}

function readProperties(message: Message): Map<PropertyName, Buffer> {
  const { bytes } = message;
  const properties = new Map<PropertyName, Buffer>();
  let at = message.propertiesStart;
  for (const [name, flag] of propertyOrder) {
    if ((message.propertyFlags & flag) === 0) continue;
    const end = at + propertySize(bytes, at, name);
    properties.set(name, bytes.subarray(at, end));
    at = end;
  }
  return properties;
}

function propertySize(bytes: Buffer, at: number, name: PropertyName): number {
  switch (name) {
    case "headers":
      return 4 + u32(bytes, at);
    case "deliveryMode":
    case "priority":
      return 1;
    case "timestamp":
      return 8;
    default:
      return 1 + u8(bytes, at);
  }
}

function shortString(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
