import { isUtf8 } from "node:buffer";

/**
 * A value of a field table with its wire type, under the names that RabbitMQ's error texts use.
 * 64-bit integers are numbers while they are exact, else bigints. A longstr that is not UTF-8 stays bytes.
 */
export type FieldValue =
  | { readonly type: "longstr"; readonly value: string | Buffer }
  | { readonly type: "binary"; readonly value: Buffer }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: IntegerType; readonly value: number | bigint }
  | { readonly type: "double" | "float"; readonly value: number }
  | { readonly type: "decimal"; readonly scale: number; readonly value: number }
  | { readonly type: "array"; readonly value: readonly FieldValue[] }
  | { readonly type: "table"; readonly value: FieldTable }
  | { readonly type: "void" };

export type IntegerType =
  | "byte"
  | "short"
  | "signedint"
  | "long"
  | "unsignedbyte"
  | "unsignedshort"
  | "unsignedint"
  | "timestamp";

/** A field table in the order it was written. */
export type FieldTable = ReadonlyMap<string, FieldValue>;

export const emptyTable: FieldTable = new Map();

/** Deepest nesting of tables and arrays that is decoded. */
export const nestingMax = 64;

/** The bytes are not a field table. The caller knows which reply code that is. */
export class MalformedTableError extends Error {
  override readonly name = "MalformedTableError";
}

/** Decodes the table whose 4-byte length is at `start`; it must end at or before `limit`. */
export function decodeTable(bytes: Buffer, start: number, limit: number): FieldTable {
  return new TableReader(bytes, start, limit).table(0);
}

/** Size in bytes of the table at `start`, its length field included. */
export function tableSize(bytes: Buffer, start: number): number {
  return 4 + bytes.readUInt32BE(start);
}

class TableReader {
  readonly #bytes: Buffer;
  readonly #limit: number;
  #at: number;

  constructor(bytes: Buffer, start: number, limit: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#limit = limit;
  }

