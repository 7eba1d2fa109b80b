import assert from "node:assert/strict";
import { copyBytes, putU16, putU32, putU64, u8, u16, u32, u64 } from "../bytes.ts";
import type { DefinitionChange } from "./definition-rows.ts";
import { type Batch, type CommitWaiter, type StoredSegment, segmentMessagesMax } from "./store.ts";

/*
 * Operations on messages as the writer gets them, one behind the other, integers in network order:
 *
 *     in        | 1 | segment 8 |                  what follows is about this segment
 *     message   | 2 | flags 1 | index 2 | size 4 | record |
 *     expiring  | 3 | flags 1 | index 2 | size 4 | expires at 8 | record |
 *     settled   | 4 | from 4 | to 4 |
 *     drop      | 5 |
 *     state     | 6 | queue id 8 | level 2 | count 4 | body bytes 8 | delivered to 4 | first expires at 8 | ttl + 1 8 |
 *     restate   | 7 | index 2 | flags 4 | expires at 8 |
 *
 * A message with flags beyond its one byte is followed by a restate.
 */
const op = { in: 1, message: 2, expiring: 3, settled: 4, drop: 5, state: 6, restate: 7 } as const;
const messageHead = 8;
const expiringHead = 16;
const stateSize = 43;
const restateSize = 15;
const shortFlagsMax = 0xff;

const memoryBytesMin = 64 * 1024;

/** A batch that grew beyond this gives its memory back instead of keeping it for the next. */
const keptBytesMax = 8 * 1024 * 1024;

/** Where the operations of a batch go when it is applied. */
export type BatchTarget = Omit<Batch, "wait">;

/** One batch while it is gathered, handed over and waited for: operations as bytes, and who wants to hear of it. */
export class GatheredBatch implements Batch {
  number: number;
  definitions: DefinitionChange[] = [];
  droppedQueues: number[] = [];
  callbacks: (() => void)[] = [];
  readonly #waiters: CommitWaiter[] = [];
  readonly #tags: number[] = [];
  #memory = new SharedArrayBuffer(0);
  #bytes = Buffer.from(this.#memory);
  #length = 0;
  #messages = 0;
  /** By performance.now(). */
  handedOverAt = 0;
  #segment = -1;

  constructor(number: number) {
    this.number = number;
  }

  /** True when there is nothing to write: the batch is as good as committed. */
  get isEmpty(): boolean {
    return this.#length === 0 && this.definitions.length === 0 && this.droppedQueues.length === 0;
  }

  /** Messages that it adds. */
  get messages(): number {
    return this.#messages;
  }

  /** Bytes of operations. */
  get length(): number {
    return this.#length;
  }

  /**
   * The memory with the operations in its first {@link length} bytes. It is shared with the writer: transferring an
   * ArrayBuffer would detach it, and once any has been detached V8 checks every access to every typed array for that.
   */
  get memory(): SharedArrayBuffer {
    return this.#memory;
  }

  segment(segment: StoredSegment): void {
    this.#enter(segment.number);
    const at = this.#take(stateSize);
    const bytes = this.#bytes;
    bytes[at] = op.state;
    putU64(bytes, at + 1, segment.queueId);
    putU16(bytes, at + 9, segment.level);
    putU32(bytes, at + 11, segment.count);
    putU64(bytes, at + 15, segment.bodyBytes);
    putU32(bytes, at + 23, segment.deliveredTo);
    putU64(bytes, at + 27, segment.firstExpiresAt);
    putU64(bytes, at + 35, segment.ttlMs + 1);
  }

  message(
    segment: number,
    index: number,
    flags: number,
    expiresAt: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    assert(index < segmentMessagesMax, "index beyond its segment");
    this.#enter(segment);
    this.#messages++;
    const size = end - start;
    const head = expiresAt === 0 ? messageHead : expiringHead;
    const at = this.#take(head + size);
    const target = this.#bytes;
    target[at] = expiresAt === 0 ? op.message : op.expiring;
    target[at + 1] = flags;
    putU16(target, at + 2, index);
    putU32(target, at + 4, size);
    if (expiresAt !== 0) putU64(target, at + 8, expiresAt);
    copyBytes(bytes, start, end, target, at + head);
    if (flags > shortFlagsMax) this.restate(segment, index, flags, expiresAt);
  }

