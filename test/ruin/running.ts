import { cpSync, rmSync } from "node:fs";
import type { ConfirmChannel } from "amqplib";
import { AmqpClient } from "../support/amqp-client.ts";
import { TestBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest } from "../support/management.ts";
import { within } from "../support/wait-for.ts";
import type { Outcome } from "./trial.ts";

/** What is asked of a broker after a page was ruined under it; each within this time. */
const waitMs = 15_000;

/** Ruins a page under a running broker, and says what it did not do in time afterwards, or else the errors that it logged. */
export async function attemptRunning(base: string, copy: string, ruin: () => void): Promise<Outcome> {
  rmSync(copy, { recursive: true, force: true });
  cpSync(base, copy, { recursive: true });
  const broker = new TestBroker({ args: ["--data-dir", copy] });
  const client = new AmqpClient(broker);
  const failures: string[] = [];
  const tried = async (what: string, step: () => Promise<unknown>): Promise<void> => {
    try {
      await within(step(), what, waitMs);
    } catch (error) {
      const alarms = await asGuest(broker)
        .get("/health/checks/alarms")
        .catch(() => undefined);
      failures.push(`${what}: ${String(error).slice(0, 200)} (alarms ${alarms?.status})`);
    }
  };
  try {
    await broker.start();
    ruin();
    const channel = await client.confirmChannel();
    await evict(channel);
    await tried("declare", () => channel.assertQueue("one more"));
    await tried("bind", () => channel.bindQueue("one more", "news", "one.more"));
    await tried("user", () => asGuest(broker).must("PUT", "/users/newcomer", { password: "secret", tags: "" }));
    await tried("permission", () =>
      asGuest(broker).must("PUT", "/permissions/other/newcomer", { configure: "", write: "", read: "" }),
    );
    await tried("parameter", () => asGuest(broker).must("PUT", "/global-parameters/other", { value: 1 }));
    await tried("publish", () => publish(channel, ["classic", "big", "one more"]));
    for (const queue of ["classic", "big"]) await tried(`consume ${queue}`, () => consume(client, queue));
    await tried("delete", () => channel.deleteQueue("quorum"));
    await tried("purge", () => channel.purgeQueue("ranked"));
    await tried("unbind", () => channel.unbindQueue("one more", "news", "one.more"));
    await tried("publish again", () => publish(channel, ["classic", "ranked"]));
    await tried("backup", async () => {
      const { status } = await asGuest(broker).request("GET", "/backup");
      if (status >= 500 && status !== 503) throw new Error(String(status));
    });
    await tried("check", async () => {
      const { exitCode, stderr } = await new Brokerctl(broker, "built").run(["check", copy]);
      if (![0, 65].includes(exitCode) || /at .*\.js:\d/.test(stderr)) throw new Error(`${exitCode}: ${stderr}`);
    });
    await broker.kill9();
    await broker.restart();
  } catch (error) {
    failures.push(String(error).slice(0, 1500));
  } finally {
    await client.cleanUp().catch(() => {});
    await broker.stop().catch((error) => failures.push(`stop: ${String(error).slice(0, 300)}`));
    rmSync(copy, { recursive: true, force: true });
  }
  const log = new Set(
    broker
      .log()
      .split("\n")
      .filter((line) => /"level":"?(error|fatal)/.test(line))
      .map((line) => line.replace(/"stack":.*/, "").slice(0, 200)),
  );
  const text = [...failures, ...log].join("\n");
  return { name: failures.length > 0 ? "broken" : log.size > 0 ? "mended" : "nothing", text };
}

/** What SQLite has kept of the file in memory makes room for other pages. */
async function evict(channel: ConfirmChannel): Promise<void> {
  await channel.assertQueue("ballast");
  for (let i = 0; i < 300; i++) channel.sendToQueue("ballast", Buffer.alloc(100_000, "b"), { persistent: true });
  await channel.waitForConfirms().catch(() => {});
}

async function publish(channel: ConfirmChannel, queues: readonly string[]): Promise<void> {
  for (const queue of queues) {
    for (let i = 0; i < 30; i++) channel.sendToQueue(queue, Buffer.alloc(5000, "n"), { persistent: true });
  }
  await channel.waitForConfirms();
}

async function consume(client: AmqpClient, queue: string): Promise<void> {
  const channel = await client.channel();
  for (;;) if ((await channel.get(queue, { noAck: true })) === false) return;
}
