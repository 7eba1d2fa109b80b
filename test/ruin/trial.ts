import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ConfirmChannel } from "amqplib";
import { checkData } from "../../src/store/data-check.ts";
import { StoreError } from "../../src/store/store.ts";
import { AmqpClient } from "../support/amqp-client.ts";
import { TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { within } from "../support/wait-for.ts";
import { allDefinitions, bodyOf, expectedNumbers, type TrialQueue, trialQueues } from "./content.ts";

/** What came of a trial. */
export interface Outcome {
  readonly name: "nothing" | "mended" | "counted" | "refused" | "broken";
  readonly text: string;
}

const firstNews = Array.from({ length: 10 }, (_, i) => 1_000_000 + i);
const laterNews = Array.from({ length: 10 }, (_, i) => 2_000_000 + i);
const waitMs = 25_000;

/** Starts a broker on a copy of a data directory after `ruin`, and holds it to the promises. `repair` undoes the ruin. */
export async function attempt(
  base: string,
  copy: string,
  definitions: string,
  ruin: () => void,
  repair: () => void,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  rmSync(copy, { recursive: true, force: true });
  cpSync(base, copy, { recursive: true });
  ruin();
  const complaint = whatCheckSays(base, copy);
  if (complaint.startsWith("BROKEN")) return { name: "broken", text: complaint };
  const broker = new TestBroker({ args: ["--data-dir", copy], env });
  const client = new AmqpClient(broker);
  try {
    const outcome = await startOn(broker, client, definitions, repair, copy);
    if (outcome.name === "nothing" || complaint !== "") return outcome;
    return outcome.name === "broken"
      ? outcome
      : { name: "broken", text: `check finds nothing, yet ${outcome.name}: ${outcome.text}` };
  } catch (error) {
    return { name: "broken", text: `${String(error)}\n${logOf(broker)}` };
  } finally {
    await client.cleanUp().catch(() => {});
    await broker.stop().catch(async () => broker.kill9().catch(() => {}));
    rmSync(copy, { recursive: true, force: true });
  }
}

function whatCheckSays(base: string, directory: string): string {
  try {
    const { damages, complaints } = checkData(directory);
    for (const end of ["-wal", "-shm"])
      if (!existsSync(join(base, `tsbroker.db${end}`))) rmSync(join(directory, `tsbroker.db${end}`), { force: true });
    return [...damages.map((damage) => JSON.stringify(damage)), ...complaints].join("; ");
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    return `BROKEN: check throws ${String(error)}`;
  }
}

async function startOn(
  broker: TestBroker,
  client: AmqpClient,
  definitions: string,
  repair: () => void,
  copy: string,
): Promise<Outcome> {
  try {
    await broker.start();
  } catch (error) {
    return refused(broker, String(error), definitions, repair, copy);
  }
  return serves(broker, client, definitions);
}

async function refused(
  broker: TestBroker,
  error: string,
  definitions: string,
  repair: () => void,
  copy: string,
): Promise<Outcome> {
  const text = error.split("\n").slice(1).join("\n").trim().replaceAll(copy, "DIR");
  const isClear = /ended at start with [1-9]/.test(error) && text.split("\n").length === 1;
  if (!isClear) return { name: "broken", text: `does not start: ${error}` };
  await broker.shutdown();
  repair();
  const again = new TestBroker({ args: ["--data-dir", copy] });
  const other = new AmqpClient(again);
  try {
    await again.start();
    const outcome = await serves(again, other, definitions);
    if (outcome.name !== "nothing" && outcome.name !== "mended") {
      return { name: "broken", text: `refused: ${text}; after the repair ${outcome.name}: ${outcome.text}` };
    }
  } catch (failure) {
    return { name: "broken", text: `refused: ${text}; does not start after the repair: ${String(failure)}` };
  } finally {
    await other.cleanUp().catch(() => {});
    await again.stop().catch(() => {});
  }
  return { name: "refused", text };
}

async function serves(broker: TestBroker, client: AmqpClient, definitions: string): Promise<Outcome> {
  if ((await allDefinitions(broker)) !== definitions)
    throw new Error(`definitions differ: ${diff(definitions, await allDefinitions(broker))}`);
  const channel = await client.confirmChannel();
  await within(channel.checkQueue("dropped"), "a look", waitMs);
  await within(allDue(broker), "all that was delayed", waitMs);
  await publishNews(channel, firstNews);
  const missing = new Map<string, number>();
  for (const queue of trialQueues) {
    const found = await within(numbersIn(channel, queue), `all of ${queue.name}`, waitMs);
    const left = checkOrder(queue, found);
    if (left > 0) missing.set(queue.name, left);
  }
  await publishNews(channel, laterNews);
  await within(changeDefinitions(broker, channel), "definitions", waitMs);
  const { status, body } = await asGuest(broker).get("/health/checks/alarms");
  if (status !== 200) throw new Error(`an alarm: ${JSON.stringify(body)}`);
  const reported = await damagesOf(broker);
  const cpu = await cpuShare(broker);
  if (cpu > 0.8) throw new Error(`busy: ${cpu}`);
  await broker.kill9();
  await broker.restart();
  await news(client, missing);
  const counted = [...missing].map(([name, count]) => `${name} ${count}/${reported.get(name) ?? 0}`);
  for (const [name, count] of missing) {
    if ((reported.get(name) ?? 0) < count)
      throw new Error(`missing and not counted: ${counted.join(", ")}; ${JSON.stringify([...reported])}`);
  }
  const mended = logOf(broker);
  if (counted.length > 0) return { name: "counted", text: counted.join(", ") };
  if (reported.size > 0) return { name: "counted", text: `nothing missing, ${JSON.stringify([...reported])}` };
  return { name: mended === "" ? "nothing" : "mended", text: mended.slice(0, 300) };
}

/** Resolves once the delayed exchange has nothing left: all of it has been due since before the start. */
async function allDue(broker: TestBroker): Promise<void> {
  while (Object(await asGuest(broker).read("/exchanges/%2F/later")).messages_delayed > 0) await delay(100);
}

/** Adds to each queue. */
async function publishNews(channel: ConfirmChannel, numbers: readonly number[]): Promise<void> {
  for (const { name, bodyBytes } of trialQueues) {
    for (const number of numbers)
      channel.sendToQueue(name, bodyOf(name, number, bodyBytes), { persistent: true, priority: 0 });
  }
  await within(channel.waitForConfirms(), "confirms", waitMs);
}

async function changeDefinitions(broker: TestBroker, channel: ConfirmChannel): Promise<void> {
  await channel.assertQueue("one more");
  await channel.bindQueue("one more", "news", "one.more");
  await channel.deleteQueue("dropped");
  await asGuest(broker).must("PUT", "/users/newcomer", { password: "secret", tags: "" });
  await asGuest(broker).must("PUT", "/permissions/other/newcomer", { configure: "", write: ".*", read: ".*" });
}

async function news(client: AmqpClient, missing: ReadonlyMap<string, number>): Promise<void> {
  const channel = await client.confirmChannel();
  for (const queue of trialQueues) {
    const all = await within(numbersIn(channel, queue), `what is new in ${queue.name}`, waitMs);
    // What was damaged may be found later.
    const found = all.filter((number) => number >= 1_000_000);
    if (all.length - found.length > (missing.get(queue.name) ?? 0)) throw new Error(`old in ${queue.name}: ${all}`);
    if (JSON.stringify(found) !== JSON.stringify(laterNews))
      throw new Error(`new in ${queue.name}: ${JSON.stringify(found.slice(0, 50))}`);
  }
  await channel.checkQueue("one more");
}

async function numbersIn(channel: ConfirmChannel, queue: TrialQueue): Promise<number[]> {
  const numbers: number[] = [];
  for (;;) {
    const message = await channel.get(queue.name, { noAck: true });
    if (message === false) return numbers;
    const [name, number] = message.content.toString("latin1", 0, 60).split(" ");
    if (!message.content.equals(bodyOf(queue.name, Number(number), queue.bodyBytes))) {
      throw new Error(`wrong content in ${queue.name}: ${name} ${number}`);
    }
    numbers.push(Number(number));
  }
}

/** How many are missing of what should have come, in that order. */
function checkOrder(queue: TrialQueue, found: readonly number[]): number {
  const expected = [...expectedNumbers(queue), ...firstNews];
  const places = found.map((number) => expected.indexOf(number));
  if (places.some((place) => place < 0))
    throw new Error(
      `unexpected in ${queue.name}: ${found.filter((n) => !expected.includes(n)).slice(0, 20)}; ${found.length} of ${expected.length} came`,
    );
  // What the delayed exchange has to ask a damaged disk for thrice comes behind what is due and was read.
  const isLate = queue.name === "delayed" && found.length < expected.length;
  if (!isLate && places.some((place, i) => place <= (places[i - 1] ?? -1)))
    throw new Error(`order of ${queue.name}: ${String(found).slice(0, 300)}`);
  if (firstNews.some((number) => !found.includes(number)))
    throw new Error(`what was new is missing in ${queue.name}: ${found.slice(-20)}`);
  return expected.length - found.length;
}

async function damagesOf(broker: TestBroker): Promise<Map<string, number>> {
  const { body } = await asGuest(broker).get("/health/checks/data-damage");
  const { damaged } = Object(body);
  const found = new Map<string, number>();
  for (const { queue, messages } of Array.isArray(damaged) ? damaged : [])
    found.set(String(queue).replace("amq.delayed.later", "delayed"), Number(messages));
  return found;
}

async function cpuShare(broker: TestBroker): Promise<number> {
  const before = cpuTicks(broker);
  await new Promise((resolve) => setTimeout(resolve, 400));
  return (cpuTicks(broker) - before) / 40;
}

function cpuTicks(broker: TestBroker): number {
  const fields =
    readFileSync(join("/proc", String(broker.pid), "stat"), "utf8")
      .split(") ")[1]
      ?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** What it logged that is no ordinary warning. */
function logOf(broker: TestBroker): string {
  return broker
    .log()
    .split("\n")
    .filter((line) => line !== "" && !/"level":"?(info|warn)/.test(line))
    .map((line) => line.replace(/"time":[^,]*,/, ""))
    .join("\n");
}

function diff(a: string, b: string): string {
  let i = 0;
  while (a[i] === b[i]) i++;
  return `${a.slice(i - 60, i + 100)} <> ${b.slice(i - 60, i + 100)}`;
}
