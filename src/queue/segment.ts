import { copyBytes, u64 } from "../bytes.ts";
import { addressEndOf, contentStartOf, largeRecordBytes, type Message } from "../record.ts";
import type { CommitWaiter, Store, StoredMessages, StoredSegment } from "../store/store.ts";
import { newImage, readImage } from "./segment-image.ts";
import { type LoggedQueue, type LoggedSegment, SegmentLog } from "./segment-log.ts";
import { SegmentMemory } from "./segment-memory.ts";

/** Messages in one segment: the index fits 16 bits of a message's identity. */
export const segmentMessagesMax = 65_536;
/** A segment takes no more messages once its records reach this many bytes. */
const segmentBytesFull = 1024 * 1024;
const segmentBytesFirst = 4096;
const indexFirst = 32;
/** A full segment's buffer: the last record may start just below the limit. */
const bufferBytes = segmentBytesFull + largeRecordBytes;
/** Buffers of settled segments kept for new ones, for all queues together. */
const spareMax = 16;

const spare: Buffer[] = [];
const noBytes: Buffer = Buffer.alloc(0);

/** Where the records of a segment are. */
export type Residence = "memory" | "page" | "store";

const ready = 0;
const unacked = 1;
const settled = 2;
const held = 3;
const stateMask = 3;
const redeliveredFlag = 4;
const persistentFlag = 8;
/** Handed to the store: settling it must remove it there. */
const storedFlag = 16;
/** Its expiry is being watched. */
const watchedFlag = 32;
/** What the store keeps of the flags. */
const durableFlags = redeliveredFlag | persistentFlag;
/** Outside of the columns, flags have the count of deliveries that failed above them. */
const flagsMask = 0xff;
const deliveryCountShift = 8;
const deliveryCountMax = 0xffff;

/**
 * A run of messages of one queue and priority level: their records in one buffer, and columns that say where each is
 * and how it stands. No object per message. A segment read from the store at start has no buffer until it is needed.
 */
export class Segment implements LoggedSegment {
  readonly number: number;
  readonly queueId: number;
  readonly level: number;
  /** The next index to be given out. */
  count = 0;
  /** Messages that are not settled. */
  live = 0;
  /** The queue's time to live by which its messages expire when they do; -1 for none. */
  ttlMs = -1;
  /** Transient messages are stored like others. */
  storesAll = false;
  /** Undefined when nothing of it is stored. */
  readonly #log: SegmentLog | undefined;
  #closed = false;
  #bytes: Buffer = noBytes;
  #end = 0;
  #starts = new Uint32Array(0);
  #ends = new Uint32Array(0);
  #flags = new Uint8Array(0);
  #expiresAt: Float64Array | undefined;
  /** How often deliveries of each message failed; undefined when none ever did. */
  #deliveryCounts: Uint16Array | undefined;
  #large: Map<number, Buffer> | undefined;
  #largeBytes = 0;
  /** Where the records are: in memory, as an image in the pages, or in the store alone. */
  #residence: Residence = "memory";
  /** Of the messages in the last image that was made. */
  #pageBodyBytes = 0;
  readonly #memory: SegmentMemory;
  /** Grows with every change of a message's state. */
  #changes = 0;
  /** The buffer came from the store or a page. */
  #readBack = false;
  #deliveredTo = 0;
  #firstExpiresAt = 0;
  /** A new segment; without a store its messages end with the broker. */
  constructor(
    number: number,
    queueId: number,
    level: number,
    store: Store | undefined,
    memory: SegmentMemory = new SegmentMemory(Number.POSITIVE_INFINITY),
    queue?: LoggedQueue,
  ) {
    this.#memory = memory;
    this.number = number;
    this.queueId = queueId;
    this.level = level;
    this.#log = store === undefined ? undefined : new SegmentLog(this, store, queue);
  }

  /** A segment that the store holds; its messages are read when they are needed. */
  static stored(row: StoredSegment, store: Store, memory?: SegmentMemory): Segment {
    const segment = new Segment(row.number, row.queueId, row.level, store, memory);
    segment.live = row.count;
    segment.#residence = "store";
    segment.#closed = true;
    segment.#log?.restore(row);
    segment.#deliveredTo = row.deliveredTo;
    segment.#firstExpiresAt = row.firstExpiresAt;
    segment.ttlMs = row.ttlMs;
    return segment;
  }

