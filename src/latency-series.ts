import type { Histogram } from "./histogram.ts";
import type { Sample, Samples } from "./sample-ring.ts";

/** How long messages took in a span of time that ends then, in seconds; null where none did. */
export interface LatencyPoint {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What is kept of a histogram each time that it is looked at: as many numbers as it has bounds, and one. */
export function countsOf(histograms: readonly Histogram[]): Float64Array {
  return Float64Array.from(histograms.flatMap((histogram) => histogram.cumulative()));
}

/** Points `stepMs` apart for as long as `ageMs`, newest first, of a histogram whose counts begin at a column of the samples. */
export function latencySeries(
  samples: Samples,
  { bounds }: Histogram,
  firstColumn: number,
  ageMs: number,
  stepMs: number,
): LatencyPoint[] {
  const columns = Array.from({ length: bounds.length + 1 }, (_, at) => samples.series(firstColumn + at, ageMs, stepMs));
  const times = (columns[0] ?? []).slice(0, -1);
  return times.map(({ timestamp }, at) => {
    const counts = columns.map((column) => grown(column, at));
    const within = (part: number) => quantile(bounds, counts, part);
    return { timestamp, p50: within(0.5), p95: within(0.95), p99: within(0.99) };
  });
}

/** By how much a count grew since the sample before. */
function grown(column: readonly Sample[], at: number): number {
  return (column[at]?.sample ?? 0) - (column[at + 1]?.sample ?? 0);
}

/** Values within a bound are taken to be spread evenly, as Prometheus does; those beyond the last count as it. */
function quantile(bounds: readonly number[], counts: readonly number[], part: number): number | null {
  const total = counts.at(-1) ?? 0;
  if (total <= 0) return null;
  const rank = part * total;
  const at = counts.findIndex((count) => count >= rank);
  const upper = bounds[at];
  if (upper === undefined) return bounds.at(-1) ?? null;
  const [lower, below] = at === 0 ? [0, 0] : [bounds[at - 1] ?? 0, counts[at - 1] ?? 0];
  return lower + ((upper - lower) * (rank - below)) / ((counts[at] ?? 0) - below);
}
