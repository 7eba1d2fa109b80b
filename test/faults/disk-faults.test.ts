import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { AmqpClient, drain } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, type TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually, within } from "../support/wait-for.ts";

const directory = mkdtempSync(join(tmpdir(), "tsbroker-faults-"));
const shim = join(directory, "disk-faults.so");
const source = join(import.meta.dirname, "disk-faults.c");
const canShim =
  process.platform === "linux" &&
  spawnSync("gcc", ["-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"]).status === 0;

/** A file system of our own, so that it can be filled. */
const mounted = join(directory, "disk");
const canMount =
  process.platform === "linux" &&
  spawnSync("mkdir", [mounted]).status === 0 &&
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tsbroker-test", mounted]).status === 0;

let broker: TestBroker;
let client: AmqpClient;

afterAll(() => {
  if (canMount) spawnSync("umount", ["-l", mounted]);
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(needsOwnBroker);

afterEach(async () => {
  await client?.cleanUp();
  await broker?.stop();
});

async function start(options: Parameters<typeof startBroker>[0]): Promise<void> {
  broker = await startBroker(options);
  client = new AmqpClient(broker);
}

/** While the fault lasts nothing is confirmed and everybody knows why; once it is over all goes on, and nothing is lost. */
async function survives(fail: () => void, mend: () => void): Promise<void> {
  const connection = await client.connect();
  const publisher = await client.confirmChannel(connection);
  const queue = await client.queue(publisher, { durable: true });
  publisher.sendToQueue(queue, Buffer.from("before"), { persistent: true });
  await publisher.waitForConfirms();

  fail();
  const blocked = once(connection, "blocked");
  publisher.sendToQueue(queue, Buffer.from("in need"), { persistent: true });
  let confirmed = false;
  const confirm = publisher.waitForConfirms().then(() => {
    confirmed = true;
  });
  await eventually(() => expect(broker.log()).toContain("publishers are blocked until data can be written again"));
  publisher.sendToQueue(queue, Buffer.from("waiting"), { persistent: true });
  expect(await within(blocked, "connection.blocked")).toEqual(["low on disk"]);
  expect(await asGuest(broker).get("/health/checks/alarms")).toMatchObject({
    status: 503,
    body: { alarms: [{ resource: "disk space" }] },
  });
  expect(confirmed).toBe(false);

  const unblocked = once(connection, "unblocked");
  mend();
  await within(unblocked, "connection.unblocked");
  await within(confirm, "the confirm");
  await publisher.waitForConfirms();
  expect((await asGuest(broker).get("/health/checks/alarms")).status).toBe(200);
  await broker.kill9();
  await broker.restart();
  client = new AmqpClient(broker);
  expect(await drain(await client.channel(), queue)).toEqual(["before", "in need", "waiting"]);
}

describe.skipIf(!canShim)("a disk that fails (needs gcc)", () => {
  const switchFile = join(directory, "fault");
  const env = { LD_PRELOAD: shim, DISK_FAULT: switchFile };

  afterEach(() => rmSync(switchFile, { force: true }));

  it.each(["sync EIO", "write EIO", "write EROFS"])(
    "with %s: nothing is confirmed until it works again",
    async (fault) => {
      await start({ env });
      await survives(
        () => writeFileSync(switchFile, fault),
        () => rmSync(switchFile),
      );
    },
  );

  it("by being slow: confirms wait for it, and clients that need no disk do not", async () => {
    await start({ env });
    const publisher = await client.confirmChannel();
    const queue = await client.queue(publisher, { durable: true });
    writeFileSync(switchFile, "sync 600000");
    publisher.sendToQueue(queue, Buffer.from("slow"), { persistent: true });
    let confirmed = false;
    publisher.waitForConfirms().then(
      () => {
        confirmed = true;
      },
      () => {},
    );
    const channel = await client.confirmChannel();
    const { queue: own } = await within(channel.assertQueue("", { exclusive: true }), "an exclusive queue");
    for (let i = 0; i < 100; i++) {
      channel.sendToQueue(own, Buffer.from("quick"));
      await within(channel.waitForConfirms(), "a confirm that needs no disk");
    }
    expect(confirmed).toBe(false);
    // Nobody waits for a disk that takes ten minutes.
    await broker.kill9();
    rmSync(switchFile);
    await broker.restart();
    client = new AmqpClient(broker);
  });
});

describe.skipIf(!canMount)("a disk that is full (needs root, to mount one)", () => {
  it("stops publishers until there is room, without a restart", async () => {
    await start({ args: ["--data-dir", join(mounted, "data"), "--disk-free-limit", "0"] });
    const ballast = join(mounted, "ballast");
    await survives(
      () => expect(spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4k"]).status).not.toBe(0),
      () => rmSync(ballast),
    );
  });
});
