import { expect, it } from "vitest";
import { parity, startBroker } from "../support/broker.ts";
import { runSoak } from "./soak.ts";

it.skipIf(parity)("mixed traffic is served without a failure, and leaves nothing behind", async () => {
  const broker = await startBroker();
  try {
    const { early, after, counts, failures } = await runSoak(broker, { durationMs: 3000, sampleMs: 200 });
    expect(failures).toEqual([]);
    for (const what of ["confirmed", "delivered", "transactions", "calls", "connections", "queues made", "looks"]) {
      expect(counts[what], what).toBeGreaterThan(0);
    }
    // With its clients gone it holds fewer than with them.
    expect(after.descriptors).toBeLessThan(early.descriptors);
  } finally {
    await broker.stop();
  }
});
