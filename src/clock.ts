/** A timer that has been set. Cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** What the broker knows of time: all expiry, delay and heartbeat go through it, so that a test can drive it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `fire` once, at or soon after `at` (milliseconds since the epoch). Never before this call returns. */
  setTimer(at: number, fire: () => void): Timer;
}

interface Entry extends Timer {
  readonly at: number;
  fire: (() => void) | undefined;
}

/** A binary heap of timers by due time; cancelled ones are dropped when they come up or outnumber the live ones. */
export class TimerHeap {
  #entries: Entry[] = [];
  #cancelled = 0;

  add(at: number, fire: () => void): Timer {
    const entry: Entry = {
      at,
      fire,
      cancel: () => {
        if (entry.fire === undefined) return;
        entry.fire = undefined;
        this.#cancelled++;
        this.#sweep();
      },
    };
    this.#entries.push(entry);
    this.#up(this.#entries.length - 1);
    return entry;
  }

  /** When the next timer is due; undefined when there is none. */
  nextDue(): number | undefined {
    this.#dropCancelled();
    return this.#entries[0]?.at;
  }

  /** Removes and returns the first timer that is due at `now`. */
  takeDue(now: number): (() => void) | undefined {
    this.#dropCancelled();
    const first = this.#entries[0];
    if (first === undefined || first.at > now) return undefined;
    this.#removeFirst();
    const { fire } = first;
    first.fire = undefined;
    return fire;
  }

  #dropCancelled(): void {
    while (this.#entries[0] !== undefined && this.#entries[0].fire === undefined) {
      this.#removeFirst();
      this.#cancelled--;
    }
  }

  #sweep(): void {
    if (this.#cancelled < 1000 || this.#cancelled * 2 < this.#entries.length) return;
    this.#entries = this.#entries.filter((entry) => entry.fire !== undefined).sort((a, b) => a.at - b.at);
    this.#cancelled = 0;
  }

  #removeFirst(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#down(0);
  }

  #up(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfSooner(at, parent)) return;
      at = parent;
    }
  }

  #down(start: number): void {
    let at = start;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const a = this.#entries[left];
      const b = this.#entries[right];
      if (a === undefined) return;
      const child = b !== undefined && b.at < a.at ? right : left;
      if (!this.#swapIfSooner(child, at)) return;
      at = child;
    }
  }

  #swapIfSooner(child: number, parent: number): boolean {
    const a = this.#entries[child];
    const b = this.#entries[parent];
    if (a === undefined || b === undefined || a.at >= b.at) return false;
    this.#entries[child] = b;
    this.#entries[parent] = a;
    return true;
  }
}

/** Longest that one Node timer may wait: setTimeout counts in 32-bit milliseconds. */
const sleepMsMax = 2 ** 31 - 1;

/** The wall clock: any number of timers on a single Node timer, which does not keep the process alive. */
export class SystemClock implements Clock {
  readonly #timers = new TimerHeap();
  #wakeAt = Number.POSITIVE_INFINITY;
  #sleep: NodeJS.Timeout | undefined;

  now(): number {
    return Date.now();
  }

  setTimer(at: number, fire: () => void): Timer {
    const timer = this.#timers.add(at, fire);
    if (at < this.#wakeAt) this.#sleepUntil(at);
    return timer;
  }

  #sleepUntil(at: number): void {
    clearTimeout(this.#sleep);
    this.#wakeAt = at;
    const ms = Math.min(Math.max(at - this.now(), 1), sleepMsMax);
    this.#sleep = setTimeout(() => this.#wake(), ms).unref();
  }

  #wake(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.fireDue();
    this.sleep();
  }

  /** Sleeps until the next timer is due, by the time that it is now: to be called when the clock was put forward. */
  protected sleep(): void {
    const next = this.nextDue();
    if (next !== undefined) this.#sleepUntil(next);
  }

  /** When the next timer is due; undefined when there is none. */
  protected nextDue(): number | undefined {
    return this.#timers.nextDue();
  }

  /** Fires all timers that are due now, the soonest first. */
  protected fireDue(): void {
    const now = this.now();
    for (let fire = this.#timers.takeDue(now); fire !== undefined; fire = this.#timers.takeDue(now)) fire();
  }
}
