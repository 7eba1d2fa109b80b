import type { Clock, Timer } from "../clock.ts";

/** Ends a queue that was not used for as long as its x-expires says. */
export class IdleExpiry {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #usedAt: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
    this.#usedAt = clock.now();
  }

  get usedAt(): number {
    return this.#usedAt;
  }

  /** The queue is in use now: the time counts from here. */
  touch(): void {
    this.#usedAt = this.#clock.now();
  }

  /** Waits until the queue was unused for `expiresMs`; undefined for ever. */
  arm(expiresMs: number | undefined): void {
    this.#timer?.cancel();
    if (expiresMs !== undefined) this.#timer = this.#clock.setTimer(this.#usedAt + expiresMs, this.#expired);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
