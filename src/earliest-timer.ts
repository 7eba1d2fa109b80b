import type { Clock, Timer } from "./clock.ts";

/** One timer of a clock for many times that something is to be done at: set for the earliest of them. */
export class EarliestTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #timer: Timer | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Sees to it that it fires at or soon after `at`, if not before; never at infinity. Once it has fired it is to be set again. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.#timer?.cancel();
    this.#at = at;
    this.#timer = this.#clock.setTimer(at, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#fire();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
