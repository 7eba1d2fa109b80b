import type { Batch, BatchSource, CommitWaiter, Store, StoredSegment } from "../store/store.ts";
import type { QueueCounters } from "./queue-counters.ts";
import type { QuickAcks } from "./quick-acks.ts";

/** A segment as its log sees it. */
export interface LoggedSegment {
  readonly number: number;
  readonly queueId: number;
  readonly level: number;
  readonly count: number;
  readonly live: number;
  readonly closed: boolean;
  readonly deliveredTo: number;
  readonly firstExpiresAt: number;
  readonly ttlMs: number;
  bytes(index: number): Buffer;
  start(index: number): number;
  end(index: number): number;
  bodySize(index: number): number;
  expiresAt(index: number): number;
  /** Whether a message must outlive the broker and is still needed. */
  mustStore(index: number): boolean;
  /** Notes that the store has a message now, and returns the flags to store with it. */
  markStored(index: number): number;
}

/** The queue of a segment, as far as its log tells it things. */
export interface LoggedQueue {
  readonly acks: QuickAcks;
  readonly counters: Pick<QueueCounters, "diskWrites">;
}

/** How long a message that a consumer has may wait for its ack before it is written. */
export const ackWaitMs = 2;
/** How long what nobody waits for, such as the removal of an acked message, may wait for company. */
const idleWaitMs = 10;

/**
 * What a segment of a durable queue owes the store: which of its messages are there, which must go there with the next
 * batch and who waits for that, and which must be removed. A message that is settled before it was packed never gets
 * there.
 */
export class SegmentLog implements BatchSource {
  readonly #segment: LoggedSegment;
  readonly #store: Store;
  readonly #queue: LoggedQueue | undefined;
  /** Within how many milliseconds the store was asked to pack; infinite when there is nothing to pack. */
  #withinMs = Number.POSITIVE_INFINITY;
  /** Something of what the store has must be changed there. */
  #changed = false;
  #discarded = false;
  /** Whether the store has a row for this segment. */
  #inStore = false;
  #storedCount = 0;
  #storedBodyBytes = 0;
  /** Messages that the store has besides, which could not be read: they outlive all others of the segment. */
  #unread = 0;
  #unreadBytes = 0;
  /** Messages below this index have been packed or need no packing. */
  #packedTo = 0;
  /** Messages below this index have waited for their acks long enough. */
  #ripeTo = 0;
  /** Who waits for the messages from #packedTo on. */
  #waiters: (CommitWaiter | undefined)[] = [];
  readonly #waiterTags: number[] = [];
  /** Pairs [from, to) of stored messages settled since the last batch. */
  #settledRanges: number[] = [];
  /** Stored messages of which something else than their bytes changed since the last batch. */
  #restated: number[] = [];

  constructor(segment: LoggedSegment, store: Store, queue: LoggedQueue | undefined) {
    this.#segment = segment;
    this.#store = store;
    this.#queue = queue;
  }

  /** Takes over what the store says it has of the segment. */
  restore(row: StoredSegment): void {
    this.#inStore = true;
    this.#storedCount = row.count;
    this.#storedBodyBytes = row.bodyBytes;
  }

  /** Messages that the store has. */
  get storedCount(): number {
    return this.#storedCount;
  }

  /** Sum of the sizes of their bodies. */
  get storedBodyBytes(): number {
    return this.#storedBodyBytes;
  }

  /** Whether nothing waits to be packed: the store was not asked to since, as transient messages need none of it. */
  get isPacked(): boolean {
    return this.#withinMs === Number.POSITIVE_INFINITY;
  }

  /** The segment was read back: it has `count` messages, all there is of it, and none to pack. */
  filled(count: number, stored: number): void {
    this.#packedTo = this.#ripeTo = count;
    this.#storedCount = stored;
  }

  /** The store has so many messages besides those with bodies of `bodyBytes`, which could not be read. */
  missed(unread: number, bodyBytes: number): void {
    this.#unread = unread;
    this.#unreadBytes = Math.max(0, this.#storedBodyBytes + this.#unreadBytes - bodyBytes);
    this.#storedBodyBytes = bodyBytes;
  }

