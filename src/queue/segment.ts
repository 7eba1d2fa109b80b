import { u64 } from "../bytes.ts";
import { addressEndOf, largeRecordBytes, type Message } from "../record.ts";
import type { Batch, BatchSource, CommitWaiter, Store, StoredMessages, StoredSegment } from "../store/store.ts";

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

const ready = 0;
const unacked = 1;
const settled = 2;
const stateMask = 3;
const redeliveredFlag = 4;
const persistentFlag = 8;
/** Handed to the store: settling it must remove it there. */
const storedFlag = 16;
/** Its expiry is being watched. */
const watchedFlag = 32;
/** What the store keeps of the flags. */
const durableFlags = redeliveredFlag | persistentFlag;

/**
 * A run of messages of one queue and priority level: their records in one buffer, and columns that say where each is
 * and how it stands. No object per message. A segment read from the store at start has no buffer until it is needed.
 */
export class Segment implements BatchSource {
  readonly number: number;
  readonly queueId: number;
  readonly level: number;
  /** The next index to be given out. */
  count = 0;
  /** Messages that are not settled. */
  live = 0;
  #store: Store | undefined;
  #closed = false;
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  #starts = new Uint32Array(0);
  #ends = new Uint32Array(0);
  #flags = new Uint8Array(0);
  #expiresAt: Float64Array | undefined;
  #large: Map<number, Buffer> | undefined;
  #largeBytes = 0;
  /** Whether the records are in memory. */
  #resident = true;
  /** Whether the buffer came from the store. Then it has large records too, which a socket may still refer to. */
  #wasRead = false;
  #marked = false;
  /** Whether the store has a row for this segment. */
  #inStore = false;
  #storedCount = 0;
  #storedBodyBytes = 0;
  #deliveredTo = 0;
  #firstExpiresAt = 0;
  /** Messages below this index have been packed or need no packing. */
  #packedTo = 0;
  /** Who waits for the messages from #packedTo on. */
  #waiters: (CommitWaiter | undefined)[] = [];
  #waiterTags: number[] = [];
  /** Pairs [from, to) of stored messages settled since the last batch. */
  #settledRanges: number[] = [];

  /** A new segment; without a store its messages live in memory only. */
  constructor(number: number, queueId: number, level: number, store: Store | undefined) {
    this.number = number;
    this.queueId = queueId;
    this.level = level;
    this.#store = store;
  }

  /** A segment that the store holds; its messages are read when they are needed. */
  static stored(row: StoredSegment, store: Store): Segment {
    const segment = new Segment(row.number, row.queueId, row.level, store);
    segment.live = row.count;
    segment.#resident = false;
    segment.#closed = true;
    segment.#inStore = true;
    segment.#storedCount = row.count;
    segment.#storedBodyBytes = row.bodyBytes;
    segment.#deliveredTo = row.deliveredTo;
    segment.#firstExpiresAt = row.firstExpiresAt;
    return segment;
  }

  get resident(): boolean {
    return this.#resident;
  }

  /** True once nothing more may be appended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** When the first message expires, for a segment that is not resident; 0 when none does. */
  get firstExpiresAt(): number {
    return this.#firstExpiresAt;
  }

