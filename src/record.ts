import { copyBytes, u8, u16, u32, u64 } from "./bytes.ts";
import { BrokerError } from "./errors.ts";
import { decodeTable, emptyTable, type FieldTable, MalformedTableError } from "./field-table.ts";

/*
 * A message is kept in wire form, as the bytes that end a basic.deliver and the content frames that follow it, so
 * that a delivery is a copy with the channel numbers patched:
 *
 *     address                               content
 *    +-------+----------+-------+-----+    +------+-----------------------------------------------+-------------+
 *    | exlen | exchange | rklen | key |    | 0xCE | 2 | channel | size | header payload     | 0xCE | body frames |
 *    +-------+----------+-------+-----+    +------+-----------------------------------------------+-------------+
 *
 *    header payload: class-id 2, weight 2, body-size 8, property-flags 2, properties
 *
 * While a message is being published the two parts may stand apart in the socket's chunk; in a record they touch, or
 * there are headers for the broker alone between them, which no client is to see:
 *
 *    +------+---------------+
 *    | 0xCF | headers table |
 *    +------+---------------+
 */

/** The end octet of every frame. */
export const frameEnd = 0xce;

/** The octet in front of the headers for the broker alone. */
export const hiddenStart = 0xcf;

/** Bytes around a frame's payload: type 1, channel 2, size 4 in front, the end octet behind. */
export const frameOverhead = 8;

/** Bits of the property flags (AMQP 0-9-1 section 4.2.6.1), in the order of the properties. */
export const propertyFlag = {
  contentType: 0x8000,
  contentEncoding: 0x4000,
  headers: 0x2000,
  deliveryMode: 0x1000,
  priority: 0x0800,
  correlationId: 0x0400,
  replyTo: 0x0200,
  expiration: 0x0100,
  messageId: 0x0080,
  timestamp: 0x0040,
  type: 0x0020,
  userId: 0x0010,
  appId: 0x0008,
  clusterId: 0x0004,
} as const;

/**
 * A record of more bytes than this is kept in a buffer of its own and never copied: queues and sockets share it. Smaller
 * ones are copied into memory that is used again and again, as page faults on fresh memory cost more than copies.
 */
export const largeRecordBytes = 256 * 1024;

/** The same for records that go to several queues, or have a buffer of their own already. */
export const sharedRecordBytes = 16 * 1024;

const flagsOffset = 20; // from contentStart: 0xCE, frame header 7, class-id 2, weight 2, body-size 8
const propertiesOffset = 22;

/** Where a message is and what routing and queues need of it. Reused for message after message: keep nothing of it. */
export class Message {
  bytes: Buffer = Buffer.alloc(0);
  addressStart = 0;
  addressEnd = 0;
  contentStart = 0;
  contentEnd = 0;
  bodySize = 0;
  propertyFlags = 0;
  persistent = false;
  /** The priority property, 0 when absent. */
  priority = 0;
  /** How long it may wait in a queue, from its expiration property; -1 for ever. Set by who checks that property. */
  expiresAfterMs = -1;
  /** Offsets of properties in `bytes`, 0 when absent. */
  headersAt = 0;
  replyToAt = 0;
  expirationAt = 0;
  userIdAt = 0;
  /** Where the headers for the broker alone are, 0 when absent: only records have them. */
  #hiddenAt = 0;
  /** The message as a record of its own, once someone asked for it. */
  #owned: Buffer | undefined;

  /** Points at a message whose parts stand at these places, and reads its properties. Throws FRAME_ERROR. */
  set(bytes: Buffer, addressStart: number, addressEnd: number, contentStart: number, contentEnd: number): this {
    this.bytes = bytes;
    this.#owned = undefined;
    this.expiresAfterMs = -1;
    this.#hiddenAt = 0;
    this.addressStart = addressStart;
    this.addressEnd = addressEnd;
    this.contentStart = contentStart;
    this.contentEnd = contentEnd;
    this.bodySize = u64(bytes, contentStart + 12);
    this.propertyFlags = u16(bytes, contentStart + flagsOffset);
    this.#readProperties();
    return this;
  }

  /** Points at the record in `bytes[start, end)`. */
  setRecord(bytes: Buffer, start: number, end: number): this {
    const addressEnd = addressEndOf(bytes, start);
    const contentStart = contentStartOf(bytes, addressEnd);
    this.set(bytes, start, addressEnd, contentStart, end);
    if (contentStart !== addressEnd) this.#hiddenAt = addressEnd + 1;
    return this;
  }

