import { SystemClock } from "./clock.ts";

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time span: milliseconds, or a number with a unit, such as "500ms", "30s", "5m", "1h" or "2d". */
export type Duration = number | `${number}${keyof typeof unitMs}`;

/** A time span in milliseconds. Throws RangeError for what is none. */
export function durationMs(duration: Duration): number {
  if (typeof duration === "number" && duration >= 0 && Number.isFinite(duration)) return duration;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration)) ?? [];
  if (unit !== "ms" && unit !== "s" && unit !== "m" && unit !== "h" && unit !== "d") {
    throw new RangeError(`'${duration}' is no time span: give milliseconds, or a text such as "500ms", "30s" or "1h"`);
  }
  return Number(digits) * unitMs[unit];
}

/** The wall clock, which can be put forward: what would have come due on the way does so at its time, the soonest first. */
export class AdvanceableClock extends SystemClock {
  #aheadMs = 0;

  override now(): number {
    return super.now() + this.#aheadMs;
  }

  /**
   * Lets a time span pass at once, and resolves when what came due has been done: messages have expired, been
   * dead-lettered or been routed, and have been sent to those consumers that take them.
   */
  async advance(duration: Duration): Promise<void> {
    const end = this.now() + durationMs(duration);
    for (let due = this.nextDue(); due !== undefined && due <= end; due = this.nextDue()) {
      this.#aheadMs += Math.max(0, due - this.now());
      this.fireDue();
      // What that set off may have set timers that are due on the way too.
      await turn();
    }
    this.#aheadMs += Math.max(0, end - this.now());
    this.sleep();
    await turn();
  }
}

/** Resolves once what the loop has at hand is done. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