  table(depth: number): FieldTable {
    const end = this.#block(depth);
    if (this.#at === end) return emptyTable;
    const table = new Map<string, FieldValue>();
    while (this.#at < end) {
      const size = this.#bytes.readUInt8(this.#take(1));
      const from = this.#take(size);
      table.set(nameOf(this.#bytes.subarray(from, from + size)), this.#value(depth));
    }
    if (this.#at !== end) throw new MalformedTableError("table ends inside a value");
    return table;
  }

  /** Reads the length of a table or array and returns where it ends. */
  #block(depth: number): number {
    if (depth > nestingMax) throw new MalformedTableError(`nested deeper than ${nestingMax}`);
    const size = this.#bytes.readUInt32BE(this.#take(4));
    const end = this.#at + size;
    if (end > this.#limit) throw new MalformedTableError("table longer than its frame");
    return end;
  }

  #array(depth: number): readonly FieldValue[] {
    const end = this.#block(depth);
    const values: FieldValue[] = [];
    while (this.#at < end) values.push(this.#value(depth));
    if (this.#at !== end) throw new MalformedTableError("array ends inside a value");
    return values;
  }

  #value(depth: number): FieldValue {
    const tag = this.#bytes.readUInt8(this.#take(1));
    const bytes = this.#bytes;
    switch (tag) {
      case 0x53: // S
        return { type: "longstr", value: text(this.#longBytes()) };
      case 0x49: // I
        return { type: "signedint", value: bytes.readInt32BE(this.#take(4)) };
      case 0x74: // t
        return { type: "bool", value: bytes.readUInt8(this.#take(1)) !== 0 };
      case 0x6c: // l
      case 0x4c: // L, which RabbitMQ reads as signed too
        return { type: "long", value: exact(bytes.readBigInt64BE(this.#take(8))) };
      case 0x46: // F
        return { type: "table", value: this.table(depth + 1) };
      case 0x41: // A
        return { type: "array", value: this.#array(depth + 1) };
      case 0x54: // T
        return { type: "timestamp", value: exact(bytes.readBigUInt64BE(this.#take(8))) };
      case 0x64: // d
        return { type: "double", value: bytes.readDoubleBE(this.#take(8)) };
      case 0x66: // f
        return { type: "float", value: bytes.readFloatBE(this.#take(4)) };
      case 0x62: // b
        return { type: "byte", value: bytes.readInt8(this.#take(1)) };
      case 0x42: // B
        return { type: "unsignedbyte", value: bytes.readUInt8(this.#take(1)) };
      case 0x73: // s
        return { type: "short", value: bytes.readInt16BE(this.#take(2)) };
      case 0x75: // u
        return { type: "unsignedshort", value: bytes.readUInt16BE(this.#take(2)) };
      case 0x69: // i
        return { type: "unsignedint", value: bytes.readUInt32BE(this.#take(4)) };
      case 0x44: // D
        return { type: "decimal", scale: bytes.readUInt8(this.#take(1)), value: bytes.readUInt32BE(this.#take(4)) };
      case 0x78: // x
        return { type: "binary", value: Buffer.from(this.#longBytes()) };
      case 0x56: // V
        return { type: "void" };
      default:
        throw new MalformedTableError(`unknown field type ${tag}`);
    }
  }

  #longBytes(): Buffer {
    const size = this.#bytes.readUInt32BE(this.#take(4));
    const from = this.#take(size);
    return this.#bytes.subarray(from, from + size);
  }

  /** Moves past `size` bytes and returns where they start. */
  #take(size: number): number {
    const from = this.#at;
    if (from + size > this.#limit) throw new MalformedTableError("value longer than its table");
    this.#at = from + size;
    return from;
  }
}

/** A name that is not UTF-8 gets a ? for each odd byte: so it is no longer than it was, and can be encoded again. */
function nameOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString("utf8") : bytes.toString("latin1").replace(/[\u0080-\u00ff]/g, "?");
}

function text(bytes: Buffer): string | Buffer {
  return isUtf8(bytes) ? bytes.toString("utf8") : Buffer.from(bytes);
}

/** The number, or the bigint itself where a number would lose digits. */
export function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Encodes a table with its length in front. */
export function encodeTable(table: FieldTable): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of table) parts.push(encodeEntry(name, value));
  return withLength(parts);
}

/** Encodes one `name value` pair, as it stands inside a table. */
export function encodeEntry(name: string, value: FieldValue): Buffer {
  const bytes = Buffer.from(name, "utf8");
  if (bytes.length > 255) throw new RangeError(`field name of ${bytes.length} bytes`);
  return Buffer.concat([Buffer.of(bytes.length), bytes, encodeValue(value)]);
}

function withLength(parts: readonly Buffer[]): Buffer {
  const size = Buffer.allocUnsafe(4);
  size.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([size, ...parts]);
}

function tagged(tag: string, size: number): Buffer {
  const bytes = Buffer.alloc(1 + size);
  bytes.write(tag, 0, "latin1");
  return bytes;
}

function encodeValue(field: FieldValue): Buffer {
  switch (field.type) {
    case "longstr":
      return Buffer.concat([tagged("S", 0), withLength([Buffer.from(field.value)])]);
    case "binary":
      return Buffer.concat([tagged("x", 0), withLength([field.value])]);
    case "table":
      return Buffer.concat([tagged("F", 0), encodeTable(field.value)]);
    case "array":
      return Buffer.concat([tagged("A", 0), withLength(field.value.map(encodeValue))]);
    case "void":
      return tagged("V", 0);
    default:
      return encodeFixed(field);
  }
}

type FixedValue = Exclude<FieldValue, { type: "longstr" | "binary" | "table" | "array" | "void" }>;

function encodeFixed(field: FixedValue): Buffer {
  const bytes = tagged(fixedTags[field.type].tag, fixedTags[field.type].size);
  switch (field.type) {
    case "bool":
      bytes.writeUInt8(field.value ? 1 : 0, 1);
      break;
    case "decimal":
      bytes.writeUInt8(field.scale, 1);
      bytes.writeUInt32BE(field.value, 2);
      break;
    case "double":
      bytes.writeDoubleBE(field.value, 1);
      break;
    case "float":
      bytes.writeFloatBE(field.value, 1);
      break;
    case "long":
      bytes.writeBigInt64BE(BigInt(field.value), 1);
      break;
    case "timestamp":
      bytes.writeBigUInt64BE(BigInt(field.value), 1);
      break;
    case "byte":
    case "short":
    case "signedint":
      bytes.writeIntBE(Number(field.value), 1, bytes.length - 1);
      break;
    case "unsignedbyte":
    case "unsignedshort":
    case "unsignedint":
      bytes.writeUIntBE(Number(field.value), 1, bytes.length - 1);
      break;
    default:
      field satisfies never;
  }
  return bytes;
}

const fixedTags = {
  bool: { tag: "t", size: 1 },
  byte: { tag: "b", size: 1 },
  unsignedbyte: { tag: "B", size: 1 },
  short: { tag: "s", size: 2 },
  unsignedshort: { tag: "u", size: 2 },
  signedint: { tag: "I", size: 4 },
  unsignedint: { tag: "i", size: 4 },
  long: { tag: "l", size: 8 },
  timestamp: { tag: "T", size: 8 },
  float: { tag: "f", size: 4 },
  double: { tag: "d", size: 8 },
  decimal: { tag: "D", size: 5 },
} as const satisfies Record<FixedValue["type"], { tag: string; size: number }>;

/** True when both stand for the same value, whatever the width of a number's type (as RabbitMQ compares arguments). */
export function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (a.type === "void" || b.type === "void") return a.type === b.type;
  if (a.type === "table" && b.type === "table") return sameTable(a.value, b.value);
  if (a.type === "array" && b.type === "array") return sameArray(a.value, b.value);
  if (a.type === "decimal" && b.type === "decimal") return a.scale === b.scale && a.value === b.value;
  if (isBytes(a) && isBytes(b)) return sameBytes(a.value, b.value);
  if (isNumber(a) && isNumber(b)) return sameNumber(a.value, b.value);
  return a.type === "bool" && b.type === "bool" && a.value === b.value;
}

function isBytes(field: FieldValue): field is Extract<FieldValue, { type: "longstr" | "binary" }> {
  return field.type === "longstr" || field.type === "binary";
}

function isNumber(field: FieldValue): field is Extract<FieldValue, { type: IntegerType | "double" | "float" }> {
  return field.type in fixedTags && field.type !== "bool" && field.type !== "decimal";
}

function sameBytes(a: string | Buffer, b: string | Buffer): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  return Buffer.from(a).equals(Buffer.from(b));
}

/** An exact integer may stand as a number beside a bigint of the same value, so this is not `===`. NaN is itself. */
function sameNumber(a: number | bigint, b: number | bigint): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: compares a number with a bigint by value
  return a == b || (Number.isNaN(a) && Number.isNaN(b));
}

function sameArray(a: readonly FieldValue[], b: readonly FieldValue[]): boolean {
  return a.length === b.length && a.every((value, i) => sameValue(value, b[i] ?? { type: "void" }));
}

/** True when both tables hold the same names with the same values, in any order. */
export function sameTable(a: FieldTable, b: FieldTable): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other === undefined || !sameValue(value, other)) return false;
  }
  return true;
}

/** A table as JSON that {@link tableFromJson} reads back without loss: how definitions are stored. */
export function tableToJson(table: FieldTable): string {
  return JSON.stringify([...table], (_key, value: unknown) => {
    if (typeof value === "bigint") return { $bigint: value.toString() };
    if (typeof value === "number" && !isJsonNumber(value)) return { $number: Object.is(value, -0) ? "-0" : `${value}` };
    if (value instanceof Map) return [...value];
    return value;
  });
}

function isJsonNumber(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

/** Reads what {@link tableToJson} wrote. */
export function tableFromJson(json: string): FieldTable {
  const entries = JSON.parse(json, revive) as [string, FieldValue][];
  return entries.length === 0 ? emptyTable : new Map(entries);
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("$bigint" in value) return BigInt(String(value.$bigint));
  if ("$number" in value) return Number(value.$number);
  if ("type" in value && value.type === "table" && "value" in value) {
    return { type: "table", value: new Map(value.value as [string, FieldValue][]) };
  }
  if ("type" in value && value.type === "Buffer" && "data" in value) return Buffer.from(value.data as number[]);
  return value;
}
