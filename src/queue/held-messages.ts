import type { Clock } from "../clock.ts";
import { EarliestTimer } from "../earliest-timer.ts";
import { MessageHeap } from "./message-heap.ts";
import type { Segment } from "./segment.ts";

/** Messages of a queue that were put aside for some time, by when that is over. */
export class HeldMessages {
  readonly #clock: Clock;
  readonly #timer: EarliestTimer;
  readonly #release: (segment: Segment, index: number) => void;
  readonly #released: () => void;
  readonly #until = new MessageHeap();

  /** Calls `release` for each message whose time is over, and `released` after the last of those. */
  constructor(clock: Clock, release: (segment: Segment, index: number) => void, released: () => void) {
    this.#clock = clock;
    this.#timer = new EarliestTimer(clock, () => this.#fire());
    this.#release = release;
    this.#released = released;
  }

  /** Puts aside an unacked message until a time. */
  hold(segment: Segment, index: number, until: number): void {
    segment.markHeld(index);
    this.#until.push(until, segment, index);
    this.#timer.set(this.#until.key);
  }

  stop(): void {
    this.#timer.stop();
    this.#until.clear();
  }

  #fire(): void {
    while (this.#until.key <= this.#clock.now()) {
      const { segment, index } = this.#until;
      this.#until.pop();
      if (segment?.isHeld(index)) this.#release(segment, index);
    }
    this.#timer.set(this.#until.key);
    this.#released();
  }
}
