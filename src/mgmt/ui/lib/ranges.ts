import { remember, remembered } from "./preferences.ts";
import { setQuery, useRoute } from "./router.ts";
import { at, isRow, number, type Row, rowsOf } from "./row.ts";

/** How far back a chart goes, and how far its points are apart, in seconds. */
export const ranges = [
  { id: "1m", title: "1 minute", age: 60, step: 5 },
  { id: "10m", title: "10 minutes", age: 600, step: 5 },
  { id: "1h", title: "1 hour", age: 3600, step: 30 },
  { id: "8h", title: "8 hours", age: 28_800, step: 600 },
  { id: "1d", title: "1 day", age: 86_400, step: 600 },
] as const;

export type Range = (typeof ranges)[number];

/** Of connections, channels and exchanges there is a minute. */
export const minute = ranges[0];

/** The range of all charts; in the URL, and remembered. */
export function useRange(): readonly [Range, (id: string) => void] {
  const wanted = useRoute().query.get("range") ?? remembered("range");
  const range = ranges.find(({ id }) => id === wanted) ?? ranges[1];
  const choose = (id: string): void => {
    remember("range", id);
    setQuery({ range: id });
  };
  return [range, choose];
}

/** What asks the API for these series over this range. */
export function rangeQuery({ age, step }: Range, ...of: readonly string[]): string {
  return of.map((name) => `${name}_age=${age}&${name}_incr=${step}`).join("&");
}

interface Points {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** Samples oldest first; levels as they are. */
export function levelsOf(row: unknown, path: string): Points {
  const samples = samplesOf(row, path);
  return {
    times: samples.map((sample) => number(sample, "timestamp") / 1000),
    values: samples.map((sample) => number(sample, "sample")),
  };
}

/** How fast a total grew from each sample to the next. */
export function ratesOf(row: unknown, path: string): Points {
  const { times, values } = levelsOf(row, path);
  const rates = values.slice(1).map((value, index) => {
    const seconds = (times[index + 1] ?? 0) - (times[index] ?? 0);
    return seconds > 0 ? Math.max(0, (value - (values[index] ?? 0)) / seconds) : 0;
  });
  return { times: times.slice(1), values: rates };
}

function samplesOf(row: unknown, path: string): readonly Row[] {
  return rowsOf(at(row, `${path}_details.samples`))
    .filter(isRow)
    .toReversed();
}
