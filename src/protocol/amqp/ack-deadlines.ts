import assert from "node:assert/strict";
import type { Clock } from "../../clock.ts";
import { EarliestTimer } from "../../earliest-timer.ts";
import type { Queue } from "../../queue/queue.ts";
import type { DeliveryOwner, UnackedDeliveries } from "./unacked.ts";

/** Deadlines of deliveries that were settled meanwhile are swept out once they outnumber the rest by this many. */
const staleMax = 1000;
/** Deadlines this close to each other are dealt with together. */
const graceMs = 20;

/**
 * When the deliveries of a channel must be settled, of those that must be. One that is late is released: its message goes
 * back to the queue as one whose delivery failed. To its consumer it counts as unacked until the client settles it after
 * all, which then means nothing; so a consumer that hangs gets no more than it had.
 */
export class AckDeadlines {
  readonly #clock: Clock;
  readonly #timer: EarliestTimer;
  readonly #unacked: UnackedDeliveries;
  readonly #noteLate: (count: number) => void;
  readonly #deadlines = new Map<number, number>();
  readonly #late = new Map<number, DeliveryOwner | undefined>();

  /** Calls `noteLate` with how many deliveries were released at one time. */
  constructor(clock: Clock, unacked: UnackedDeliveries, noteLate: (count: number) => void) {
    this.#clock = clock;
    this.#timer = new EarliestTimer(clock, () => this.#fire());
    this.#unacked = unacked;
    this.#noteLate = noteLate;
  }

  /** The delivery with this tag, made just now, must be settled in `timeoutMs`. */
  add(tag: number, timeoutMs: number): void {
    const at = this.#clock.now() + timeoutMs;
    if (this.#deadlines.size > 2 * this.#unacked.count + staleMax) this.#sweep();
    this.#deadlines.set(tag, at);
    this.#timer.set(at);
  }

  /** Whether the delivery with this tag was released and not settled since. */
  isLate(tag: number): boolean {
    return this.#late.has(tag);
  }

  /** Notes that a released delivery was settled; false when there is none of this tag. */
  settleLate(tag: number): boolean {
    if (!this.#late.has(tag)) return false;
    const owner = this.#late.get(tag);
    this.#late.delete(tag);
    owner?.settledOne();
    owner?.serve();
    return true;
  }

  /** Notes that all released deliveries up to this tag were settled. */
  settleLateUpTo(tag: number): void {
    for (const each of [...this.#late.keys()]) if (each <= tag) this.settleLate(each);
  }

  stop(): void {
    this.#timer.stop();
    this.#deadlines.clear();
    this.#late.clear();
  }

  #sweep(): void {
    for (const tag of this.#deadlines.keys()) if (!this.#unacked.has(tag)) this.#deadlines.delete(tag);
  }

  #fire(): void {
    this.#sweep();
    const now = this.#clock.now();
    const queues = new Set<Queue>();
    const before = this.#late.size;
    let next = Number.POSITIVE_INFINITY;
    for (const [tag, at] of this.#deadlines) {
      if (at <= now) queues.add(this.#releaseLate(tag));
      else next = Math.min(next, at);
    }
    this.#timer.set(Math.max(next, now + graceMs));
    if (this.#late.size > before) this.#noteLate(this.#late.size - before);
    for (const queue of queues) queue.resume();
  }

  #releaseLate(tag: number): Queue {
    this.#deadlines.delete(tag);
    const delivery = this.#unacked.take(tag);
    assert(delivery !== undefined, "what was settled has been swept out");
    this.#late.set(tag, delivery.owner);
    delivery.queue.requeue(delivery.segment, delivery.index, true);
    return delivery.queue;
  }
}
