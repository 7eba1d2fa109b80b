import type { Clock, Timer } from "../clock.ts";
import { MessageHeap } from "./message-heap.ts";
import type { Segment } from "./segment.ts";

/** Entries of messages that have gone are swept out once they outnumber the rest by this many. */
const staleMax = 1000;
/** Messages expired at once; the rest follows in the next turn, so that a whole backlog's end stops nobody. */
const expireMax = 5000;

/**
 * Messages by the time they expire, so that each expires when due wherever it stands in the queue. One timer a queue,
 * set for the first of them.
 */
export class Expiry {
  readonly #clock: Clock;
  readonly #expire: (segment: Segment, index: number) => void;
  readonly #unread: (segment: Segment) => void;
  readonly #due = new MessageHeap();
  /** Segments not in memory, by when their first message expires; the index is not used. */
  readonly #dueSegments = new MessageHeap();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #sweepAt = staleMax;

  /** Calls `expire` for each ready message that is due, and `unread` for a segment that must be read for one. */
  constructor(clock: Clock, expire: (segment: Segment, index: number) => void, unread: (segment: Segment) => void) {
    this.#clock = clock;
    this.#expire = expire;
    this.#unread = unread;
  }

  /** Watches a ready message. */
  watch(segment: Segment, index: number, expiresAt: number): void {
    if (this.#due.size >= this.#sweepAt) this.#sweep();
    this.#due.push(expiresAt, segment, index);
    this.#setTimer(expiresAt);
  }

  /** Watches a segment that is on disk only. */
  watchSegment(segment: Segment): void {
    if (segment.firstExpiresAt === 0) return;
    this.#dueSegments.push(segment.firstExpiresAt, segment, 0);
    this.#setTimer(segment.firstExpiresAt);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#due.clear();
    this.#dueSegments.clear();
  }

  #sweep(): void {
    this.#due.sweep((segment, index) => segment.isReady(index));
    this.#sweepAt = this.#due.size * 2 + staleMax;
  }

  #setTimer(at: number): void {
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.setTimer(at, () => this.#fire());
  }

  #fire(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    while (this.#dueSegments.key <= now) this.#takeSegment();
    for (let taken = 0; taken < expireMax && this.#due.key <= now; taken++) this.#take();
    const next = Math.min(this.#due.key, this.#dueSegments.key);
    if (next !== Number.POSITIVE_INFINITY) this.#setTimer(next);
  }

  #take(): void {
    const { segment, index } = this.#due;
    this.#due.pop();
    if (segment?.isReady(index)) this.#expire(segment, index);
  }

  #takeSegment(): void {
    const { segment } = this.#dueSegments;
    this.#dueSegments.pop();
    if (segment !== undefined && !segment.resident && segment.live > 0) this.#unread(segment);
  }
}
