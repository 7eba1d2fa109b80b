import { expect, it } from "vitest";
import { Histogram } from "../../src/histogram.ts";
import { countsOf, latencySeries } from "../../src/latency-series.ts";
import { SampleRing } from "../../src/sample-ring.ts";

const bounds = [1, 2, 4];

/** A series over steps of a second, in each of which these values came. */
function seriesOf(...steps: readonly (readonly number[])[]) {
  const [first, second] = [new Histogram([1]), new Histogram(bounds)];
  const ring = new SampleRing(first.bounds.length + bounds.length + 2, 10);
  ring.add(0, countsOf([first, second]));
  for (const [index, values] of steps.entries()) {
    for (const value of values) second.observe(value);
    ring.add((index + 1) * 1000, countsOf([first, second]));
  }
  return latencySeries(ring, second, first.bounds.length + 1, 60_000, 1000);
}

it("latency is told of each span of time by itself, newest first", () => {
  expect(seriesOf([0.5, 1.5], [], [3, 3, 3, 3])).toEqual([
    { timestamp: 3000, p50: 3, p95: 3.9, p99: 3.98 },
    { timestamp: 2000, p50: null, p95: null, p99: null },
    { timestamp: 1000, p50: 1, p95: 1.9, p99: 1.98 },
  ]);
});

it("what is beyond the last bound counts as that", () => {
  expect(seriesOf([100])).toEqual([{ timestamp: 1000, p50: 4, p95: 4, p99: 4 }]);
});

it("nothing is told before there were two looks", () => {
  expect(seriesOf()).toEqual([]);
});
