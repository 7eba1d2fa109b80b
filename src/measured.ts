import type { Sample, Samples } from "./sample-ring.ts";

/** Totals since the broker started, and what they were before. */
export class Measured<N extends string> {
  readonly #names: readonly N[];
  readonly #row: Float64Array;
  readonly #samples: Samples | undefined;

  constructor(names: readonly N[], row: Float64Array, samples: Samples | undefined) {
    this.#names = names;
    this.#row = row;
    this.#samples = samples;
  }

  value(name: N): number {
    return this.#row[this.#names.indexOf(name)] ?? 0;
  }

  /** Change a second between the last two samples. */
  rate(name: N): number {
    return this.#samples?.rate(this.#names.indexOf(name)) ?? 0;
  }

  /** Samples `stepMs` apart for as long as `ageMs`, newest first. */
  series(name: N, ageMs: number, stepMs: number): Sample[] {
    return this.#samples?.series(this.#names.indexOf(name), ageMs, stepMs) ?? [];
  }

  /** How many samples there are. */
  get samples(): number {
    return this.#samples?.size ?? 0;
  }
}
