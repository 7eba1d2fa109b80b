import type { Clock } from "../clock.ts";
import type { Expiry } from "./expiry.ts";
import { earliestRetimed, retimed, type TtlChange } from "./retiming.ts";
import type { Segment } from "./segment.ts";

/** Lets the messages of a queue expire as its time to live says now, whatever it was when they came. */
export class TimeToLive {
  readonly #clock: Clock;
  readonly #expiry: Expiry;
  /** What changed since the messages of a segment that is not in memory were timed. */
  readonly #outdated = new WeakMap<Segment, readonly TtlChange[]>();

  constructor(clock: Clock, expiry: Expiry) {
    this.#clock = clock;
    this.#expiry = expiry;
  }

  /**
   * Watches a segment that the store had at the start. The time to live may have changed after it was written; messages
   * that came before there was one get it now.
   */
  restored(segment: Segment, ttlMs: number | undefined): void {
    const before = segment.ttlMs < 0 ? undefined : segment.ttlMs;
    if (before === undefined && ttlMs === undefined) this.#expiry.watchSegment(segment);
    else this.#later(segment, [{ before, after: ttlMs, at: this.#clock.now() }]);
  }

  /** The time to live has changed. Call {@link Expiry.forgetMessages} before the first segment. */
  changed(segment: Segment, before: number | undefined, after: number | undefined): void {
    const change = { before, after, at: this.#clock.now() };
    if (segment.resident) this.#retime(segment, [change]);
    else this.#later(segment, [...(this.#outdated.get(segment) ?? []), change]);
  }

  /** Times what was read back, if its time to live has changed meanwhile; false when it has not. */
  read(segment: Segment): boolean {
    const outdated = this.#outdated.get(segment);
    if (outdated === undefined) return false;
    this.#outdated.delete(segment);
    this.#retime(segment, outdated);
    return true;
  }

  #later(segment: Segment, changes: readonly TtlChange[]): void {
    this.#outdated.set(segment, changes);
    this.#expiry.watchSegment(segment, earliestRetimed(segment, changes));
  }

  #retime(segment: Segment, changes: readonly TtlChange[]): void {
    segment.ttlMs = changes.at(-1)?.after ?? -1;
    for (let index = 0; index < segment.count; index++) {
      if (segment.isSettled(index)) continue;
      const expiresAt = retimed(segment, index, changes);
      segment.retime(index, expiresAt);
      segment.setWatched(index, false);
      if (expiresAt !== 0 && segment.isReady(index)) this.#expiry.watch(segment, index, expiresAt);
    }
  }
}
