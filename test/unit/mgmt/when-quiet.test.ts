import { describe, expect, it, vi } from "vitest";
import { whenQuiet } from "../../../src/mgmt/http-listener.ts";

describe("what waits for a quiet moment", () => {
  /** Plays utilizations, one for each time that somebody looks; returns after how many looks it was done. */
  function looksUntilDone(utilizations: readonly number[], giveUpAfter = utilizations.length): number[] {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const left = [...utilizations];
    const done: number[] = [];
    const spy = vi.spyOn(performance, "eventLoopUtilization").mockImplementation((now) => ({
      idle: 0,
      active: 0,
      utilization: now === undefined ? 0 : (left.shift() ?? 0),
    }));
    try {
      let looks = 0;
      const giveUp = whenQuiet(() => Promise.resolve(void done.push(looks)));
      for (; looks < giveUpAfter; looks++) vi.advanceTimersByTime(2000);
      giveUp();
      vi.advanceTimersByTime(10_000);
      return done;
    } finally {
      spy.mockRestore();
      vi.useRealTimers();
    }
  }

  it("is done at the first of them, and once", () => {
    expect(looksUntilDone([0.9, 0.06, 0.05, 0.9, 0.01])).toEqual([2]);
  });

  it("is not done while there is none", () => {
    expect(looksUntilDone([0.5, 0.5, 0.5])).toEqual([]);
  });

  it("is not done once it was given up", () => {
    expect(looksUntilDone([0.5, 0.5, 0.01], 2)).toEqual([]);
  });
});
