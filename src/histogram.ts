/** How many of the values that were seen are up to each of some bounds, and their sum. */
export class Histogram {
  /** In ascending order. */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  get sum(): number {
    return this.#sum;
  }

  observe(value: number): void {
    let i = 0;
    while (value > (this.bounds[i] ?? Number.POSITIVE_INFINITY)) i++;
    this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    this.#sum += value;
  }

  /** How many were up to each bound; the last one is how many there were. */
  cumulative(): number[] {
    let total = 0;
    return Array.from(this.#counts, (count) => {
      total += count;
      return total;
    });
  }
}

/** Bounds of times, in seconds. */
export const secondsBounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600,
];

/** Bounds of the sizes of messages, in bytes, as RabbitMQ has them. */
export const messageSizeBounds: readonly number[] = [100, 1000, 10_000, 100_000, 1e6, 1e7, 5e7, 1e8];
