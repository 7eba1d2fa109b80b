import type { Clock, Timer } from "../clock.ts";
import { MessageHeap } from "./message-heap.ts";
import type { Segment } from "./segment.ts";

/** Messages of a queue that were put aside for some time, by when that is over. */
export class HeldMessages {
  readonly #clock: Clock;
  readonly #release: (segment: Segment, index: number) => void;
  readonly #released: () => void;
  readonly #until = new MessageHeap();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** Calls `release` for each message whose time is over, and `released` after the last of those. */
  constructor(clock: Clock, release: (segment: Segment, index: number) => void, released: () => void) {
    this.#clock = clock;
    this.#release = release;
    this.#released = released;
  }

  /** Puts aside an unacked message until a time. */
  hold(segment: Segment, index: number, until: number): void {
    segment.markHeld(index);
    this.#until.push(until, segment, index);
    this.#setTimer();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#until.clear();
  }

  #setTimer(): void {
    if (this.#until.key >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = this.#until.key;
    this.#timer = this.#clock.setTimer(this.#timerAt, () => this.#fire());
  }

  #fire(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    while (this.#until.key <= this.#clock.now()) {
      const { segment, index } = this.#until;
      this.#until.pop();
      if (segment?.isHeld(index)) this.#release(segment, index);
    }
    this.#setTimer();
    this.#released();
  }
}
