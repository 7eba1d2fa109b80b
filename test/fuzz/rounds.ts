import { startBroker, type TestBroker } from "../support/broker.ts";
import { heapOf, heapProbe } from "../support/heap.ts";
import { asGuest } from "../support/management.ts";
import { processUse } from "../support/process-use.ts";
import { fuzzAfterLogin, fuzzBeforeLogin } from "./amqp-fuzz.ts";
import { fuzzer } from "./corpus.ts";
import { HttpFuzz } from "./http-fuzz.ts";

/** How many inputs of a kind go out at once, and how many such batches are under way side by side. */
interface Pace {
  readonly batch: number;
  readonly lanes: number;
}

/** What keeps a broker busy: none of the kinds waits for another. */
const paces: Readonly<Record<keyof FuzzCounts, Pace>> = {
  before: { batch: 150, lanes: 2 },
  after: { batch: 1000, lanes: 8 },
  http: { batch: 50, lanes: 1 },
};
/** After so long the broker is looked at: its vhost is made anew, and then it must be as small as after the first time. */
const roundMs = 10_000;
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
export async function runFuzz(options: FuzzOptions): Promise<FuzzCounts> {
  const broker = await startBroker({ logLevel: "error", env: { NODE_OPTIONS: heapProbe } });
  let counts: FuzzCounts;
  try {
    counts = await new FuzzRun(broker, options).run();
  } catch (error) {
    // One that hangs would not stop, and hide what was found.
    await broker.kill9();
    await broker.stop();
    throw error;
  }
  await broker.stop();
  return counts;
}

class FuzzRun {
  readonly #broker: TestBroker;
  readonly #options: FuzzOptions;
  readonly #counts: FuzzCounts = { before: 0, after: 0, http: 0 };
  #seed: number;
  #hasFailed = false;

  constructor(broker: TestBroker, options: FuzzOptions) {
    this.#broker = broker;
    this.#options = options;
    this.#seed = options.seed;
  }

  async run(): Promise<FuzzCounts> {
    const broker = this.#broker;
    await makeRoom(broker);
    const http = await HttpFuzz.of(broker.managementUrl, fuzzer.name, fuzzer.password);
    let first: BrokerSize | undefined;
    while (this.#goesOn()) {
      await this.#round(http);
      await makeRoom(broker);
      const now = { heap: await heapOf(broker), descriptors: processUse(broker.pid).descriptors };
      this.#tell(now);
      first ??= now;
      checkSize(first, now);
      if (/"level":"(error|fatal)"/.test(broker.log())) throw new Error(`the broker complains:\n${broker.log()}`);
    }
    http.close();
    return this.#counts;
  }

  #goesOn(): boolean {
    return !this.#hasFailed && this.#options.goesOn(this.#counts);
  }

  #tell({ heap, descriptors }: BrokerSize): void {
    const size = `${(heap / 1e6).toFixed(1)} MB, ${descriptors} descriptors`;
    this.#options.onRound?.(`seed ${this.#seed}: ${JSON.stringify(this.#counts)}, ${size}`);
  }

  async #round(http: HttpFuzz): Promise<void> {
    const until = performance.now() + roundMs;
    await Promise.all([
      this.#lanes("before", until, (seed, count) => fuzzBeforeLogin(this.#broker, seed, count)),
      this.#lanes("after", until, (seed, count) => fuzzAfterLogin(this.#broker, seed, count)),
      this.#lanes("http", until, (seed, count) => http.fuzz(seed, count)),
    ]);
  }

  async #lanes(kind: keyof FuzzCounts, until: number, send: Send): Promise<void> {
    const lane = async (): Promise<void> => {
      do await this.#batch(kind, send);
      while (performance.now() < until && this.#goesOn());
    };
    await Promise.all(Array.from({ length: paces[kind].lanes }, lane));
  }

  async #batch(kind: keyof FuzzCounts, send: Send): Promise<void> {
    const seed = ++this.#seed;
    try {
      const taken = await send(seed, paces[kind].batch);
      if (taken === 0) throw new Error("the broker took none of them");
      this.#counts[kind] += taken;
    } catch (error) {
      this.#hasFailed = true;
      const told = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${seed}, ${kind}: ${told}\n${this.#broker.log()}`, { cause: error });
    }
  }
}

/** Sends a batch. Returns how many of its inputs the broker has taken. */
type Send = (seed: number, count: number) => Promise<number>;

interface BrokerSize {
  readonly heap: number;
  readonly descriptors: number;
}

function checkSize(first: BrokerSize, now: BrokerSize): void {
  if (now.heap <= first.heap * heapGrowthMax && now.descriptors <= first.descriptors + descriptorGrowthMax) return;
  throw new Error(`the broker has grown from ${JSON.stringify(first)} to ${JSON.stringify(now)}`);
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
