/*
 * npm run soak -- --minutes M: clients of all kinds at once, and whether the broker's memory and descriptors stay as they
 * are.
 */
import { parseArgs } from "node:util";
import { startBroker } from "../support/broker.ts";
import { megabytes } from "../support/process-use.ts";
import { runSoak } from "./soak.ts";

/** How much more there may be at the end than after the first while. */
const growthMax = 1.1;

const { values } = parseArgs({ options: { minutes: { type: "string" } } });
const minutes = Number(values.minutes ?? 30);
const broker = await startBroker();
const sampleMs = Math.min(5000, (minutes * 60_000) / 60);
const { early, late, after, counts, failures } = await runSoak(broker, {
  durationMs: minutes * 60_000,
  sampleMs,
  onSample: (text) => console.log(text),
});
await broker.stop();
console.log(`${minutes} minutes: ${JSON.stringify(counts)}`);
for (const [when, use] of Object.entries({ early, late, after })) {
  console.log(`${when}: ${megabytes(use.memory)}, ${use.descriptors} descriptors`);
}
for (const failure of failures) console.log(`failure: ${failure}`);
const isFlat = late.memory <= early.memory * growthMax && late.descriptors <= early.descriptors * growthMax;
console.log(isFlat && failures.length === 0 ? "flat" : "not flat, or not without failures");
process.exit(isFlat && failures.length === 0 ? 0 : 1);
