import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SystemClock, type Timer, TimerHeap } from "../../src/clock.ts";
import { DrivenClock } from "../support/driven-clock.ts";

describe("TimerHeap", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("add" as const), at: fc.nat(50) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel" as const), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("take" as const), at: fc.nat(50) }) },
  );

  it("gives out timers as a sorted list would, whatever was cancelled meanwhile", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const heap = new TimerHeap();
        const timers: { at: number; id: number; timer: Timer }[] = [];
        let waiting: { at: number; id: number }[] = [];
        let fired: number | undefined;
        const take = (now: number): void => {
          fired = undefined;
          heap.takeDue(now)?.();
          const at = Math.min(...waiting.map((other) => other.at));
          if (at > now) expect(fired).toBeUndefined();
          else expect(waiting.find(({ id }) => id === fired)?.at).toBe(at);
          waiting = waiting.filter(({ id }) => id !== fired);
        };
        for (const { do: what, at } of steps) {
          if (what === "take") take(at);
          else if (what === "add") {
            const id = timers.length;
            timers.push({ at, id, timer: heap.add(at, () => (fired = id)) });
            waiting.push({ at, id });
          } else if (timers.length > 0) {
            // Also one that has fired or was cancelled before: that does nothing.
            const chosen = timers[at % timers.length];
            chosen?.timer.cancel();
            waiting = waiting.filter(({ id }) => id !== chosen?.id);
          }
          expect(heap.nextDue()).toBe(waiting.length === 0 ? undefined : Math.min(...waiting.map(({ at }) => at)));
        }
        while (waiting.length > 0) take(Number.POSITIVE_INFINITY);
        expect(heap.takeDue(Number.POSITIVE_INFINITY)).toBeUndefined();
      }),
    );
  });

  it("keeps its order when thousands are cancelled at once", () => {
    const heap = new TimerHeap();
    const due = (i: number): number => (i * 7919) % 5000;
    const timers = Array.from({ length: 5000 }, (_, i) => heap.add(due(i), () => undefined));
    const kept: number[] = [];
    for (const [i, timer] of timers.entries()) {
      if (i % 4 === 0) kept.push(due(i));
      else timer.cancel();
    }
    const taken: (number | undefined)[] = [];
    for (let next = heap.nextDue(); next !== undefined; next = heap.nextDue()) {
      taken.push(next);
      heap.takeDue(next);
    }
    expect(taken).toEqual(kept.toSorted((a, b) => a - b));
  });
});

describe("SystemClock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** A clock and the times, from now, at which its timers fired. */
  function watched(...delays: number[]): { clock: SystemClock; fired: number[]; start: number; timers: Timer[] } {
    const clock = new SystemClock();
    const start = clock.now();
    const fired: number[] = [];
    const timers = delays.map((ms) => clock.setTimer(start + ms, () => fired.push(clock.now() - start)));
    return { clock, fired, start, timers };
  }

  it("fires each timer once, at its time, in whatever order they were set", () => {
    const { fired } = watched(30, 10, 20, 10);
    vi.advanceTimersByTime(9);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(fired).toEqual([10, 10, 20, 30]);
  });

  it("waits for times further away than one Node timer can", () => {
    const tenYears = 315_360_000_000;
    const { fired } = watched(tenYears);
    vi.advanceTimersByTime(tenYears - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([tenYears]);
  });

  it("never fires before setTimer has returned, however late it is", () => {
    const { fired } = watched(-1000, 0);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([1, 1]);
  });

  it("does not fire what was cancelled, not even by another timer at the same time", () => {
    const { clock, fired, start, timers } = watched(10, 20);
    timers[1]?.cancel();
    const later = [0, 1].map((i) => clock.setTimer(start + 30, () => later[1 - i]?.cancel()));
    const last = clock.setTimer(start + 31, () => fired.push(-1));
    clock.setTimer(start + 30, () => last.cancel());
    vi.advanceTimersByTime(100);
    expect(fired).toEqual([10]);
  });

  it("takes timers that are set while others fire", () => {
    const { clock, fired, start } = watched(10);
    clock.setTimer(start + 10, () => clock.setTimer(start + 5, () => fired.push(clock.now() - start)));
    clock.setTimer(start + 10, () => clock.setTimer(start + 50, () => fired.push(clock.now() - start)));
    vi.advanceTimersByTime(100);
    expect(fired.at(-1)).toBe(50);
    expect(fired).toHaveLength(3);
  });
});

describe("DrivenClock", () => {
  it("fires timers at their own times, and those they set", () => {
    const clock = new DrivenClock(1000);
    const fired: string[] = [];
    clock.setTimer(1030, () => fired.push(`b at ${clock.now()}`));
    clock.setTimer(1010, () => {
      fired.push(`a at ${clock.now()}`);
      clock.setTimer(1020, () => fired.push(`c at ${clock.now()}`));
    });
    clock.advance(25);
    expect(fired).toEqual(["a at 1010", "c at 1020"]);
    expect([clock.now(), clock.nextDue]).toEqual([1025, 1030]);
  });
});
