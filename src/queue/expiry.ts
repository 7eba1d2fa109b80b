import type { Clock } from "../clock.ts";
import { EarliestTimer } from "../earliest-timer.ts";
import { MessageHeap } from "./message-heap.ts";
import type { Segment } from "./segment.ts";

/** Entries of messages that have gone are swept out once they outnumber the rest by this many. */
const staleMax = 1000;
/** A segment that is not in memory is read this long before its first message expires: many may be due together. */
const readAheadMs = 20_000;
/** Messages expired at once; the rest follows in the next turn, so that a whole backlog's end stops nobody. */
const expireMax = 5000;

/**
 * Messages by the time they expire, so that each expires when due wherever it stands in the queue. One timer a queue,
 * set for the first of them.
 */
export class Expiry {
  readonly #clock: Clock;
  readonly #timer: EarliestTimer;
  readonly #expire: (segment: Segment, index: number) => void;
  readonly #unread: (segment: Segment) => void;
  readonly #due = new MessageHeap();
  /** Segments not in memory, by when their first message expires; the index is not used. */
  readonly #dueSegments = new MessageHeap();
  #sweepAt = staleMax;

  /** Calls `expire` for each ready message that is due, and `unread` for a segment that must be read for one. */
  constructor(clock: Clock, expire: (segment: Segment, index: number) => void, unread: (segment: Segment) => void) {
    this.#clock = clock;
    this.#timer = new EarliestTimer(clock, () => this.#fire());
    this.#expire = expire;
    this.#unread = unread;
  }

  /** Messages that are waited for, and some that have gone meanwhile. */
  get size(): number {
    return this.#due.size;
  }

  /** Watches a ready message. One that was put back may still be watched from the time before. */
  watch(segment: Segment, index: number, expiresAt: number): void {
    if (segment.isWatched(index)) return;
    segment.setWatched(index, true);
    if (this.#due.size >= this.#sweepAt) this.#sweep();
    this.#due.push(expiresAt, segment, index);
    this.#timer.set(expiresAt);
  }

  /** Forgets the messages, not the segments, that are waited for. */
  forgetMessages(): void {
    this.#due.clear();
  }

  /** Watches a segment that is on disk only. Its first message expires at `firstExpiresAt`; 0 when none does. */
  watchSegment(segment: Segment, firstExpiresAt = segment.firstExpiresAt): void {
    if (firstExpiresAt === 0) return;
    const readAt = firstExpiresAt - readAheadMs;
    this.#dueSegments.push(readAt, segment, 0);
    this.#timer.set(readAt);
  }

  stop(): void {
    this.#timer.stop();
    this.#due.clear();
    this.#dueSegments.clear();
  }

  #sweep(): void {
    this.#due.sweep((segment, index) => {
      if (segment.isReady(index)) return true;
      segment.setWatched(index, false);
      return false;
    });
    this.#sweepAt = this.#due.size * 2 + staleMax;
  }

  #fire(): void {
    const now = this.#clock.now();
    while (this.#dueSegments.key <= now) this.#takeSegment();
    this.expireDue();
    const next = Math.min(this.#due.key, this.#dueSegments.key);
    // Not at once: the clock would call again before anything else has its turn.
    this.#timer.set(Math.max(next, now + 1));
  }

  /** Lets messages expire whose time has come, or as many of them as may at once. */
  expireDue(): void {
    const now = this.#clock.now();
    for (let taken = 0; taken < expireMax && this.#due.key <= now; taken++) this.#take();
  }

  #take(): void {
    const { segment, index } = this.#due;
    this.#due.pop();
    segment?.setWatched(index, false);
    if (segment?.isReady(index)) this.#expire(segment, index);
  }

  #takeSegment(): void {
    const { segment } = this.#dueSegments;
    this.#dueSegments.pop();
    if (segment !== undefined && !segment.resident && segment.live > 0) this.#unread(segment);
  }
}
