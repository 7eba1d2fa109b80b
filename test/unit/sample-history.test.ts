import { describe, expect, it } from "vitest";
import { SampleHistory } from "../../src/sample-history.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A history of a value that tells the time in seconds, from one time to another. */
function history(fromMs: number, toMs: number): SampleHistory {
  const made = SampleHistory.of(2, 5000);
  for (let at = fromMs; at <= toMs; at += 5000) made.add(at, Float64Array.of(0, at / 1000));
  return made;
}

describe("a day's history", () => {
  const day = history(0, 25 * hourMs);

  it("has every sample of the last ten minutes", () => {
    const samples = day.series(1, 10 * minuteMs, 5000);
    expect(samples).toHaveLength(121);
    expect(samples.every(({ sample, timestamp }) => sample === timestamp / 1000)).toBe(true);
    expect(day.rate(1)).toBe(1);
    expect(day.size).toBe(121);
  });

  it.each([
    ["an hour", hourMs, 30_000],
    ["eight hours", 8 * hourMs, 10 * minuteMs],
    ["a day", 24 * hourMs, 10 * minuteMs],
  ])("goes back %s, coarser where it is older", (_name, ageMs, stepMs) => {
    const samples = day.series(1, ageMs, stepMs);
    expect(samples).toHaveLength(ageMs / stepMs + 1);
    for (const { sample, timestamp } of samples) {
      expect(sample * 1000).toBeLessThanOrEqual(timestamp);
      expect(timestamp - sample * 1000).toBeLessThan(stepMs);
    }
  });

  it("keeps no more than a day", () => {
    expect(day.series(1, 48 * hourMs, 10 * minuteMs).length).toBeLessThanOrEqual(146);
  });

  it("adds up with histories that began later", () => {
    const young = history(24 * hourMs + 1000 * 5, 25 * hourMs);
    const sum = SampleHistory.sum([day, young]);
    const newest = 25 * hourMs;
    expect(sum?.series(1, hourMs / 2, 30_000).map(({ sample }) => sample)).toEqual(
      Array.from({ length: 61 }, (_, back) => (2 * (newest - back * 30_000)) / 1000),
    );
    expect(SampleHistory.sum([])).toBeUndefined();
  });
});