  restate(segment: number, index: number, flags: number, expiresAt: number): void {
    this.#enter(segment);
    const at = this.#take(restateSize);
    this.#bytes[at] = op.restate;
    putU16(this.#bytes, at + 1, index);
    putU32(this.#bytes, at + 3, flags);
    putU64(this.#bytes, at + 7, expiresAt);
  }

  settled(segment: number, from: number, to: number): void {
    this.#enter(segment);
    const at = this.#take(9);
    this.#bytes[at] = op.settled;
    putU32(this.#bytes, at + 1, from);
    putU32(this.#bytes, at + 5, to);
  }

  dropSegment(segment: number): void {
    this.#enter(segment);
    this.#bytes[this.#take(1)] = op.drop;
  }

  wait(waiter: CommitWaiter, tag: number): void {
    this.#waiters.push(waiter);
    this.#tags.push(tag);
  }

  /** Tells everyone who waits, in the order they came: commit waiters, then callbacks. */
  fire(): void {
    for (let i = 0; i < this.#waiters.length; i++) this.#waiters[i]?.committed(this.#tags[i] ?? 0);
    for (let i = 0; i < this.callbacks.length; i++) this.callbacks[i]?.();
  }

  /** Forgets everything but its memory, to gather anew under another number. */
  reset(number: number): void {
    this.number = number;
    if (this.definitions.length > 0) this.definitions = [];
    if (this.droppedQueues.length > 0) this.droppedQueues = [];
    if (this.callbacks.length > 0) this.callbacks = [];
    this.#waiters.length = 0;
    this.#tags.length = 0;
    this.#length = this.#messages = 0;
    this.#segment = -1;
    if (this.#bytes.length <= keptBytesMax) return;
    this.#memory = new SharedArrayBuffer(0);
    this.#bytes = Buffer.from(this.#memory);
  }

  #enter(segment: number): void {
    if (segment === this.#segment) return;
    this.#segment = segment;
    const at = this.#take(9);
    this.#bytes[at] = op.in;
    putU64(this.#bytes, at + 1, segment);
  }

  /** Makes room for `size` bytes and returns where they start. */
  #take(size: number): number {
    const at = this.#length;
    this.#length = at + size;
    if (this.#length > this.#bytes.length) this.#grow(at);
    return at;
  }

  #grow(used: number): void {
    const memory = new SharedArrayBuffer(Math.max(memoryBytesMin, 2 ** Math.ceil(Math.log2(this.#length))));
    const bytes = Buffer.from(memory);
    this.#bytes.copy(bytes, 0, 0, used);
    this.#memory = memory;
    this.#bytes = bytes;
  }
}

/** Calls on `target` what was called on the batch whose operations are in `bytes`, in the same order. */
export function applyBatch(bytes: Buffer, target: BatchTarget): void {
  let segment = 0;
  let at = 0;
  while (at < bytes.length) {
    const code = u8(bytes, at);
    switch (code) {
      case op.in:
        segment = u64(bytes, at + 1);
        at += 9;
        break;
      case op.message:
      case op.expiring:
        at = applyMessage(bytes, at, segment, target);
        break;
      case op.settled:
        target.settled(segment, u32(bytes, at + 1), u32(bytes, at + 5));
        at += 9;
        break;
      case op.restate:
        target.restate(segment, u16(bytes, at + 1), u32(bytes, at + 3), u64(bytes, at + 7));
        at += restateSize;
        break;
      case op.drop:
        target.dropSegment(segment);
        at += 1;
        break;
      case op.state:
        target.segment(readState(bytes, at, segment));
        at += stateSize;
        break;
      default:
        assert.fail(`no operation ${code} in a batch`);
    }
  }
}

function applyMessage(bytes: Buffer, at: number, segment: number, target: BatchTarget): number {
  const expires = u8(bytes, at) === op.expiring;
  const start = at + (expires ? expiringHead : messageHead);
  const end = start + u32(bytes, at + 4);
  const expiresAt = expires ? u64(bytes, at + 8) : 0;
  target.message(segment, u16(bytes, at + 2), u8(bytes, at + 1), expiresAt, bytes, start, end);
  return end;
}

function readState(bytes: Buffer, at: number, number: number): StoredSegment {
  return {
    number,
    queueId: u64(bytes, at + 1),
    level: u16(bytes, at + 9),
    count: u32(bytes, at + 11),
    bodyBytes: u64(bytes, at + 15),
    deliveredTo: u32(bytes, at + 23),
    firstExpiresAt: u64(bytes, at + 27),
    ttlMs: u64(bytes, at + 35) - 1,
  };
}
