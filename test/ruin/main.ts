/*
 * npm run ruin -- --each N --seed S: ruins pages of a data file in every way, one at a time, and holds a broker on it to what is
 * promised; fails when it is not. N pages of each kind are taken. --kind and --ruin narrow it down to some, --kill begins with
 * what a kill leaves, --running ruins a page under a broker that runs.
 */
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { AmqpClient } from "../support/amqp-client.ts";
import { startBroker, TestBroker } from "../support/broker.ts";
import { SeededRandom } from "../support/random.ts";
import { allDefinitions, fill, trialQueues } from "./content.ts";
import { type Page, pagesOf } from "./pages.ts";
import { getPage, putPage, readAll, ruins } from "./ruins.ts";
import { attemptRunning } from "./running.ts";
import { attempt, type Outcome } from "./trial.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    kill: { type: "boolean" },
    running: { type: "boolean" },
    each: { type: "string" },
    kind: { type: "string" },
    ruin: { type: "string", multiple: true },
    out: { type: "string" },
    base: { type: "string" },
    workers: { type: "string" },
  },
});
const seed = Number(values.seed ?? 1);
const each = Number(values.each ?? 2);
const home = values.base ?? mkdtempSync(join(tmpdir(), "tsbroker-ruin-"));
const base = join(home, "base");
const earlierFile = join(home, "earlier.db");

if (values.base === undefined) {
  const broker = await startBroker();
  await fill(broker, () => cpSync(join(broker.dataDir, "tsbroker.db"), earlierFile));
  if (values.kill) await broker.kill9();
  else await broker.shutdown();
  cpSync(broker.dataDir, base, { recursive: true });
  await broker.stop();
}
const definitions = await definitionsOf();

/** Starts a broker on a copy once, which also waits until all that was delayed is due. */
async function definitionsOf(): Promise<string> {
  const copy = join(home, "first");
  cpSync(base, copy, { recursive: true });
  const broker = new TestBroker({ args: ["--data-dir", copy] });
  await broker.start();
  const client = new AmqpClient(broker);
  const channel = await client.channel();
  const delayed = trialQueues.find(({ name }) => name === "delayed")?.messages;
  while ((await channel.checkQueue("delayed")).messageCount !== delayed)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const all = await allDefinitions(broker);
  await client.cleanUp();
  await broker.stop();
  rmSync(copy, { recursive: true });
  return all;
}

/** The data file and its log. */
function filesOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name === "tsbroker.db" || name === "tsbroker.db-wal");
}

const file = readAll(join(base, "tsbroker.db"));
const earlier = readAll(earlierFile);
const pages = values.kill ? await pagesAfterClose() : pagesOf(join(base, "tsbroker.db"));

/** What is in the log is put into the file of a copy, to see what its pages are. */
async function pagesAfterClose(): Promise<Page[]> {
  const copy = join(home, "closed");
  cpSync(base, copy, { recursive: true });
  const found = pagesOf(join(copy, "tsbroker.db")).filter(({ number }) => number <= file.length / (16 * 1024));
  rmSync(copy, { recursive: true });
  return found;
}

const random = new SeededRandom(seed);
function sample(): Page[] {
  return [...new Set(pages.map(({ kind }) => kind))].flatMap((kind) => {
    const all = pages.filter((page) => page.kind === kind);
    if (values.kind !== undefined && !kind.includes(values.kind)) return [];
    const chosen = new Set<Page>();
    const count = Math.min(each, all.length);
    while (chosen.size < count) {
      const page = all[random.integer(0, all.length - 1)];
      if (page !== undefined) chosen.add(page);
    }
    return [...chosen];
  });
}

interface Trial {
  readonly page: Page;
  readonly ruin: string;
  readonly bytes: Buffer | "cut";
}

const trials: Trial[] = sample().flatMap((page) =>
  Object.entries(ruins).flatMap(([name, ruin]) => {
    if (values.ruin !== undefined && !values.ruin.includes(name)) return [];
    const bytes = getPage(file, page.number);
    const other = getPage(file, random.integer(3, pages.length));
    if (bytes === undefined || other === undefined) return [];
    const ruined = ruin({ bytes, earlier: getPage(earlier, page.number), other }, random);
    if (ruined === undefined || (ruined !== "cut" && ruined.equals(bytes))) return [];
    return [{ page, ruin: name, bytes: ruined }];
  }),
);
console.log(
  `${home}: ${pages.length} pages of ${new Set(pages.map(({ kind }) => kind)).size} kinds, ${trials.length} trials`,
);

const table = new Map<string, Map<string, Outcome[]>>();
async function work(number: number): Promise<void> {
  for (let trial = trials.shift(); trial !== undefined; trial = trials.shift()) {
    const { page, ruin, bytes } = trial;
    const copy = join(home, `copy-${number}`);
    const data = join(copy, "tsbroker.db");
    const repair = () => {
      // With the log that a kill left: a start has put it into what was there of the file.
      if (bytes === "cut") for (const name of filesOf(base)) cpSync(join(base, name), join(copy, name));
      else putPage(data, page.number, getPage(file, page.number) ?? Buffer.alloc(0));
    };
    const ruinIt = () => putPage(data, page.number, bytes);
    const outcome = values.running
      ? await attemptRunning(base, copy, ruinIt)
      : await attempt(base, copy, definitions, ruinIt, repair);
    const row = table.get(page.kind) ?? new Map<string, Outcome[]>();
    table.set(page.kind, row);
    row.set(ruin, [...(row.get(ruin) ?? []), outcome]);
    const line = JSON.stringify({ page: page.number, kind: page.kind, ruin, ...outcome });
    appendFileSync(values.out ?? "/dev/stdout", `${line}\n`);
  }
}
await Promise.all(Array.from({ length: Number(values.workers ?? 2) }, (_, i) => work(i)));
for (const [kind, row] of table) {
  const cells = [...row].map(
    ([ruin, outcomes]) => `${ruin}: ${[...new Set(outcomes.map(({ name }) => name))].join("/")}`,
  );
  console.log(`${kind}: ${cells.join(", ")}`);
}
const broken = [...table.values()].flatMap((row) => [...row.values()].flat()).filter(({ name }) => name === "broken");
process.exit(broken.length === 0 ? 0 : 1);
