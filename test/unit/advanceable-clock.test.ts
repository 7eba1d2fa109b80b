import { describe, it } from "vitest";
import { AdvanceableClock } from "../../src/advanceable-clock.ts";
import { within } from "../support/wait-for.ts";

describe("the clock that can be put forward", () => {
  it("goes on by the real time from where it was put to", async () => {
    const clock = new AdvanceableClock();
    const fired = new Promise<void>((resolve) => {
      clock.setTimer(clock.now() + 3_600_200, resolve);
    });
    await clock.advance("1h");
    await within(fired, "the timer that is due 0.2 s after the hour");
  });
});