  /** They are not to outlive the others any more. */
  dropUnread(): void {
    if (this.#unread === 0) return;
    this.#unread = this.#unreadBytes = 0;
    this.changed();
  }

  get hasUnread(): boolean {
    return this.#unread > 0;
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

  /** A message that the store has is settled. */
  settled(index: number): void {
    this.#storedCount--;
    this.#storedBodyBytes -= this.#segment.bodySize(index);
    const ranges = this.#settledRanges;
    if (ranges.length > 0 && ranges[ranges.length - 1] === index) ranges[ranges.length - 1] = index + 1;
    else ranges.push(index, index + 1);
    this.changed();
  }

  /** What is kept of a message that the store has, besides its bytes, has changed. */
  restated(index: number): void {
    this.#restated.push(index);
    this.changed();
  }

  /**
   * A message that the store does not have is settled. Who waits for it is told now, or, when something else stands in
   * for it (`replaced`, a dead letter), once the batch being gathered is committed.
   */
  release(index: number, replaced: boolean): void {
    if (!replaced) this.#queue?.acks.inTime();
    const at = index - this.#packedTo;
    const waiter = this.#waiters[at];
    if (waiter === undefined) return;
    this.#waiters[at] = undefined;
    const tag = this.#waiterTags[at] ?? 0;
    if (replaced) this.#store.whenCommitted(this.#store.gathering, () => waiter.committed(tag));
    else waiter.committed(tag);
  }

  /** What the store has of the segment must be changed there some time. */
  changed(): void {
    this.#changed = true;
    this.mark(idleWaitMs);
  }

  /** Has the store call pack() within so many milliseconds, 0 for the batch being gathered. */
  mark(withinMs: number): void {
    if (withinMs >= this.#withinMs || this.#discarded) return;
    this.#withinMs = withinMs;
    this.#store.mark(this, withinMs);
  }

  /**
   * Writes what changed since the last batch; but for messages that came after pack() was last called, whose acks may
   * be near, unless `all` must be written. Returns whether some were left.
   */
  pack(batch: Batch, all: boolean): boolean {
    const segment = this.#segment;
    const isUrgent = all || this.#withinMs === 0;
    const to = isUrgent ? segment.count : this.#ripeTo;
    if (segment.live === 0 && segment.closed && this.#unread === 0) {
      if (this.#inStore) batch.dropSegment(segment.number);
      this.#packed(segment.count);
    } else {
      const added = this.#countStored(to);
      if (this.#queue !== undefined) this.#queue.counters.diskWrites += added;
      if (added > 0 || (this.#changed && this.#inStore)) this.#packUpTo(batch, to);
      if (!isUrgent) this.#queue?.acks.late(added);
      this.#packed(to);
    }
    this.#ripeTo = segment.count;
    const isLeft = this.#packedTo < segment.count;
    this.#withinMs = isLeft ? ackWaitMs : Number.POSITIVE_INFINITY;
    return isLeft;
  }

  #packUpTo(batch: Batch, to: number): void {
    const segment = this.#segment;
    const ranges = this.#settledRanges;
    this.#inStore = true;
    batch.segment(this.#row());
    for (let index = this.#packedTo; index < to; index++) this.#packMessage(batch, index);
    for (const index of this.#restated) this.#packRestated(batch, index);
    for (let i = 0; i < ranges.length; i += 2) batch.settled(segment.number, ranges[i] ?? 0, ranges[i + 1] ?? 0);
  }

  #packRestated(batch: Batch, index: number): void {
    const segment = this.#segment;
    if (!segment.mustStore(index)) return;
    batch.restate(segment.number, index, segment.markStored(index), segment.expiresAt(index));
  }

  /** Counts the messages below `to` that a batch adds, and returns how many they are. */
  #countStored(to: number): number {
    const segment = this.#segment;
    const before = this.#storedCount;
    for (let index = this.#packedTo; index < to; index++) {
      if (!segment.mustStore(index)) continue;
      this.#storedCount++;
      this.#storedBodyBytes += segment.bodySize(index);
    }
    return this.#storedCount - before;
  }

  #packMessage(batch: Batch, index: number): void {
    const segment = this.#segment;
    if (!segment.mustStore(index)) return;
    batch.message(
      segment.number,
      index,
      segment.markStored(index),
      segment.expiresAt(index),
      segment.bytes(index),
      segment.start(index),
      segment.end(index),
    );
    const waiter = this.#waiters[index - this.#packedTo];
    if (waiter !== undefined) batch.wait(waiter, this.#waiterTags[index - this.#packedTo] ?? 0);
  }

  #packed(to: number): void {
    const count = to - this.#packedTo;
    this.#packedTo = to;
    this.#changed = false;
    if (this.#settledRanges.length > 0) this.#settledRanges = [];
    if (this.#restated.length > 0) this.#restated = [];
    this.#waiters.splice(0, count);
    this.#waiterTags.splice(0, count);
  }

  #row(): StoredSegment {
    const { number, queueId, level, deliveredTo, firstExpiresAt, ttlMs } = this.#segment;
    const count = this.#storedCount + this.#unread;
    const bodyBytes = this.#storedBodyBytes + this.#unreadBytes;
    return { number, queueId, level, count, bodyBytes, deliveredTo, firstExpiresAt, ttlMs };
  }

  /** The queue has gone: nothing more is packed, and who waits is told that nothing is left to do. */
  discard(): void {
    for (let at = 0; at < this.#waiters.length; at++) this.#waiters[at]?.committed(this.#waiterTags[at] ?? 0);
    this.#waiters = [];
    this.#settledRanges = [];
    this.#restated = [];
    this.#discarded = true;
  }
}