  get residence(): Residence {
    return this.#residence;
  }

  get resident(): boolean {
    return this.#residence === "memory";
  }

  /** True once nothing more may be appended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** When the first message expires, for a segment that is not resident; 0 when none does. */
  get firstExpiresAt(): number {
    return this.#firstExpiresAt;
  }

  /** Messages with an index below this have been delivered before. */
  get deliveredTo(): number {
    return this.#deliveredTo;
  }

  /** Messages that the store has. */
  get storedCount(): number {
    return this.#log?.storedCount ?? 0;
  }

  /** Sum of the sizes of their bodies. */
  get storedBodyBytes(): number {
    return this.#log?.storedBodyBytes ?? 0;
  }

  /** Sum of the sizes of the bodies of a segment that is not resident. */
  get awayBodyBytes(): number {
    return this.#residence === "page" ? this.#pageBodyBytes : this.storedBodyBytes;
  }

  /** Where message `index` stands among all messages of its queue and level. */
  position(index: number): number {
    return this.number * segmentMessagesMax + index;
  }

  /** Adds a message, ready. `expiresAt` 0 for never. Returns its index. */
  append(message: Message, expiresAt: number): number {
    const index = this.count++;
    if (index === this.#starts.length) this.#growIndex();
    const { size } = message;
    if (message.isLarge) this.#keepLarge(index, message.own());
    else this.#keep(index, message, size);
    const stored = (message.persistent || this.storesAll) && this.#log !== undefined;
    this.#flags[index] = stored ? persistentFlag : 0;
    if (expiresAt !== 0) this.#setExpiry(index, expiresAt);
    this.live++;
    if (index + 1 === segmentMessagesMax || this.#end >= segmentBytesFull) this.#closed = true;
    return index;
  }

  #keep(index: number, message: Message, size: number): void {
    const start = this.#end;
    if (start + size > this.#bytes.length) this.#growBytes(start + size);
    const end = message.copyTo(this.#bytes, start);
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#end = end;
  }

  /** Large records count towards the size at which the segment closes, though they are kept elsewhere. */
  #keepLarge(index: number, record: Buffer): void {
    this.#large ??= new Map();
    this.#large.set(index, record);
    this.#starts[index] = 0;
    this.#ends[index] = record.length;
    this.#largeBytes += record.length;
    this.#memory.used += record.length;
    if (this.#largeBytes >= segmentBytesFull) this.#closed = true;
  }

  #growBytes(needed: number): void {
    const bytes = newBuffer(Math.max(segmentBytesFirst, needed, this.#bytes.length * 2));
    this.#bytes.copy(bytes, 0, 0, this.#end);
    this.#setBytes(bytes);
  }

  #setBytes(bytes: Buffer): void {
    this.#memory.used += bytes.length - this.#bytes.length;
    this.#bytes = bytes;
  }

  #growIndex(): void {
    const size = Math.max(indexFirst, this.#starts.length * 2);
    this.#starts = grown(this.#starts, new Uint32Array(size));
    this.#ends = grown(this.#ends, new Uint32Array(size));
    this.#flags = grown(this.#flags, new Uint8Array(size));
    if (this.#expiresAt !== undefined) this.#expiresAt = grown(this.#expiresAt, new Float64Array(size));
    if (this.#deliveryCounts !== undefined) this.#deliveryCounts = grown(this.#deliveryCounts, new Uint16Array(size));
  }

  #setExpiry(index: number, expiresAt: number): void {
    this.#expiresAt ??= new Float64Array(this.#starts.length);
    this.#expiresAt[index] = expiresAt;
    if (expiresAt === 0) return;
    if (this.#firstExpiresAt === 0 || expiresAt < this.#firstExpiresAt) this.#firstExpiresAt = expiresAt;
  }

  /** No more messages are appended. */
  close(): void {
    this.#closed = true;
  }

  /** The segment before this one was filled: so will this one be, and its buffers are made for that at once. */
  expectLike(before: Segment): void {
    if (before.#bytes.length === bufferBytes) this.#setBytes(newBuffer(bufferBytes));
    while (this.#starts.length < before.count) this.#growIndex();
  }

  /** Gives up the buffer of a segment whose messages are all settled. */
  free(): void {
    // One that was read back is of any size, and sockets may send from it.
    if (!this.#readBack && this.#bytes.length === bufferBytes && spare.length < spareMax) spare.push(this.#bytes);
    this.#setBytes(noBytes);
  }

  /** The buffer that holds record `index`, from start(index) to end(index). */
  bytes(index: number): Buffer {
    return this.#large?.get(index) ?? this.#bytes;
  }

  /** Whether those bytes stay as they are for as long as anyone refers to them. */
  bytesStay(index: number): boolean {
    return this.#readBack || this.#large?.has(index) === true;
  }

  start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  end(index: number): number {
    return this.#ends[index] ?? 0;
  }

  /** When message `index` expires; 0 for never. */
  expiresAt(index: number): number {
    return this.#expiresAt?.[index] ?? 0;
  }

  /** Changes when message `index` expires; 0 for never. */
  retime(index: number, expiresAt: number): void {
    if (expiresAt === this.expiresAt(index)) return;
    this.#changes++;
    this.#setExpiry(index, expiresAt);
    this.#restate(index);
  }

  /** How often deliveries of message `index` failed. */
  deliveryCount(index: number): number {
    return this.#deliveryCounts?.[index] ?? 0;
  }

  /** Counts one more delivery of message `index` that failed, and returns how many that makes. */
  countDelivery(index: number): number {
    const count = Math.min(this.deliveryCount(index) + 1, deliveryCountMax);
    this.#changes++;
    this.#setDeliveryCount(index, count);
    this.#restate(index);
    return count;
  }

  #setDeliveryCount(index: number, count: number): void {
    this.#deliveryCounts ??= new Uint16Array(this.#starts.length);
    this.#deliveryCounts[index] = count;
  }

  #restate(index: number): void {
    if (((this.#flags[index] ?? 0) & storedFlag) !== 0) this.#log?.restated(index);
  }

  /** Whether somebody waits for message `index` to expire. */
  isWatched(index: number): boolean {
    return ((this.#flags[index] ?? 0) & watchedFlag) !== 0;
  }

  setWatched(index: number, watched: boolean): void {
    const flags = this.#flags[index] ?? 0;
    this.#flags[index] = watched ? flags | watchedFlag : flags & ~watchedFlag;
  }

  bodySize(index: number): number {
    const bytes = this.bytes(index);
    return u64(bytes, contentStartOf(bytes, addressEndOf(bytes, this.start(index))) + 12);
  }

  isReady(index: number): boolean {
    return ((this.#flags[index] ?? settled) & stateMask) === ready;
  }

  isSettled(index: number): boolean {
    return ((this.#flags[index] ?? settled) & stateMask) === settled;
  }

  isUnacked(index: number): boolean {
    return ((this.#flags[index] ?? settled) & stateMask) === unacked;
  }

  isRedelivered(index: number): boolean {
    return ((this.#flags[index] ?? 0) & redeliveredFlag) !== 0;
  }

  /** The same of a message that was read from where the segment is kept, with these flags. */
  isRedeliveredAs(index: number, flags: number): boolean {
    return (flags & redeliveredFlag) !== 0 || index < this.#deliveredTo;
  }

  /** The first ready index at or after `from`; `count` when there is none. */
  nextReady(from: number): number {
    let index = from;
    while (index < this.count && ((this.#flags[index] ?? 0) & stateMask) !== ready) index++;
    return index;
  }

  /** The first index at or after `from` that is not settled; `count` when there is none. */
  nextLive(from: number): number {
    let index = from;
    while (index < this.count && this.isSettled(index)) index++;
    return index;
  }

  markUnacked(index: number): void {
    this.#changes++;
    this.#flags[index] = ((this.#flags[index] ?? 0) & ~stateMask) | unacked;
    if (index < this.#deliveredTo) return;
    this.#deliveredTo = index + 1;
    if (((this.#flags[index] ?? 0) & storedFlag) !== 0) this.mark();
  }

  /** Puts a message aside; it is not ready before {@link markReady} says so. */
  markHeld(index: number): void {
    this.#changes++;
    this.#flags[index] = (this.#flags[index] ?? 0) | held;
  }

  isHeld(index: number): boolean {
    return ((this.#flags[index] ?? settled) & stateMask) === held;
  }

  /** Puts an unacked message back; it is marked as redelivered from now on. */
  markReady(index: number): void {
    this.#changes++;
    this.#flags[index] = ((this.#flags[index] ?? 0) & ~stateMask) | ready | redeliveredFlag;
  }

  /** Registers who waits until message `index`, just appended and persistent, is safe. */
  wait(index: number, waiter: CommitWaiter, tag: number): void {
    this.#log?.wait(index, waiter, tag);
  }

  /** Whether message `index` is kept by the store. */
  isPersistent(index: number): boolean {
    return ((this.#flags[index] ?? 0) & persistentFlag) !== 0;
  }

  /**
   * Message `index` is done with. One that was never handed to the store never will be; who waits for it is told now,
   * or, when something else stands in for it (`replaced`, a dead letter), once the batch being gathered is committed.
   */
  settle(index: number, replaced: boolean): void {
    const flags = this.#flags[index] ?? 0;
    this.#flags[index] = (flags & ~stateMask) | settled;
    this.live--;
    this.#changes++;
    if ((flags & storedFlag) !== 0) this.#log?.settled(index);
    else if ((flags & persistentFlag) !== 0) this.#log?.release(index, replaced);
    this.#forgetLarge(index);
    // Nothing refers to the bytes any more: the next message may overwrite them, and stays in the processor's cache.
    if (this.live === 0) this.#end = 0;
  }

  #forgetLarge(index: number): void {
    const record = this.#large?.get(index);
    if (record === undefined) return;
    this.#memory.used -= record.length;
    this.#large?.delete(index);
  }

  /** Has the store told of what changed in what it has, some time. */
  mark(): void {
    this.#log?.changed();
  }

  /** Has the store take the messages that were added within so many milliseconds, 0 for the batch being gathered. */
  storeWithin(ms: number): void {
    this.#log?.mark(ms);
  }

  /** Whether message `index` must outlive the broker and is still needed. */
  mustStore(index: number): boolean {
    const flags = this.#flags[index] ?? 0;
    return (flags & persistentFlag) !== 0 && (flags & stateMask) !== settled;
  }

  /** Notes that the store has message `index` now, and returns the flags, and the delivery count, to store with it. */
  markStored(index: number): number {
    const flags = this.#flags[index] ?? 0;
    this.#flags[index] = flags | storedFlag;
    return (flags & durableFlags) | (this.deliveryCount(index) << deliveryCountShift);
  }

  /** Forgets all messages at once, without a word to the store; who waits for one is told that nothing is left to do. */
  discard(): void {
    this.#log?.discard();
    this.#closed = true;
    this.live = 0;
    this.#flags.fill(settled);
    this.#leaveMemory();
  }

  #leaveMemory(): void {
    this.#setBytes(noBytes);
    for (const record of this.#large?.values() ?? []) this.#memory.used -= record.length;
    this.#large = undefined;
  }

  /** Whether all of it could leave memory: nothing more comes in, and nothing of it is out or waits to be packed. */
  get canLeave(): boolean {
    return this.#closed && this.live > 0 && this.resident && (this.#log?.isPacked ?? true);
  }

  /** Whether the store has every message that is left, so that nothing need be written for the segment to leave. */
  get isAllStored(): boolean {
    return this.storedCount === this.live;
  }

  /** Tells {@link leave} whether anything has changed since. */
  get changes(): number {
    return this.#changes;
  }

  /** The live messages, to be put back by {@link fillFromPage}. */
  image(): Buffer {
    let bytes = 0;
    this.#pageBodyBytes = 0;
    this.#eachLive((index) => {
      bytes += this.end(index) - this.start(index);
      this.#pageBodyBytes += this.bodySize(index);
    });
    const { image, columns } = newImage(this.live, bytes);
    let row = 0;
    let end = 0;
    this.#eachLive((index) => {
      end = copyBytes(this.bytes(index), this.start(index), this.end(index), columns.bytes, end);
      columns.indexes[row] = index;
      columns.ends[row] = end;
      columns.flags[row] = (this.#flags[index] ?? 0) | (this.deliveryCount(index) << deliveryCountShift);
      columns.expiresAt[row] = this.expiresAt(index);
      row++;
    });
    return image;
  }

  #eachLive(each: (index: number) => void): void {
    for (let index = this.nextLive(0); index < this.count; index = this.nextLive(index + 1)) each(index);
  }

  /** The records leave memory; they are where `residence` says. */
  leave(residence: "page" | "store"): void {
    this.#residence = residence;
    this.#leaveMemory();
    this.#end = 0;
    this.#starts = this.#ends = new Uint32Array(0);
    this.#flags = new Uint8Array(0);
    this.#expiresAt = undefined;
    this.#deliveryCounts = undefined;
  }

  /** Takes back in what {@link image} wrote. */
  fillFromPage(image: Buffer): void {
    const messages = readImage(image);
    this.#fillColumns(messages);
    this.#log?.filled(this.count, this.#log.storedCount);
    for (let row = 0; row < messages.indexes.length; row++) {
      this.#flags[messages.indexes[row] ?? 0] = (messages.flags[row] ?? 0) & flagsMask & ~watchedFlag;
    }
  }

  /** The page cannot be read: its messages are gone but for those that the store has, whose number it returns. */
  loseUnstored(): number {
    this.#residence = "store";
    return this.storedCount;
  }

  /** Drops a segment that is on disk only. */
  dropStored(): void {
    this.live = 0;
    this.mark();
  }

  /** Whether the store has messages of it that could not be read. */
  get hasUnread(): boolean {
    return this.#log?.hasUnread === true;
  }

  /** Has the store drop what it has and could not be read, with the rest. */
  dropUnread(): void {
    this.#log?.dropUnread();
  }

  /** Takes in the messages read from the store, which keeps `unread` more. */
  fill(messages: StoredMessages, unread = 0): void {
    const { indexes, flags } = messages;
    this.#fillColumns(messages);
    for (let row = 0; row < indexes.length; row++) {
      const index = indexes[row] ?? 0;
      const redelivered = index < this.#deliveredTo ? redeliveredFlag : 0;
      this.#flags[index] = ((flags[row] ?? 0) & durableFlags) | storedFlag | redelivered;
    }
    this.#log?.filled(this.count, indexes.length);
    // Nearly always nothing is missing.
    if (unread > 0 || this.hasUnread) this.#log?.missed(unread, this.#bodyBytes());
  }

  #bodyBytes(): number {
    let bytes = 0;
    this.#eachLive((index) => {
      bytes += this.bodySize(index);
    });
    return bytes;
  }

  #fillColumns({ indexes, flags, expiresAt, ends, bytes }: StoredMessages): void {
    this.count = (indexes[indexes.length - 1] ?? -1) + 1;
    this.#starts = new Uint32Array(this.count);
    this.#ends = new Uint32Array(this.count);
    this.#flags = new Uint8Array(this.count).fill(settled);
    this.#setBytes(bytes);
    this.#firstExpiresAt = 0;
    for (let row = 0; row < indexes.length; row++) {
      const index = indexes[row] ?? 0;
      this.#starts[index] = ends[row - 1] ?? 0;
      this.#ends[index] = ends[row] ?? 0;
      const due = expiresAt[row] ?? 0;
      if (due !== 0) this.#setExpiry(index, due);
      const failures = (flags[row] ?? 0) >>> deliveryCountShift;
      if (failures > 0) this.#setDeliveryCount(index, failures);
    }
    this.live = indexes.length;
    this.#residence = "memory";
    this.#readBack = true;
  }
}

/** Buffers beyond half of the full size are of the full size, so that they can be used again. */
function newBuffer(size: number): Buffer {
  if (size <= bufferBytes / 2) return Buffer.allocUnsafeSlow(size);
  return spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