  /** Sum of the body sizes on disk. */
  get storedBodyBytes(): number {
    return this.#storedBodyBytes;
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
    if (size > largeRecordBytes) this.#keepLarge(index, message.own());
    else this.#keep(index, message, size);
    this.#flags[index] = message.persistent && this.#store !== undefined ? persistentFlag : 0;
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
    if (this.#largeBytes >= segmentBytesFull) this.#closed = true;
  }

  #growBytes(needed: number): void {
    const size = Math.max(segmentBytesFirst, needed, Math.min(this.#bytes.length * 2, bufferBytes));
    const bytes = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(bytes, 0, 0, this.#end);
    this.#bytes = bytes;
  }

  #growIndex(): void {
    const size = Math.max(indexFirst, this.#starts.length * 2);
    this.#starts = grown(this.#starts, new Uint32Array(size));
    this.#ends = grown(this.#ends, new Uint32Array(size));
    this.#flags = grown(this.#flags, new Uint8Array(size));
    if (this.#expiresAt !== undefined) this.#expiresAt = grown(this.#expiresAt, new Float64Array(size));
  }

  #setExpiry(index: number, expiresAt: number): void {
    this.#expiresAt ??= new Float64Array(this.#starts.length);
    this.#expiresAt[index] = expiresAt;
    if (this.#firstExpiresAt === 0 || expiresAt < this.#firstExpiresAt) this.#firstExpiresAt = expiresAt;
  }

  /** No more messages are appended. */
  close(): void {
    this.#closed = true;
  }

  /** The segment before this one was filled: so will this one be, and its buffers are made for that at once. */
  expectLike(before: Segment): void {
    if (before.#bytes.length >= bufferBytes) this.#bytes = spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    while (this.#starts.length < before.count) this.#growIndex();
  }

  /** Gives up the buffer of a segment whose messages are all settled. */
  free(): void {
    const reusable = this.#bytes.length === bufferBytes && !this.#wasRead;
    if (reusable && spare.length < spareMax) spare.push(this.#bytes);
    this.#bytes = Buffer.alloc(0);
  }

  /** The buffer that holds record `index`, from start(index) to end(index). */
  bytes(index: number): Buffer {
    return this.#large?.get(index) ?? this.#bytes;
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
    return u64(bytes, addressEndOf(bytes, this.start(index)) + 12);
  }

  isReady(index: number): boolean {
    return ((this.#flags[index] ?? settled) & stateMask) === ready;
  }

  isUnacked(index: number): boolean {
    return ((this.#flags[index] ?? settled) & stateMask) === unacked;
  }

  isRedelivered(index: number): boolean {
    return ((this.#flags[index] ?? 0) & redeliveredFlag) !== 0;
  }

  /** The first ready index at or after `from`; `count` when there is none. */
  nextReady(from: number): number {
    let index = from;
    while (index < this.count && ((this.#flags[index] ?? 0) & stateMask) !== ready) index++;
    return index;
  }

  markUnacked(index: number): void {
    this.#flags[index] = ((this.#flags[index] ?? 0) & ~stateMask) | unacked;
    if (index < this.#deliveredTo) return;
    this.#deliveredTo = index + 1;
    if (((this.#flags[index] ?? 0) & storedFlag) !== 0) this.mark();
  }

  /** Puts an unacked message back; it is marked as redelivered from now on. */
  markReady(index: number): void {
    this.#flags[index] = ((this.#flags[index] ?? 0) & ~stateMask) | ready | redeliveredFlag;
  }

  /** Registers who waits until message `index`, just appended and persistent, is safe. */
  wait(index: number, waiter: CommitWaiter, tag: number): void {
    const at = index - this.#packedTo;
    while (this.#waiters.length < at) {
      this.#waiters.push(undefined);
      this.#waiterTags.push(0);
    }
    this.#waiters[at] = waiter;
    this.#waiterTags[at] = tag;
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
    if ((flags & storedFlag) !== 0) this.#unstore(index);
    else if ((flags & persistentFlag) !== 0) this.#release(index, replaced);
    this.#large?.delete(index);
    // Nothing refers to the bytes any more: the next message may overwrite them, and stays in the processor's cache.
    if (this.live === 0) this.#end = 0;
  }

  #unstore(index: number): void {
    this.#storedCount--;
    this.#storedBodyBytes -= this.bodySize(index);
    const ranges = this.#settledRanges;
    if (ranges.length > 0 && ranges[ranges.length - 1] === index) ranges[ranges.length - 1] = index + 1;
    else ranges.push(index, index + 1);
    this.mark();
  }

  #release(index: number, replaced: boolean): void {
    const at = index - this.#packedTo;
    const waiter = this.#waiters[at];
    if (waiter === undefined) return;
    this.#waiters[at] = undefined;
    const tag = this.#waiterTags[at] ?? 0;
    if (replaced && this.#store !== undefined) {
      this.#store.whenCommitted(this.#store.gathering, () => waiter.committed(tag));
    } else waiter.committed(tag);
  }

  /** Has the store call pack() for the batch being gathered. */
  mark(): void {
    if (this.#marked || this.#store === undefined) return;
    this.#marked = true;
    this.#store.mark(this);
  }

  /** Writes what changed since the last batch. */
  pack(batch: Batch): void {
    this.#marked = false;
    if (this.live === 0 && this.#closed) {
      if (this.#inStore) batch.dropSegment(this.number);
    } else if (this.#countStored() || this.#inStore) {
      this.#inStore = true;
      batch.segment(this.#row());
      for (let index = this.#packedTo; index < this.count; index++) this.#packMessage(batch, index);
      for (let i = 0; i < this.#settledRanges.length; i += 2) {
        batch.settled(this.number, this.#settledRanges[i] ?? 0, this.#settledRanges[i + 1] ?? 0);
      }
    }
    this.#packed();
  }

  /** Counts what this batch adds, and tells whether that is anything. */
  #countStored(): boolean {
    const before = this.#storedCount;
    for (let index = this.#packedTo; index < this.count; index++) {
      if (!this.#mustStore(index)) continue;
      this.#storedCount++;
      this.#storedBodyBytes += this.bodySize(index);
    }
    return this.#storedCount > before;
  }

  #packed(): void {
    this.#packedTo = this.count;
    this.#settledRanges = [];
    if (this.#waiters.length > 0) {
      this.#waiters = [];
      this.#waiterTags = [];
    }
  }

  #mustStore(index: number): boolean {
    const flags = this.#flags[index] ?? 0;
    return (flags & persistentFlag) !== 0 && (flags & stateMask) !== settled;
  }

  #packMessage(batch: Batch, index: number): void {
    if (!this.#mustStore(index)) return;
    const flags = this.#flags[index] ?? 0;
    const stored = flags & durableFlags;
    batch.message(
      this.number,
      index,
      stored,
      this.expiresAt(index),
      this.bytes(index),
      this.start(index),
      this.end(index),
    );
    this.#flags[index] = flags | storedFlag;
    const waiter = this.#waiters[index - this.#packedTo];
    if (waiter !== undefined) batch.wait(waiter, this.#waiterTags[index - this.#packedTo] ?? 0);
  }

  #row(): StoredSegment {
    return {
      number: this.number,
      queueId: this.queueId,
      level: this.level,
      count: this.#storedCount,
      bodyBytes: this.#storedBodyBytes,
      deliveredTo: this.#deliveredTo,
      firstExpiresAt: this.#firstExpiresAt,
    };
  }

  /** Forgets all messages at once, without a word to the store; who waits for one is told that nothing is left to do. */
  discard(): void {
    for (let at = 0; at < this.#waiters.length; at++) this.#waiters[at]?.committed(this.#waiterTags[at] ?? 0);
    this.#waiters = [];
    this.#settledRanges = [];
    this.#store = undefined;
    this.#closed = true;
    this.live = 0;
    this.#flags.fill(settled);
    this.#bytes = Buffer.alloc(0);
    this.#large = undefined;
  }

  /** Drops a segment that is on disk only. */
  dropStored(): void {
    this.live = 0;
    this.mark();
  }

  /** Takes in the messages read from the store. */
  fill(messages: StoredMessages): void {
    const { indexes, flags, expiresAt, ends, bytes } = messages;
    const last = indexes[indexes.length - 1];
    this.count = last === undefined ? 0 : last + 1;
    this.#starts = new Uint32Array(this.count);
    this.#ends = new Uint32Array(this.count);
    this.#flags = new Uint8Array(this.count).fill(settled);
    this.#bytes = bytes;
    this.#packedTo = this.count;
    this.#firstExpiresAt = 0;
    for (let row = 0; row < indexes.length; row++) {
      const index = indexes[row] ?? 0;
      this.#starts[index] = ends[row - 1] ?? 0;
      this.#ends[index] = ends[row] ?? 0;
      const redelivered = index < this.#deliveredTo ? redeliveredFlag : 0;
      this.#flags[index] = ((flags[row] ?? 0) & durableFlags) | storedFlag | redelivered;
      const due = expiresAt[row] ?? 0;
      if (due !== 0) this.#setExpiry(index, due);
    }
    this.live = indexes.length;
    this.#storedCount = indexes.length;
    this.#resident = true;
    this.#wasRead = true;
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
