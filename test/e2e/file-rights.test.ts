import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, type TestBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

let directory: string;
let broker: TestBroker;

beforeEach(async (context) => {
  needsOwnBroker(context);
  directory = mkdtempSync(join(tmpdir(), "tsbroker-rights-"));
});

afterEach(async () => {
  await broker?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

/** The rights of group and others on everything below a directory, itself included. */
function rightsOfOthers(path: string): string[] {
  const stats = statSync(path);
  const inside = stats.isDirectory() ? readdirSync(path).flatMap((name) => rightsOfOthers(join(path, name))) : [];
  return [...((stats.mode & 0o077) === 0 ? [] : [path]), ...inside];
}

it("what the broker writes is its owner's alone, in a directory that was open to all too", async () => {
  const open = join(directory, "open");
  mkdirSync(open);
  chmodSync(open, 0o755);
  broker = await startBroker({ args: ["--data-dir", open] });
  const client = new AmqpClient(broker);
  const channel = await client.confirmChannel();
  await channel.assertQueue("q", { durable: true });
  channel.sendToQueue("q", Buffer.alloc(100_000), { persistent: true });
  await channel.waitForConfirms();
  const authorization = `Basic ${btoa("guest:guest")}`;
  const backup = await fetch(`${broker.managementUrl}/api/backup`, { method: "POST", headers: { authorization } });
  expect((await backup.arrayBuffer()).byteLength).toBeGreaterThan(0);
  expect(readdirSync(open)).toContain("tsbroker.db-wal");
  // What it was read from goes when it has been sent.
  await eventually(() => expect(readdirSync(open)).not.toContain("backups"));
  expect(rightsOfOthers(open)).toEqual([]);
  await client.cleanUp();
});

it("a password that was given as a flag is not in the list of processes", async () => {
  broker = await startBroker({ args: ["--default-pass", "not-for-others"] });
  expect(readFileSync(`/proc/${broker.pid}/cmdline`, "latin1").replaceAll("\0", "").trim()).toBe("tsbroker start");
});

it("a configuration with a password that everybody may read is warned of", async () => {
  const [shown, hidden] = [join(directory, "shown.conf"), join(directory, "plain.conf")];
  writeFileSync(shown, "default_pass = guest\n", { mode: 0o644 });
  writeFileSync(hidden, "heartbeat = 10\n", { mode: 0o644 });
  broker = await startBroker({ args: ["--config", shown] });
  await eventually(() => expect(broker.log()).toContain("a file with secrets can be read by everybody"));
  await broker.stop();
  broker = await startBroker({ args: ["--config", hidden] });
  expect(broker.log()).not.toContain("secrets");
});
