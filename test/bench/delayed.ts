/*
 * Many messages in an x-delayed-message exchange, all on disk and waiting before the first is due: how late each comes,
 * as a client on the same machine sees it. `npx tsx test/bench/delayed.ts 1000000 50000` (messages; due in a second)
 */
import { once } from "node:events";
import { connect } from "amqplib";
import { startBroker } from "../support/broker.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const dueInASecond = Number(process.argv[3] ?? 50_000);
/** Published at a time: what waits in a socket is not waiting in the exchange yet. */
const batch = 200;
/** For so long is published before the first message is due. */
const leadMs = count / 20 + 2000;

const broker = await startBroker();
const connection = await connect(broker.url);
const publisher = await connection.createConfirmChannel();
await publisher.assertExchange("later", "x-delayed-message", { arguments: { "x-delayed-type": "direct" } });
await publisher.assertQueue("due");
await publisher.bindQueue("due", "later", "");

const late: number[] = [];
const reading = await connect(broker.url);
const reader = await reading.createChannel();
const done = new Promise<void>((resolve) => {
  const onMessage = (message: { content: Buffer } | null): void => {
    late.push(Date.now() - Number(message?.content));
    if (late.length === count) resolve();
  };
  void reader.consume("due", onMessage, { noAck: true });
});

const startedAt = Date.now();
for (let i = 0; i < count; i++) {
  if (i % batch === 0) await publisher.waitForConfirms();
  const dueAt = startedAt + leadMs + Math.floor((i / dueInASecond) * 1000);
  const headers = { "x-delay": dueAt - Date.now() };
  const isTaken = publisher.publish("later", "", Buffer.from(String(dueAt)), { persistent: true, headers });
  if (!isTaken) await once(publisher, "drain");
}
await publisher.waitForConfirms();
console.log(`${count} published in ${Date.now() - startedAt} ms, the first is due after ${leadMs}`);
await done;

late.sort((a, b) => a - b);
const at = (share: number): number => late[Math.min(count - 1, Math.floor(count * share))] ?? 0;
console.log(
  `early ${late.filter((ms) => ms < 0).length}; late by p50 ${at(0.5)}, p99 ${at(0.99)}, at most ${at(1)} ms`,
);

await connection.close();
await reading.close();
await broker.stop();
