import fc from "fast-check";

/** `times` as many runs as other properties get: for cheap ones whose rare cases matter. */
export function manyRuns(times: number): { numRuns: number } {
  return { numRuns: times * (fc.readConfigureGlobal().numRuns ?? 100) };
}
