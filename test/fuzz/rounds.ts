import { startBroker, type TestBroker } from "../support/broker.ts";
import { heapOf, heapProbe } from "../support/heap.ts";
import { asGuest } from "../support/management.ts";
import { processUse } from "../support/process-use.ts";
import { fuzzAfterLogin, fuzzBeforeLogin } from "./amqp-fuzz.ts";
import { fuzzer } from "./corpus.ts";
import { HttpFuzz } from "./http-fuzz.ts";

/** How many inputs of each kind are sent at once. */
const batch = { before: 50, after: 2000, http: 50 };
/** Batches before the broker is looked at: its vhost is made anew, and then it must be as small as after the first time. */
const batchesPerRound = 20;
/** What it may have grown by meanwhile. */
const heapGrowthMax = 1.5;
const descriptorGrowthMax = 30;

export interface FuzzOptions {
  readonly seed: number;
  /** Whether to go on. */
  readonly goesOn: (counts: FuzzCounts) => boolean;
  readonly onRound?: (text: string) => void;
}

/** Inputs that the broker has taken. */
export interface FuzzCounts {
  before: number;
  after: number;
  http: number;
}

/** Sends mutated traffic to a broker of its own. Rejects for a crash, a hang, a leak or a wrong answer, with the seed of the batch. */
export async function runFuzz({ seed, goesOn, onRound }: FuzzOptions): Promise<FuzzCounts> {
  const broker = await startBroker({ logLevel: "error", env: { NODE_OPTIONS: heapProbe } });
  const counts: FuzzCounts = { before: 0, after: 0, http: 0 };
  try {
    await makeRoom(broker);
    const http = await HttpFuzz.of(broker.managementUrl, fuzzer.name, fuzzer.password);
    let number = seed;
    let first: { heap: number; descriptors: number } | undefined;
    while (goesOn(counts)) {
      for (let i = 0; i < batchesPerRound && goesOn(counts); i++) await oneBatch(broker, http, ++number, counts);
      await makeRoom(broker);
      const now = { heap: await heapOf(broker), descriptors: processUse(broker.pid).descriptors };
      onRound?.(
        `seed ${number}: ${JSON.stringify(counts)}, ${(now.heap / 1e6).toFixed(1)} MB, ${now.descriptors} descriptors`,
      );
      first ??= now;
      const isLeaking =
        now.heap > first.heap * heapGrowthMax || now.descriptors > first.descriptors + descriptorGrowthMax;
      if (isLeaking) throw new Error(`the broker has grown from ${JSON.stringify(first)} to ${JSON.stringify(now)}`);
      if (/"level":"(error|fatal)"/.test(broker.log())) throw new Error(`the broker complains:\n${broker.log()}`);
    }
    http.close();
  } finally {
    await broker.stop();
  }
  return counts;
}

async function oneBatch(broker: TestBroker, http: HttpFuzz, seed: number, counts: FuzzCounts): Promise<void> {
  try {
    const [before, after, answered] = await Promise.all([
      fuzzBeforeLogin(broker, seed, batch.before),
      fuzzAfterLogin(broker, seed, batch.after),
      http.fuzz(seed, batch.http),
    ]);
    if (after === 0) throw new Error("the broker took nothing after a login");
    counts.before += before;
    counts.after += after;
    counts.http += answered;
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n${broker.log()}`, {
      cause: error,
    });
  }
}

/** A vhost with nothing in it, and who may do everything there. */
async function makeRoom(broker: TestBroker): Promise<void> {
  const admin = asGuest(broker);
  const names = Array.from(Object(await admin.read("/vhosts")), (row) => String(Object(row).name));
  // Names that are steps in a path stay: fetch takes the steps.
  for (const name of names.filter((each) => !["/", ".", ".."].includes(each))) {
    await admin.put(`/vhosts/${encodeURIComponent(name)}`, { protected_from_deletion: false });
    await admin.delete(`/vhosts/${encodeURIComponent(name)}/deletion/protection`);
    await admin.must("DELETE", `/vhosts/${encodeURIComponent(name)}`);
  }
  await admin.must("PUT", `/vhosts/${fuzzer.vhost}`);
  await admin.must("PUT", `/users/${fuzzer.name}`, { password: fuzzer.password, tags: "administrator" });
  const everything = { configure: ".*", write: ".*", read: ".*" };
  await admin.must("PUT", `/permissions/${fuzzer.vhost}/${fuzzer.name}`, everything);
  await admin.must("PUT", `/permissions/${fuzzer.vhost}/guest`, everything);
}