  /** Size of the record this message makes. */
  get size(): number {
    if (this.#hiddenAt !== 0) return this.contentEnd - this.addressStart;
    return this.addressEnd - this.addressStart + this.contentEnd - this.contentStart;
  }

  /** Writes the record at `at` and returns where it ends. */
  copyTo(target: Buffer, at: number): number {
    if (this.#hiddenAt !== 0) return copyBytes(this.bytes, this.addressStart, this.contentEnd, target, at);
    const middle = copyBytes(this.bytes, this.addressStart, this.addressEnd, target, at);
    return copyBytes(this.bytes, this.contentStart, this.contentEnd, target, middle);
  }

  /** The message as a record of its own, which stays valid. */
  toRecord(): Buffer {
    const record = Buffer.allocUnsafeSlow(this.size);
    this.copyTo(record, 0);
    return record;
  }

  /** Points at a record that is a buffer of its own, which whoever keeps the message may share. */
  setOwned(record: Buffer): this {
    this.setRecord(record, 0, record.length);
    this.#owned = record;
    return this;
  }

  /** The message as a record of its own, the same one at each call, so that several queues hold it once. */
  own(): Buffer {
    this.#owned ??= this.toRecord();
    return this.#owned;
  }

  /** Whether its bytes are a record of its own, so that they stay as they are while anyone refers to them. */
  get stays(): boolean {
    return this.#owned === this.bytes;
  }

  /** Has several who keep the message share one record of it, if it is worth that. */
  share(): void {
    if (!this.stays && this.size > sharedRecordBytes) this.own();
  }

  /** Whether to keep it as its {@link own} record rather than as a copy among others. */
  get isLarge(): boolean {
    const { size } = this;
    return size > largeRecordBytes || (this.#owned !== undefined && size > sharedRecordBytes);
  }

  get exchange(): string {
    return readShortString(this.bytes, this.addressStart);
  }

  get routingKey(): string {
    return readShortString(this.bytes, this.addressStart + 1 + u8(this.bytes, this.addressStart));
  }

  /** The expiration property as it was sent; undefined when absent. */
  get expiration(): string | undefined {
    return this.expirationAt === 0 ? undefined : readShortString(this.bytes, this.expirationAt);
  }

  get replyTo(): string | undefined {
    return this.replyToAt === 0 ? undefined : readShortString(this.bytes, this.replyToAt);
  }

  get userId(): string | undefined {
    return this.userIdAt === 0 ? undefined : readShortString(this.bytes, this.userIdAt);
  }

  /** Decodes the headers property; an empty table when absent. */
  headers(): FieldTable {
    if (this.headersAt === 0) return emptyTable;
    try {
      return decodeTable(this.bytes, this.headersAt, this.propertiesEnd);
    } catch (error) {
      if (error instanceof MalformedTableError) throw malformed(this, error);
      throw error;
    }
  }

  get hasHiddenHeaders(): boolean {
    return this.#hiddenAt !== 0;
  }

  /** Headers for the broker alone: the BCC that its sender gave. */
  hiddenHeaders(): FieldTable {
    return this.#hiddenAt === 0 ? emptyTable : decodeTable(this.bytes, this.#hiddenAt, this.contentStart);
  }

  get propertiesStart(): number {
    return this.contentStart + propertiesOffset;
  }

  get propertiesEnd(): number {
    return this.contentStart + 8 + u32(this.bytes, this.contentStart + 4);
  }

  /** Where the body frames start: behind the end octet of the header frame. */
  get bodyStart(): number {
    return this.propertiesEnd + 1;
  }

  /**
   * Steps over every property to find those the broker acts on. Each step only moves forward, so one comparison at
   * the end tells whether all lengths were right.
   */
  #readProperties(): void {
    const { bytes, propertyFlags: flags } = this;
    let at = this.propertiesStart;
    this.persistent = false;
    this.priority = 0;
    this.headersAt = this.replyToAt = this.expirationAt = this.userIdAt = 0;
    if (flags & propertyFlag.contentType) at += 1 + u8(bytes, at);
    if (flags & propertyFlag.contentEncoding) at += 1 + u8(bytes, at);
    if (flags & propertyFlag.headers) {
      this.headersAt = at;
      at += 4 + u32(bytes, at);
    }
    if (flags & propertyFlag.deliveryMode) this.persistent = u8(bytes, at++) === 2;
    if (flags & propertyFlag.priority) this.priority = u8(bytes, at++);
    if (flags & propertyFlag.correlationId) at += 1 + u8(bytes, at);
    if (flags & propertyFlag.replyTo) {
      this.replyToAt = at;
      at += 1 + u8(bytes, at);
    }
    if (flags & propertyFlag.expiration) {
      this.expirationAt = at;
      at += 1 + u8(bytes, at);
    }
    if (flags & propertyFlag.messageId) at += 1 + u8(bytes, at);
    if (flags & propertyFlag.timestamp) at += 8;
    if (flags & propertyFlag.type) at += 1 + u8(bytes, at);
    if (flags & propertyFlag.userId) {
      this.userIdAt = at;
      at += 1 + u8(bytes, at);
    }
    if (flags & propertyFlag.appId) at += 1 + u8(bytes, at);
    if (flags & propertyFlag.clusterId) at += 1 + u8(bytes, at);
    if (at !== this.propertiesEnd || flags & 0x0003) throw malformed(this);
  }
}

function malformed(message: Message, cause?: Error): BrokerError {
  const bytes = message.bytes.subarray(message.contentStart + 8, Math.min(message.propertiesEnd, message.contentEnd));
  return new BrokerError("FRAME_ERROR", `cannot decode ${erlangBinary(bytes)}`, { cause });
}

/** Bytes as RabbitMQ's texts print them one by one: `<<1,2,255>>`. */
export function erlangBinary(bytes: Uint8Array): string {
  return `<<${bytes.join(",")}>>`;
}

/** Bytes as RabbitMQ's texts print them when they may be readable: `<<"abc">>`, else one by one. */
export function erlangText(bytes: Buffer): string {
  const text = bytes.toString("latin1");
  return text === "" || !/^[ -~]*$/.test(text) ? erlangBinary(bytes) : `<<${JSON.stringify(text)}>>`;
}

/** Where the address of the record at `start` ends. */
export function addressEndOf(bytes: Buffer, start: number): number {
  const key = start + 1 + u8(bytes, start);
  return key + 1 + u8(bytes, key);
}

/** Where the content of a record starts whose address ends here. */
export function contentStartOf(bytes: Buffer, addressEnd: number): number {
  if (u8(bytes, addressEnd) === frameEnd) return addressEnd;
  const hiddenAt = addressEnd + 1;
  return hiddenAt + 4 + u32(bytes, hiddenAt);
}

export function readShortString(bytes: Buffer, at: number): string {
  const start = at + 1;
  return bytes.toString("utf8", start, start + u8(bytes, at));
}
