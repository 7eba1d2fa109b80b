import { type FieldType, type Method, methodNumbered } from "./wire-methods.ts";

/** A table value with its type on the wire, for tests which care how wide a number is. */
export class Tagged {
  readonly tag: string;
  readonly value: unknown;

  constructor(tag: string, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}

/** Method arguments, table entries and properties by their names in the standard. */
export type Fields = Readonly<Record<string, unknown>>;

/** The content properties in the order of their flag bits, from bit 15 down. */
const properties = [
  ["content-type", "shortstr"],
  ["content-encoding", "shortstr"],
  ["headers", "table"],
  ["delivery-mode", "octet"],
  ["priority", "octet"],
  ["correlation-id", "shortstr"],
  ["reply-to", "shortstr"],
  ["expiration", "shortstr"],
  ["message-id", "shortstr"],
  ["timestamp", "longlong"],
  ["type", "shortstr"],
  ["user-id", "shortstr"],
  ["app-id", "shortstr"],
  ["cluster-id", "shortstr"],
] as const;

/** Appends values in wire order. */
export class Writer {
  readonly #parts: Buffer[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  uint(size: 1 | 2 | 4, value: number): this {
    const bytes = Buffer.alloc(size);
    bytes.writeUIntBE(value, 0, size);
    return this.raw(bytes);
  }

  int(size: 1 | 2 | 4, value: number): this {
    const bytes = Buffer.alloc(size);
    bytes.writeIntBE(value, 0, size);
    return this.raw(bytes);
  }

  int64(value: bigint | number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return this.raw(bytes);
  }

  shortString(value: string): this {
    const bytes = Buffer.from(value);
    return this.uint(1, bytes.length).raw(bytes);
  }

  longString(value: string | Buffer): this {
    const bytes = Buffer.from(value);
    return this.uint(4, bytes.length).raw(bytes);
  }

  table(table: Fields): this {
    const inner = new Writer();
    for (const [key, value] of Object.entries(table)) inner.shortString(key).value(value);
    return this.longString(inner.bytes);
  }

  array(values: readonly unknown[]): this {
    const inner = new Writer();
    for (const value of values) inner.value(value);
    return this.longString(inner.bytes);
  }

  /** A table value: its tag, then itself. Without a tag a number is an `I` or an `l`, a string an `S`. */
  value(value: unknown): this {
    const { tag, value: content } = value instanceof Tagged ? value : new Tagged(naturalTag(value), value);
    return this.raw(Buffer.from(tag, "latin1")).#tagged(tag, content);
  }

  #tagged(tag: string, value: unknown): this {
    switch (tag) {
      case "t":
        return this.uint(1, value === true ? 1 : 0);
      case "b":
        return this.int(1, Number(value));
      case "B":
        return this.uint(1, Number(value));
      case "s":
        return this.int(2, Number(value));
      case "u":
        return this.uint(2, Number(value));
      case "I":
        return this.int(4, Number(value));
      case "i":
        return this.uint(4, Number(value));
      case "l":
      case "L":
      case "T":
        return this.int64(typeof value === "bigint" ? value : Number(value));
      case "f":
        return this.#float(4, Number(value));
      case "d":
        return this.#float(8, Number(value));
      case "D":
        return this.uint(1, 0).uint(4, Number(value));
      case "S":
      case "x":
        return this.longString(Buffer.isBuffer(value) ? value : String(value));
      case "A":
        return this.array(Array.isArray(value) ? value : []);
      case "F":
        return this.table(isFields(value) ? value : {});
      case "V":
        return this;
      default:
        throw new Error(`no table value with tag '${tag}'`);
    }
  }

  #float(size: 4 | 8, value: number): this {
    const bytes = Buffer.alloc(size);
    if (size === 4) bytes.writeFloatBE(value);
    else bytes.writeDoubleBE(value);
    return this.raw(bytes);
  }

  field(type: Exclude<FieldType, "bit">, value: unknown): this {
    switch (type) {
      case "octet":
        return this.uint(1, Number(value ?? 0));
      case "short":
        return this.uint(2, Number(value ?? 0));
      case "long":
        return this.uint(4, Number(value ?? 0));
      case "longlong":
        return this.int64(typeof value === "bigint" ? value : Number(value ?? 0));
      case "shortstr":
        return this.shortString(String(value ?? ""));
      case "longstr":
        return this.longString(Buffer.isBuffer(value) ? value : String(value ?? ""));
      case "table":
        return this.table(isFields(value) ? value : {});
    }
  }
}

