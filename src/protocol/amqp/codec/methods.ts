import { isUtf8 } from "node:buffer";
import { u8, u16, u32, u64 } from "../../../bytes.ts";
import { BrokerError } from "../../../errors.ts";
import { decodeTable, encodeTable, type FieldTable, MalformedTableError, tableSize } from "../../../field-table.ts";
import { erlangBinary, erlangText } from "../../../record.ts";

/** The value that each type of method field has here. */
interface FieldTypes {
  octet: number;
  short: number;
  long: number;
  longlong: number;
  bit: boolean;
  shortstr: string;
  longstr: Buffer;
  table: FieldTable;
}

type FieldType = keyof FieldTypes;

/** All methods with their ids and their fields in wire order (AMQP 0-9-1 with RabbitMQ's extensions). */
const methods = {
  "connection.start": {
    id: [10, 10],
    fields: {
      versionMajor: "octet",
      versionMinor: "octet",
      serverProperties: "table",
      mechanisms: "longstr",
      locales: "longstr",
    },
  },
  "connection.start-ok": {
    id: [10, 11],
    fields: { clientProperties: "table", mechanism: "shortstr", response: "longstr", locale: "shortstr" },
  },
  "connection.secure": { id: [10, 20], fields: { challenge: "longstr" } },
  "connection.secure-ok": { id: [10, 21], fields: { response: "longstr" } },
  "connection.tune": { id: [10, 30], fields: { channelMax: "short", frameMax: "long", heartbeat: "short" } },
  "connection.tune-ok": { id: [10, 31], fields: { channelMax: "short", frameMax: "long", heartbeat: "short" } },
  "connection.open": { id: [10, 40], fields: { virtualHost: "shortstr", capabilities: "shortstr", insist: "bit" } },
  "connection.open-ok": { id: [10, 41], fields: { knownHosts: "shortstr" } },
  "connection.close": {
    id: [10, 50],
    fields: { replyCode: "short", replyText: "shortstr", classId: "short", methodId: "short" },
  },
  "connection.close-ok": { id: [10, 51], fields: {} },
  "connection.blocked": { id: [10, 60], fields: { reason: "shortstr" } },
  "connection.unblocked": { id: [10, 61], fields: {} },
  "connection.update-secret": { id: [10, 70], fields: { newSecret: "longstr", reason: "shortstr" } },
  "connection.update-secret-ok": { id: [10, 71], fields: {} },
  "channel.open": { id: [20, 10], fields: { outOfBand: "shortstr" } },
  "channel.open-ok": { id: [20, 11], fields: { channelId: "longstr" } },
  "channel.flow": { id: [20, 20], fields: { active: "bit" } },
  "channel.flow-ok": { id: [20, 21], fields: { active: "bit" } },
  "channel.close": {
    id: [20, 40],
    fields: { replyCode: "short", replyText: "shortstr", classId: "short", methodId: "short" },
  },
  "channel.close-ok": { id: [20, 41], fields: {} },
  "access.request": {
    id: [30, 10],
    fields: { realm: "shortstr", exclusive: "bit", passive: "bit", active: "bit", write: "bit", read: "bit" },
  },
  "access.request-ok": { id: [30, 11], fields: { ticket: "short" } },
  "exchange.declare": {
    id: [40, 10],
    fields: {
      ticket: "short",
      exchange: "shortstr",
      type: "shortstr",
      passive: "bit",
      durable: "bit",
      autoDelete: "bit",
      internal: "bit",
      nowait: "bit",
      arguments: "table",
    },
  },
  "exchange.declare-ok": { id: [40, 11], fields: {} },
  "exchange.delete": {
    id: [40, 20],
    fields: { ticket: "short", exchange: "shortstr", ifUnused: "bit", nowait: "bit" },
  },
  "exchange.delete-ok": { id: [40, 21], fields: {} },
  "exchange.bind": {
    id: [40, 30],
    fields: {
      ticket: "short",
      destination: "shortstr",
      source: "shortstr",
      routingKey: "shortstr",
      nowait: "bit",
      arguments: "table",
    },
  },
  "exchange.bind-ok": { id: [40, 31], fields: {} },
  "exchange.unbind": {
    id: [40, 40],
    fields: {
      ticket: "short",
      destination: "shortstr",
      source: "shortstr",
      routingKey: "shortstr",
      nowait: "bit",
      arguments: "table",
    },
  },
  "exchange.unbind-ok": { id: [40, 51], fields: {} },
  "queue.declare": {
    id: [50, 10],
    fields: {
      ticket: "short",
      queue: "shortstr",
      passive: "bit",
      durable: "bit",
      exclusive: "bit",
      autoDelete: "bit",
      nowait: "bit",
      arguments: "table",
    },
  },
  "queue.declare-ok": { id: [50, 11], fields: { queue: "shortstr", messageCount: "long", consumerCount: "long" } },
  "queue.bind": {
    id: [50, 20],
    fields: {
      ticket: "short",
      queue: "shortstr",
      exchange: "shortstr",
      routingKey: "shortstr",
      nowait: "bit",
      arguments: "table",
    },
  },
  "queue.bind-ok": { id: [50, 21], fields: {} },
  "queue.purge": { id: [50, 30], fields: { ticket: "short", queue: "shortstr", nowait: "bit" } },
  "queue.purge-ok": { id: [50, 31], fields: { messageCount: "long" } },
  "queue.delete": {
    id: [50, 40],
    fields: { ticket: "short", queue: "shortstr", ifUnused: "bit", ifEmpty: "bit", nowait: "bit" },
  },
  "queue.delete-ok": { id: [50, 41], fields: { messageCount: "long" } },
  "queue.unbind": {
    id: [50, 50],
    fields: { ticket: "short", queue: "shortstr", exchange: "shortstr", routingKey: "shortstr", arguments: "table" },
  },
  "queue.unbind-ok": { id: [50, 51], fields: {} },
  "basic.qos": { id: [60, 10], fields: { prefetchSize: "long", prefetchCount: "short", global: "bit" } },
  "basic.qos-ok": { id: [60, 11], fields: {} },
  "basic.consume": {
    id: [60, 20],
    fields: {
      ticket: "short",
      queue: "shortstr",
      consumerTag: "shortstr",
      noLocal: "bit",
      noAck: "bit",
      exclusive: "bit",
      nowait: "bit",
      arguments: "table",
    },
  },
  "basic.consume-ok": { id: [60, 21], fields: { consumerTag: "shortstr" } },
  "basic.cancel": { id: [60, 30], fields: { consumerTag: "shortstr", nowait: "bit" } },
  "basic.cancel-ok": { id: [60, 31], fields: { consumerTag: "shortstr" } },
  "basic.publish": {
    id: [60, 40],
    fields: { ticket: "short", exchange: "shortstr", routingKey: "shortstr", mandatory: "bit", immediate: "bit" },
  },
  "basic.return": {
    id: [60, 50],
    fields: { replyCode: "short", replyText: "shortstr", exchange: "shortstr", routingKey: "shortstr" },
  },
  "basic.deliver": {
    id: [60, 60],
    fields: {
      consumerTag: "shortstr",
      deliveryTag: "longlong",
      redelivered: "bit",
      exchange: "shortstr",
      routingKey: "shortstr",
    },
  },
  "basic.get": { id: [60, 70], fields: { ticket: "short", queue: "shortstr", noAck: "bit" } },
  "basic.get-ok": {
    id: [60, 71],
    fields: {
      deliveryTag: "longlong",
      redelivered: "bit",
      exchange: "shortstr",
      routingKey: "shortstr",
      messageCount: "long",
    },
  },
  "basic.get-empty": { id: [60, 72], fields: { clusterId: "shortstr" } },
  "basic.ack": { id: [60, 80], fields: { deliveryTag: "longlong", multiple: "bit" } },
  "basic.reject": { id: [60, 90], fields: { deliveryTag: "longlong", requeue: "bit" } },
  "basic.recover-async": { id: [60, 100], fields: { requeue: "bit" } },
  "basic.recover": { id: [60, 110], fields: { requeue: "bit" } },
  "basic.recover-ok": { id: [60, 111], fields: {} },
  "basic.nack": { id: [60, 120], fields: { deliveryTag: "longlong", multiple: "bit", requeue: "bit" } },
  "confirm.select": { id: [85, 10], fields: { nowait: "bit" } },
  "confirm.select-ok": { id: [85, 11], fields: {} },
  "tx.select": { id: [90, 10], fields: {} },
  "tx.select-ok": { id: [90, 11], fields: {} },
  "tx.commit": { id: [90, 20], fields: {} },
  "tx.commit-ok": { id: [90, 21], fields: {} },
  "tx.rollback": { id: [90, 30], fields: {} },
  "tx.rollback-ok": { id: [90, 31], fields: {} },
} as const satisfies Record<string, { id: readonly [number, number]; fields: Readonly<Record<string, FieldType>> }>;

