import { expect, it } from "vitest";
import { parity } from "../support/broker.ts";
import { abuses } from "./abuses.ts";
import { type AbuseResult, runAbuses } from "./run.ts";

it.skipIf(parity)(
  "others are served while clients are abusive, and nothing of it stays",
  async () => {
    const results: AbuseResult[] = [];
    await runAbuses("small", (result) => results.push(result));
    expect(results.map(({ name }) => name)).toEqual(abuses.map(({ name }) => name));
    for (const { name, p50, memoryMax, heapBefore, heapAfter, descriptorsBefore, descriptorsAfter } of results) {
      expect(p50, `${name}: messages of others`).toBeGreaterThan(0);
      expect(memoryMax, `${name}: memory`).toBeLessThan(1e9);
      expect(heapAfter, `${name}: heap`).toBeLessThanOrEqual(heapBefore * 1.1);
      expect(descriptorsAfter, `${name}: descriptors`).toBeLessThanOrEqual(descriptorsBefore * 1.1);
    }
  },
  120_000,
);