/** Reads values in wire order; throws when the bytes end too soon. */
export class Reader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.length - this.#offset;
  }

  raw(length: number): Buffer {
    if (length > this.rest) throw new Error(`${length} bytes wanted, ${this.rest} left`);
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  uint(size: 1 | 2 | 4): number {
    return this.raw(size).readUIntBE(0, size);
  }

  int(size: 1 | 2 | 4): number {
    return this.raw(size).readIntBE(0, size);
  }

  int64(): number | bigint {
    const value = this.raw(8).readBigInt64BE();
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  shortString(): string {
    return this.raw(this.uint(1)).toString();
  }

  table(): Record<string, Tagged> {
    const inner = new Reader(this.raw(this.uint(4)));
    const table: Record<string, Tagged> = {};
    while (inner.rest > 0) table[inner.shortString()] = inner.value();
    return table;
  }

  array(): Tagged[] {
    const inner = new Reader(this.raw(this.uint(4)));
    const values: Tagged[] = [];
    while (inner.rest > 0) values.push(inner.value());
    return values;
  }

  value(): Tagged {
    const tag = this.raw(1).toString("latin1");
    return new Tagged(tag, this.#untagged(tag));
  }

  #untagged(tag: string): unknown {
    switch (tag) {
      case "t":
        return this.uint(1) !== 0;
      case "b":
        return this.int(1);
      case "B":
        return this.uint(1);
      case "s":
        return this.int(2);
      case "u":
        return this.uint(2);
      case "I":
        return this.int(4);
      case "i":
        return this.uint(4);
      case "l":
      case "L":
      case "T":
        return this.int64();
      case "f":
        return this.raw(4).readFloatBE();
      case "d":
        return this.raw(8).readDoubleBE();
      case "D":
        return `${this.uint(1)}:${this.uint(4)}`;
      case "S":
        return this.raw(this.uint(4)).toString();
      case "x":
        return this.raw(this.uint(4)).toString("hex");
      case "A":
        return this.array();
      case "F":
        return this.table();
      case "V":
        return null;
      default:
        throw new Error(`no table value with tag '${tag}'`);
    }
  }

  field(type: Exclude<FieldType, "bit">): unknown {
    switch (type) {
      case "octet":
        return this.uint(1);
      case "short":
        return this.uint(2);
      case "long":
        return this.uint(4);
      case "longlong":
        return this.int64();
      case "shortstr":
        return this.shortString();
      case "longstr":
        return this.raw(this.uint(4)).toString();
      case "table":
        return this.table();
    }
  }
}

/** class-id, method-id and the fields; what is left out is zero, empty or false. Bits in a row share an octet. */
export function encodeMethod(method: Method, fields: Fields): Buffer {
  const writer = new Writer().uint(2, method.classId).uint(2, method.methodId);
  let bits: boolean[] = [];
  const flush = () => {
    if (bits.length > 0)
      writer.uint(
        1,
        bits.reduce((octet, bit, index) => octet | (bit ? 1 << index : 0), 0),
      );
    bits = [];
  };
  for (const [name, type] of method.fields) {
    if (type === "bit") {
      bits.push(fields[name] === true);
    } else {
      flush();
      writer.field(type, fields[name]);
    }
  }
  flush();
  return writer.bytes;
}

/** The method in a method frame's payload. */
export function decodeMethod(payload: Buffer): { name: string; fields: Record<string, unknown> } {
  const reader = new Reader(payload);
  const method = methodNumbered(reader.uint(2), reader.uint(2));
  const fields: Record<string, unknown> = {};
  let octet = 0;
  let bit = 8;
  for (const [name, type] of method.fields) {
    if (type !== "bit") {
      fields[name] = reader.field(type);
      bit = 8;
      continue;
    }
    if (bit === 8) {
      octet = reader.uint(1);
      bit = 0;
    }
    fields[name] = (octet & (1 << bit++)) !== 0;
  }
  if (reader.rest > 0) throw new Error(`${reader.rest} bytes behind ${method.name}`);
  return { name: method.name, fields };
}

/** The payload of a content header frame. */
export function encodeContentHeader(classId: number, bodySize: number, content: Fields): Buffer {
  const values = new Writer();
  let flags = 0;
  for (const [index, [name, type]] of properties.entries()) {
    if (content[name] === undefined) continue;
    flags |= 1 << (15 - index);
    values.field(type, content[name]);
  }
  return new Writer().uint(2, classId).uint(2, 0).int64(bodySize).uint(2, flags).raw(values.bytes).bytes;
}

/** What a content header frame says. */
export function decodeContentHeader(payload: Buffer): { bodySize: number; properties: Record<string, unknown> } {
  const reader = new Reader(payload);
  reader.raw(4);
  const bodySize = Number(reader.int64());
  const flags = reader.uint(2);
  const content: Record<string, unknown> = {};
  for (const [index, [name, type]] of properties.entries()) {
    if ((flags & (1 << (15 - index))) !== 0) content[name] = reader.field(type);
  }
  return { bodySize, properties: content };
}

/** The values of a decoded table, array or value without their tags. */
export function plain(value: unknown): unknown {
  if (value instanceof Tagged) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (isFields(value)) return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
  return value;
}

function naturalTag(value: unknown): string {
  if (typeof value === "boolean") return "t";
  if (typeof value === "bigint") return "l";
  if (typeof value === "number") {
    if (!Number.isInteger(value)) return "d";
    return value === (value | 0) ? "I" : "l";
  }
  if (value === null) return "V";
  if (Buffer.isBuffer(value)) return "x";
  if (Array.isArray(value)) return "A";
  return typeof value === "object" ? "F" : "S";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