export type MethodName = keyof typeof methods;

/** The arguments of a method, by field. */
export type MethodArguments<N extends MethodName> = {
  readonly [F in keyof (typeof methods)[N]["fields"]]: (typeof methods)[N]["fields"][F] extends FieldType
    ? FieldTypes[(typeof methods)[N]["fields"][F]]
    : never;
};

/** A decoded method; `name` tells which. */
export type Method = { [N in MethodName]: { readonly name: N; readonly args: MethodArguments<N> } }[MethodName];

/** A method's class and method ids in one number, as its frame starts: class in the high 16 bits. */
export function methodId(name: MethodName): number {
  const [classId, method] = methods[name].id;
  return (classId << 16) | method;
}

const names = new Map<number, MethodName>();
for (const name of Object.keys(methods)) if (isMethodName(name)) names.set(methodId(name), name);

function isMethodName(name: string): name is MethodName {
  return name in methods;
}

/** Every method's name. */
export const methodNames: readonly MethodName[] = [...names.values()];

/** The names and types of a method's fields in wire order. */
export function methodFields(name: MethodName): readonly (readonly [string, FieldType])[] {
  return Object.entries(methods[name].fields);
}

/** Decodes the method frame payload in bytes[start, end). Throws COMMAND_INVALID or FRAME_ERROR. */
export function decodeMethod(bytes: Buffer, start: number, end: number): Method {
  if (end - start < 4) {
    const payload = erlangText(bytes.subarray(start, end));
    throw new BrokerError("FRAME_ERROR", `type 1, all octets = ${payload}: unknown_frame`);
  }
  const name = names.get(u32(bytes, start));
  if (name === undefined) throw new BrokerError("COMMAND_INVALID", "unimplemented method");
  const reader = new ArgumentsReader(bytes, start, end);
  const args: Record<string, unknown> = {};
  for (const [field, type] of methodFields(name)) args[field] = reader.read(type);
  reader.finish();
  // The loop above has just built exactly these fields with these types.
  return { name, args } as unknown as Method;
}

