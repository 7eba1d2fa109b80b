import type { Samples } from "./sample-ring.ts";

/** The last values of a thing, and its samples unless it has been idle for as long as these go back. */
interface Watched {
  readonly last: Float64Array;
  lastAt: number;
  usedAt: number;
  ring: Samples | undefined;
  idle: number;
}

/** Samples of many things of one kind. What does not change costs one row of numbers, what never changed nothing. */
export class Watch<T extends object> {
  readonly #idleMax: number;
  readonly #newSamples: () => Samples;
  readonly #watched = new WeakMap<T, Watched>();
  readonly #zeros: Float64Array;
  readonly #usedColumns: number;

  /**
   * Samples of a thing are forgotten when it was idle for `idleMax` of them. A change of the first `usedColumns` says that it was
   * used.
   */
  constructor(columns: number, idleMax: number, newSamples: () => Samples, usedColumns = columns) {
    this.#idleMax = idleMax;
    this.#newSamples = newSamples;
    this.#zeros = new Float64Array(columns);
    this.#usedColumns = usedColumns;
  }

  /** The samples of a thing that changed of late. */
  ringOf(thing: T): Samples | undefined {
    return this.#watched.get(thing)?.ring;
  }

  /** When a sample of a thing last said that it was used; undefined for what never was. */
  usedAt(thing: T): number | undefined {
    return this.#watched.get(thing)?.usedAt;
  }

  isWatched(thing: T): boolean {
    return this.#watched.has(thing);
  }

  /** Takes a sample of a thing that had no values but those `before` when the last samples were taken. */
  start(thing: T, row: Float64Array, now: number, lastAt: number, before = this.#zeros): void {
    const ring = this.#ringFrom(lastAt, before);
    ring.add(now, row);
    this.#watched.set(thing, { last: row.slice(), lastAt: now, usedAt: now, ring, idle: 0 });
  }

  /** Takes a sample of a thing that is watched. */
  sample(thing: T, row: Float64Array, now: number): void {
    const watched = this.#watched.get(thing);
    if (watched === undefined) return;
    const changed = !isSame(watched.last, row);
    watched.idle = changed ? 0 : watched.idle + 1;
    if (!isSame(watched.last, row, this.#usedColumns)) watched.usedAt = now;
    if (changed) watched.ring ??= this.#ringFrom(watched.lastAt, watched.last);
    watched.ring?.add(now, row);
    if (watched.idle >= this.#idleMax) watched.ring = undefined;
    watched.last.set(row);
    watched.lastAt = now;
  }

  /** A sample of a thing whose values are all zero until something happens to it. */
  note(thing: T, row: Float64Array, now: number, lastAt: number): void {
    if (this.#watched.has(thing)) this.sample(thing, row, now);
    else if (!isSame(row, this.#zeros)) this.start(thing, row, now, lastAt);
  }

  #ringFrom(time: number, row: Float64Array): Samples {
    const ring = this.#newSamples();
    ring.add(time, row);
    return ring;
  }
}

function isSame(a: Float64Array, b: Float64Array, columns = a.length): boolean {
  for (let i = 0; i < columns; i++) if (a[i] !== b[i]) return false;
  return true;
}
