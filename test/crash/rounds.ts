import { join } from "node:path";
import { setTimeout as later } from "node:timers/promises";
import type { ChannelModel } from "amqplib";
import Sqlite from "better-sqlite3";
import type { TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { SeededRandom } from "../support/random.ts";
import { within } from "../support/wait-for.ts";
import { Ledger, type MessageId, OrderCheck, readId } from "./ledger.ts";
import { ChangingTopology, consumed, declareAll, queues, streams } from "./topology.ts";
import { openConnection, Traffic } from "./traffic.ts";

/** How long there is traffic before the broker is killed. */
const trafficMs = { min: 100, max: 1500 } as const;

/** Time that the messages of one queue have to come. */
const drainMsMax = 15_000;

export interface CrashOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (text: string) => void;
}

/** Kills a broker at random moments, and returns what it broke of its promises. */
export async function runRounds(broker: TestBroker, { rounds, seed, onRound }: CrashOptions): Promise<string[]> {
  const random = new SeededRandom(seed);
  const topology = new ChangingTopology();
  const violations: string[] = [];
  const connection = await openConnection(broker);
  await declareAll(connection);
  await connection.close();
  for (let round = 1; round <= rounds; round++) {
    const ledger = new Ledger(round, streams);
    await crash(broker, ledger, topology, random);
    await broker.restart();
    checkFile(broker, ledger);
    await topology.check(broker, ledger);
    const found = await drainAll(broker, ledger);
    ledger.settle(found);
    violations.push(...ledger.violations);
    onRound?.(summary(ledger, found, topology));
  }
  return violations;
}

function summary(ledger: Ledger, found: ReadonlyMap<string, readonly MessageId[]>, topology: ChangingTopology): string {
  const left = [...found.values()].reduce((sum, ids) => sum + ids.length, 0);
  const { round, sent, violations } = ledger;
  const [confirmed, acked, sure] = (["confirmed", "acked", "sure"] as const).map((what) => ledger.total(what));
  return (
    `round ${round}: ${sent} sent, ${confirmed} confirmed, ${acked} acked (${sure} for sure), ${left} left, ` +
    `${topology.size} queues made: ${violations.length === 0 ? "all is well" : violations.join("; ")}`
  );
}

async function crash(
  broker: TestBroker,
  ledger: Ledger,
  topology: ChangingTopology,
  random: SeededRandom,
): Promise<void> {
  const isAcked = ledger.round % 2 === 0;
  const traffic = new Traffic(broker, ledger, random, isAcked ? "some" : "none");
  await traffic.start(streams, consumed);
  const changing = topology.change(await openConnection(broker), random).catch(() => {});
  await later(random.integer(trafficMs.min, trafficMs.max));
  if (isAcked) await within(killAtAnswer(broker, traffic), "an answer to acks");
  else await broker.kill9();
  await traffic.end();
  await changing;
}

/** Where a promise is broken for a moment only, it is the moment right after it was made. */
function killAtAnswer(broker: TestBroker, traffic: Traffic): Promise<void> {
  return new Promise((resolve, reject) => {
    traffic.onAnswer = () => {
      traffic.onAnswer = undefined;
      broker.kill9().then(resolve, reject);
    };
  });
}

function checkFile(broker: TestBroker, ledger: Ledger): void {
  const file = new Sqlite(join(broker.dataDir, "tsbroker.db"), { readonly: true });
  const result = file.pragma("integrity_check", { simple: true });
  file.close();
  if (result !== "ok") ledger.violation(`integrity_check: ${String(result)}`);
}

/** Takes all that is left out of the queues. */
async function drainAll(broker: TestBroker, ledger: Ledger): Promise<Map<string, MessageId[]>> {
  const connection = await openConnection(broker);
  const found = new Map<string, MessageId[]>();
  await within(untilExpired(connection), "the queue of messages that expire");
  for (const queue of queues) found.set(queue, await drain(broker, connection, queue, ledger));
  await connection.close();
  return found;
}

/** Messages leave this queue by themselves, so its count holds for a moment only. */
async function untilExpired(connection: ChannelModel): Promise<void> {
  const channel = await connection.createChannel();
  while ((await channel.checkQueue("ttl")).messageCount > 0) await later(20);
  await channel.close();
}

async function drain(
  broker: TestBroker,
  connection: ChannelModel,
  queue: string,
  ledger: Ledger,
): Promise<MessageId[]> {
  const channel = await connection.createChannel();
  const { messageCount } = await channel.checkQueue(queue);
  const row = Object(await asGuest(broker).read(`/queues/%2F/${queue}`));
  if (row.messages !== messageCount) ledger.violation(`${queue}: ${messageCount} by AMQP, ${row.messages} by the API`);
  const order = new OrderCheck(ledger, queue);
  const ids: MessageId[] = [];
  await channel.prefetch(1000);
  let complete = (): void => {};
  const all = new Promise<void>((resolve) => {
    complete = resolve;
  });
  if (messageCount === 0) complete();
  await channel.consume(queue, (message) => {
    if (message === null) return;
    const id = readId(message.content);
    ledger.delivered(queue, id);
    if (queue !== "dead") order.next(id, Number(message.properties.priority ?? 0));
    ids.push(id);
    channel.ack(message);
    if (ids.length === messageCount) complete();
  });
  const complaint = await within(all, `all messages of ${queue}`, drainMsMax).then(
    () => undefined,
    () => `${queue}: ${messageCount} messages are to be there, and ${ids.length} came`,
  );
  if (complaint !== undefined) ledger.violation(complaint);
  const after = await channel.checkQueue(queue);
  if (after.messageCount > 0 || ids.length !== messageCount) ledger.violation(`${queue} holds more than it says`);
  await channel.close();
  return ids;
}
