/*
 * Many connections with a channel and a consumer each: the broker's memory for one, and whether all stay up by heartbeats
 * alone. `npx tsx test/bench/connections.ts 5000`
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startBroker } from "../support/broker.ts";
import { WireClient } from "../support/wire-client.ts";

const count = Number(process.argv[2] ?? 5000);
const heartbeatSeconds = 4;
const watchSeconds = 20;
/** Opened at a time. */
const batch = 50;

const broker = await startBroker();
const residentKb = (): number => {
  const [, pages = "0"] = readFileSync(`/proc/${broker.pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4;
};

async function open(): Promise<WireClient> {
  const client = await WireClient.open(broker, { heartbeat: heartbeatSeconds });
  client.sendMethod(1, "channel.open", {});
  await client.expect("channel.open-ok");
  client.sendMethod(1, "basic.consume", { queue: "shared" });
  await client.expect("basic.consume-ok");
  return client;
}

const first = await WireClient.open(broker);
first.sendMethod(1, "channel.open", {});
first.sendMethod(1, "queue.declare", { queue: "shared" });
await first.expect("channel.open-ok");
await first.expect("queue.declare-ok");
const before = residentKb();
const clients: WireClient[] = [];
const start = performance.now();
while (clients.length < count) {
  const opened = Array.from({ length: Math.min(batch, count - clients.length) }, open);
  clients.push(...(await Promise.all(opened)));
  for (const client of clients) client.sendHeartbeat();
}
const ms = Math.round(performance.now() - start);
const after = residentKb();
for (let passed = 0; passed < watchSeconds; passed += 1) {
  await sleep(1000);
  for (const client of clients) client.sendHeartbeat();
}
const up = clients.filter((client) => !client.isClosed).length;
console.log(`${count} connections in ${ms} ms: ${((after - before) / count).toFixed(1)} kB each`);
console.log(`${up} of them up after ${watchSeconds} s with a heartbeat of ${heartbeatSeconds} s`);
console.log(`memory then: ${((residentKb() - before) / count).toFixed(1)} kB each`);
await broker.stop();
process.exit(0);
