import { setTimeout as later } from "node:timers/promises";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { heapOf, heapProbe } from "../support/heap.ts";
import { percentile, processUse } from "../support/process-use.ts";
import { type Abuse, abuses } from "./abuses.ts";
import { QuietPair } from "./quiet-pair.ts";

/** What the broker and a quiet pair of clients came to while somebody was abusive. */
export interface AbuseResult {
  readonly name: string;
  readonly what: string;
  readonly seconds: number;
  /** Milliseconds that 50 and 99 of 100 messages of the quiet pair took at most, and all of them. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Bytes. */
  readonly memoryMax: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly descriptorsBefore: number;
  readonly descriptorsAfter: number;
}

const sampleMs = 50;

/** How long what an abuse has left behind may take to go. */
const settleMsMax = 15_000;

/** One after the other on one broker; before it is measured for the first time it has borne a little of each. */
export async function runAbuses(
  size: "full" | "small",
  onResult: (result: AbuseResult) => void,
  chosen: readonly Abuse[] = abuses,
): Promise<void> {
  const args = size === "small" ? ["--handshake-timeout-ms", "3000"] : [];
  const broker = await startBroker({ args, env: { NODE_OPTIONS: heapProbe } });
  try {
    for (const abuse of chosen) await abuse.run(broker, abuse.small);
    const pair = new QuietPair(broker);
    await pair.start();
    for (const abuse of chosen) onResult(await measure(broker, pair, abuse, abuse[size]));
    await pair.stop();
  } finally {
    await broker.stop();
  }
}

async function measure(broker: TestBroker, pair: QuietPair, abuse: Abuse, size: number): Promise<AbuseResult> {
  const before = processUse(broker.pid);
  const heapBefore = await heapOf(broker);
  let memoryMax = 0;
  const sampling = setInterval(() => {
    memoryMax = Math.max(memoryMax, processUse(broker.pid).memory);
  }, sampleMs);
  await later(200);
  pair.reset();
  const from = performance.now();
  const what = await abuse.run(broker, size);
  const seconds = (performance.now() - from) / 1000;
  await later(200);
  const latencies = [...pair.latencies];
  clearInterval(sampling);
  const after = await settled(broker, before.descriptors, heapBefore);
  return {
    name: abuse.name,
    what,
    seconds,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    max: Math.max(...latencies),
    memoryMax,
    heapBefore,
    heapAfter: after.heap,
    descriptorsBefore: before.descriptors,
    descriptorsAfter: after.descriptors,
  };
}

/** What is left once it is back within a tenth, or does not come back. */
async function settled(broker: TestBroker, descriptors: number, heap: number) {
  const until = performance.now() + settleMsMax;
  for (;;) {
    const now = { heap: await heapOf(broker), descriptors: processUse(broker.pid).descriptors };
    const isBack = now.heap <= heap * 1.1 && now.descriptors <= descriptors * 1.1;
    if (isBack || performance.now() > until) return now;
    await later(250);
  }
}
