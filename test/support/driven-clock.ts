import { type Clock, type Timer, TimerHeap } from "../../src/clock.ts";

/** A clock that stands still until a test moves it. */
export class DrivenClock implements Clock {
  readonly #timers = new TimerHeap();
  #now: number;

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  setTimer(at: number, fire: () => void): Timer {
    return this.#timers.add(at, fire);
  }

  /** Lets time pass: every timer that comes due fires at its time, the soonest first. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#timers.nextDue(); next !== undefined && next <= end; next = this.#timers.nextDue()) {
      this.#now = Math.max(this.#now, next);
      this.#timers.takeDue(this.#now)?.();
    }
    this.#now = end;
  }

  /** When the next timer is due; undefined when nothing waits. */
  get nextDue(): number | undefined {
    return this.#timers.nextDue();
  }
}
