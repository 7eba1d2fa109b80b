import type { Sample, SampleRing } from "./sample-ring.ts";

/** Totals since the broker started, and what they were before. */
export class Measured<N extends string> {
  readonly #names: readonly N[];
  readonly #row: Float64Array;
  readonly #ring: SampleRing | undefined;

  constructor(names: readonly N[], row: Float64Array, ring: SampleRing | undefined) {
    this.#names = names;
    this.#row = row;
    this.#ring = ring;
  }

  value(name: N): number {
    return this.#row[this.#names.indexOf(name)] ?? 0;
  }

  /** Change a second between the last two samples. */
  rate(name: N): number {
    return this.#ring?.rate(this.#names.indexOf(name)) ?? 0;
  }

  /** Samples `stepMs` apart for as long as `ageMs`, newest first. */
  series(name: N, ageMs: number, stepMs: number): Sample[] {
    return this.#ring?.series(this.#names.indexOf(name), ageMs, stepMs) ?? [];
  }

  /** How many samples there are. */
  get samples(): number {
    return this.#ring?.size ?? 0;
  }
}