class ArgumentsReader {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  #at: number;
  /** The bit field being read and which of its bits is next; 8 when a new octet must be read. */
  #bits = 0;
  #bit = 8;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = start + 4;
  }

  read(type: FieldType): unknown {
    if (type === "bit") return this.#readBit();
    this.#bit = 8;
    switch (type) {
      case "octet":
        return u8(this.#bytes, this.#take(1));
      case "short":
        return u16(this.#bytes, this.#take(2));
      case "long":
        return u32(this.#bytes, this.#take(4));
      case "longlong":
        return u64(this.#bytes, this.#take(8));
      case "shortstr":
        return this.#shortString();
      case "longstr":
        return this.#longString();
      case "table":
        return this.#table();
      default:
        return type satisfies never;
    }
  }

  /** Consecutive bits share octets, least significant first (AMQP 0-9-1, 4.2.5.2). */
  #readBit(): boolean {
    if (this.#bit === 8) {
      this.#bits = u8(this.#bytes, this.#take(1));
      this.#bit = 0;
    }
    return (this.#bits & (1 << this.#bit++)) !== 0;
  }

  #shortString(): string {
    const size = u8(this.#bytes, this.#take(1));
    const from = this.#take(size);
    const text = this.#bytes.subarray(from, from + size);
    if (!isUtf8(text)) throw new BrokerError("FRAME_ERROR", "Malformed UTF-8 in shortstr");
    return text.toString("utf8");
  }

  #longString(): Buffer {
    const size = u32(this.#bytes, this.#take(4));
    const from = this.#take(size);
    return Buffer.from(this.#bytes.subarray(from, from + size));
  }

  #table(): FieldTable {
    const from = this.#take(4);
    this.#take(tableSize(this.#bytes, from) - 4);
    try {
      return decodeTable(this.#bytes, from, this.#at);
    } catch (error) {
      if (error instanceof MalformedTableError) throw this.#undecodable(error);
      throw error;
    }
  }

  finish(): void {
    if (this.#at !== this.#end) throw this.#undecodable();
  }

  #take(size: number): number {
    const from = this.#at;
    if (from + size > this.#end) throw this.#undecodable();
    this.#at = from + size;
    return from;
  }

  #undecodable(cause?: Error): BrokerError {
    const payload = erlangBinary(this.#bytes.subarray(this.#start + 4, this.#end));
    return new BrokerError("FRAME_ERROR", `cannot decode ${payload}`, { cause });
  }
}

/** Encodes a method frame's payload. */
export function encodeMethod<N extends MethodName>(name: N, args: MethodArguments<N>): Buffer {
  const parts: Buffer[] = [Buffer.alloc(4)];
  parts[0]?.writeUInt32BE(methodId(name));
  const values: Readonly<Record<string, unknown>> = args;
  let bits: Buffer | undefined;
  let bit = 0;
  for (const [field, type] of methodFields(name)) {
    const value = values[field];
    if (type !== "bit") {
      bits = undefined;
      parts.push(encodeField(type, value));
      continue;
    }
    if (bits === undefined || bit === 8) {
      bits = Buffer.alloc(1);
      bit = 0;
      parts.push(bits);
    }
    if (value === true) bits[0] = u8(bits, 0) | (1 << bit);
    bit++;
  }
  return Buffer.concat(parts);
}

function encodeField(type: Exclude<FieldType, "bit">, value: unknown): Buffer {
  switch (type) {
    case "octet":
      return integer(1, value);
    case "short":
      return integer(2, value);
    case "long":
      return integer(4, value);
    case "longlong":
      return longlong(value);
    case "shortstr":
      return shortString(value);
    case "longstr":
      return longString(value);
    case "table":
      return encodeTable(value as FieldTable);
    default:
      return type satisfies never;
  }
}

function integer(size: number, value: unknown): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(Number(value), 0, size);
  return bytes;
}

function longlong(value: unknown): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Number(value)));
  return bytes;
}

function shortString(value: unknown): Buffer {
  const bytes = Buffer.from(String(value), "utf8");
  return Buffer.concat([integer(1, bytes.length), bytes]);
}

function longString(value: unknown): Buffer {
  const bytes = Buffer.from(value as Buffer);
  return Buffer.concat([integer(4, bytes.length), bytes]);
}
