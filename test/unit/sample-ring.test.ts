import { describe, expect, it } from "vitest";
import { SampleRing } from "../../src/sample-ring.ts";

function ring(values: readonly number[], capacity = 4): SampleRing {
  const made = new SampleRing(2, capacity);
  for (const [i, value] of values.entries()) made.add(i * 5000, Float64Array.of(0, value));
  return made;
}

describe("a ring of samples", () => {
  it("tells the change a second between the last two", () => {
    expect(ring([0, 10, 60]).rate(1)).toBe(10);
    expect(ring([60, 10]).rate(1)).toBe(-10);
    expect(ring([7]).rate(1)).toBe(0);
    expect(ring([]).rate(1)).toBe(0);
  });

  it("keeps as many as it has room for", () => {
    const full = ring([1, 2, 3, 4, 5, 6]);
    expect(full.size).toBe(4);
    expect(full.series(1, 3_600_000, 5000).map(({ sample }) => sample)).toEqual([6, 5, 4, 3]);
  });

  it("gives a series newest first, at the steps asked for", () => {
    const samples = ring([1, 2, 3, 4]);
    expect(samples.series(1, 10_000, 5000)).toEqual([
      { sample: 4, timestamp: 15_000 },
      { sample: 3, timestamp: 10_000 },
      { sample: 2, timestamp: 5000 },
    ]);
    expect(samples.series(1, 15_000, 10_000).map(({ sample }) => sample)).toEqual([4, 2]);
    expect(ring([]).series(1, 10_000, 5000)).toEqual([]);
  });

  it("adds up with rings that are younger", () => {
    const total = SampleRing.sum([ring([1, 2, 3]), new SampleRing(2, 4), ring([10, 20, 30])]);
    expect(total?.series(1, 60_000, 5000).map(({ sample }) => sample)).toEqual([33, 22, 11]);
    expect(SampleRing.sum([])).toBeUndefined();
  });
});
