/** One value of a series. */
export interface Sample {
  readonly sample: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** What is kept of a row of numbers that is looked at from time to time. */
export interface Samples {
  /** How many samples there are of the last minutes. */
  readonly size: number;
  add(time: number, values: Float64Array): void;
  /** Change a second between the last two samples; 0 before there are two. */
  rate(column: number): number;
  /** Values `stepMs` apart for as long as `ageMs`, newest first; each is the last sample at its time. */
  series(column: number, ageMs: number, stepMs: number): Sample[];
}

/** How many samples there are in a time, those at both its ends included; a rate needs two. */
export function samplesIn(timeMs: number, intervalMs: number): number {
  return Math.max(2, Math.floor(timeMs / intervalMs) + 1);
}

/** The last samples of a row of numbers. */
export class SampleRing implements Samples {
  readonly #columns: number;
  readonly #capacity: number;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  /** Samples ever added: the newest is in row (#added - 1) modulo capacity. */
  #added = 0;

  constructor(columns: number, capacity: number) {
    this.#columns = columns;
    this.#capacity = capacity;
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(columns * capacity);
  }

  /** The rings of one shape as one: sums of their newest samples, of those before, and so on. */
  static sum(rings: readonly SampleRing[]): SampleRing | undefined {
    const [first, ...others] = [...rings].sort((a, b) => b.size - a.size);
    if (first === undefined || others.length === 0) return first;
    const total = new SampleRing(first.#columns, first.#capacity);
    const row = new Float64Array(first.#columns);
    for (let back = first.size - 1; back >= 0; back--) {
      for (let column = 0; column < row.length; column++) {
        row[column] = rings.reduce((sum, ring) => sum + ring.#valueAt(back, column), 0);
      }
      total.add(first.#timeAt(back), row);
    }
    return total;
  }

  get size(): number {
    return Math.min(this.#added, this.#capacity);
  }

  add(time: number, values: Float64Array): void {
    const row = this.#added++ % this.#capacity;
    this.#times[row] = time;
    this.#values.set(values, row * this.#columns);
  }

  rate(column: number): number {
    if (this.size < 2) return 0;
    return change(this.#sampleAt(0, column), this.#sampleAt(1, column));
  }

  series(column: number, ageMs: number, stepMs: number): Sample[] {
    return stepped([...this.samples(column)], ageMs, stepMs);
  }

  /** All values of a column, newest first. */
  *samples(column: number): Iterable<Sample> {
    for (let back = 0; back < this.size; back++) yield this.#sampleAt(back, column);
  }

  /** A row counted back from the newest, which is 0. */
  #sampleAt(back: number, column: number): Sample {
    return { sample: this.#valueAt(back, column), timestamp: this.#timeAt(back) };
  }

  #valueAt(back: number, column: number): number {
    if (back >= this.size) return 0;
    return this.#values[((this.#added - 1 - back) % this.#capacity) * this.#columns + column] ?? 0;
  }

  #timeAt(back: number): number {
    return this.#times[(this.#added - 1 - back) % this.#capacity] ?? 0;
  }
}

/** Of samples, newest first, those `stepMs` apart for as long as `ageMs`. */
export function stepped(samples: readonly Sample[], ageMs: number, stepMs: number): Sample[] {
  const newest = samples[0]?.timestamp ?? 0;
  const steps: Sample[] = [];
  let back = 0;
  for (let timestamp = newest; timestamp >= newest - ageMs; timestamp -= stepMs) {
    let at = samples[back];
    while (at !== undefined && at.timestamp > timestamp) at = samples[++back];
    if (at === undefined) break;
    steps.push({ sample: at.sample, timestamp });
  }
  return steps;
}

/** Change a second from one sample to a later one. */
export function change(later: Sample, earlier: Sample): number {
  const seconds = (later.timestamp - earlier.timestamp) / 1000;
  return seconds > 0 ? (later.sample - earlier.sample) / seconds : 0;
}
