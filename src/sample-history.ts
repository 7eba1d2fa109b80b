import { type Sample, SampleRing, type Samples, samplesIn, stepped } from "./sample-ring.ts";

/** Every sample of ten minutes, one in half a minute of an hour, and one in ten minutes of a day. */
const levels = [
  { everyMs: 0, lastsMs: 600_000 },
  { everyMs: 30_000, lastsMs: 3_600_000 },
  { everyMs: 600_000, lastsMs: 86_400_000 },
] as const;

/** How far back a history goes. */
export const historyMs = 86_400_000;

/** The samples of a day, the finer the younger they are. */
export class SampleHistory implements Samples {
  readonly #rings: readonly SampleRing[];
  #lastAt = 0;

  private constructor(rings: readonly SampleRing[]) {
    this.#rings = rings;
  }

  /** Of samples that are so far apart. */
  static of(columns: number, intervalMs: number): SampleHistory {
    const ringOf = (lastsMs: number, everyMs: number) =>
      new SampleRing(columns, samplesIn(lastsMs, Math.max(everyMs, intervalMs)));
    return new SampleHistory(levels.map(({ lastsMs, everyMs }) => ringOf(lastsMs, everyMs)));
  }

  /** Histories of one shape as one: sums of their newest samples, of those before, and so on. */
  static sum(histories: readonly SampleHistory[]): SampleHistory | undefined {
    const rings = levels.map((_, level) => SampleRing.sum(histories.flatMap((history) => history.#rings[level] ?? [])));
    const summed = rings.filter((ring) => ring !== undefined);
    return summed.length === 0 ? undefined : new SampleHistory(summed);
  }

  get size(): number {
    return this.#rings[0]?.size ?? 0;
  }

  add(time: number, values: Float64Array): void {
    for (const [level, { everyMs }] of levels.entries()) {
      // By the clock and not from the first sample on, so that histories of different ages add up.
      const isDue = everyMs === 0 || Math.floor(time / everyMs) !== Math.floor(this.#lastAt / everyMs);
      if (isDue) this.#rings[level]?.add(time, values);
    }
    this.#lastAt = time;
  }

  rate(column: number): number {
    return this.#rings[0]?.rate(column) ?? 0;
  }

  series(column: number, ageMs: number, stepMs: number): Sample[] {
    const merged: Sample[] = [];
    for (const ring of this.#rings) {
      const oldest = merged.at(-1)?.timestamp ?? Number.POSITIVE_INFINITY;
      for (const sample of ring.samples(column)) if (sample.timestamp < oldest) merged.push(sample);
    }
    return stepped(merged, ageMs, stepMs);
  }
}
