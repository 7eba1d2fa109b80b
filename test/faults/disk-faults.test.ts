import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
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

/** Another one, in a file, which the kernel makes read-only when it comes across an error. */
const looped = join(directory, "looped");
const image = join(directory, "image");
const loopDevice = canMount && makeImage() && mountImage() ? loopOf(looped) : undefined;
const errorSwitch = `/sys/fs/ext4/${loopDevice}/trigger_fs_error`;
const canRemount = existsSync(errorSwitch);

function loopOf(path: string): string | undefined {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  return mounts.find(([, at]) => at === path)?.[0]?.replace("/dev/", "");
}

function makeImage(): boolean {
  mkdirSync(looped);
  writeFileSync(image, "");
  truncateSync(image, 64 * 1024 * 1024);
  return spawnSync("mkfs.ext4", ["-q", image]).status === 0;
}

function mountImage(): boolean {
  return spawnSync("mount", ["-o", "loop,errors=remount-ro", image, looped]).status === 0;
}

let broker: TestBroker;
let client: AmqpClient;

afterAll(() => {
  if (canMount) spawnSync("umount", ["-l", mounted]);
  if (loopDevice !== undefined) spawnSync("umount", ["-l", looped]);
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

describe.skipIf(!canShim)("a place that the disk does not give (needs gcc)", () => {
  const switchFile = join(directory, "read-fault");
  const count = 200;
  let hurt: string;
  let fine: string;

  afterEach(() => rmSync(switchFile, { force: true }));

  /** A page holds some ten of them. */
  const bodyOf = (queue: string, number: number) => String(Buffer.alloc(1500, `${queue} ${number} `));
  const bodiesOf = (queue: string) => Array.from({ length: count }, (_, i) => bodyOf(queue, i));

  /** Two queues with messages, of which one in the middle is not given so many times. */
  async function startHurt(times: number): Promise<void> {
    await start({ env: { LD_PRELOAD: shim, DISK_FAULT: switchFile } });
    const publisher = await client.confirmChannel();
    hurt = await client.queue(publisher, { durable: true });
    fine = await client.queue(publisher, { durable: true });
    for (const queue of [hurt, fine]) {
      for (const body of bodiesOf(queue)) publisher.sendToQueue(queue, Buffer.from(body), { persistent: true });
    }
    await publisher.waitForConfirms();
    await broker.shutdown();
    const at = readFileSync(join(broker.dataDir, "tsbroker.db")).indexOf(bodyOf(hurt, 100));
    expect(at).toBeGreaterThan(0);
    writeFileSync(switchFile, `read ${at}:${times}`);
    await startAgain();
  }

  async function startAgain(): Promise<void> {
    await broker.restart();
    client = new AmqpClient(broker);
  }

  it("for a moment: it is asked again, and nobody notices", async () => {
    // Once would not do: what cannot be read together is looked for one by one.
    await startHurt(2);
    expect(await drain(await client.channel(), hurt)).toEqual(bodiesOf(hurt));
    expect(broker.log()).not.toContain("damaged");
  });

  it("for good: the queue is named, the rest is served, publishers go on, and what is there stays until it can be read", async () => {
    await startHurt(1_000_000);
    const channel = await client.confirmChannel();
    expect(await drain(channel, fine)).toEqual(bodiesOf(fine));
    channel.sendToQueue(fine, Buffer.from("new"), { persistent: true });
    await channel.waitForConfirms();
    const served = await drain(channel, hurt);
    expect(served.length).toBeLessThan(count);
    expect(served.length).toBeGreaterThan(count - 20);
    const { status, body } = await asGuest(broker).get("/health/checks/data-damage");
    expect(status).toBe(503);
    expect(Object(body).damaged).toEqual([
      expect.objectContaining({ vhost: "/", queue: hurt, messages: count - served.length }),
    ]);
    expect(broker.log()).not.toContain("publishers are blocked");

    await broker.shutdown();
    rmSync(switchFile);
    await startAgain();
    const found = await drain(await client.channel(), hurt);
    expect([...served, ...found].sort()).toEqual(bodiesOf(hurt).sort());
    expect((await asGuest(broker).get("/health/checks/data-damage")).status).toBe(200);
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

describe.skipIf(!canRemount)(
  "a file system that turns read-only by itself (needs root, and ext4 on a loop device)",
  () => {
    it("under load stops publishers; what was confirmed is there once it has been repaired", async () => {
      await start({ args: ["--data-dir", join(looped, "data"), "--disk-free-limit", "0"] });
      const connection = await client.connect();
      const publisher = await client.confirmChannel(connection);
      const queue = await client.queue(publisher, { durable: true });
      const confirmed: string[] = [];
      let isOver = false;
      const publish = async (): Promise<void> => {
        for (let i = 0; !isOver; i++) {
          const body = `${i} `;
          publisher.sendToQueue(queue, Buffer.from(body.padEnd(500, "x")), { persistent: true }, (error) => {
            if (error === null) confirmed.push(body);
          });
          if (i % 100 === 0) await new Promise(setImmediate);
        }
      };
      const blocked = once(connection, "blocked");
      const published = publish();
      await eventually(() => expect(confirmed.length).toBeGreaterThan(1000));

      // What a broken disk does to it: the kernel has it "Remounting filesystem read-only", for good.
      writeFileSync(errorSwitch, "test");
      expect(await within(blocked, "connection.blocked")).toEqual(["low on disk"]);
      isOver = true;
      await published;
      expect(() => writeFileSync(join(looped, "file"), "")).toThrow("EROFS");
      expect((await asGuest(broker).get("/health/checks/alarms")).status).toBe(503);
      expect(await (await client.channel()).get(queue, { noAck: true })).not.toBe(false);

      await broker.kill9();
      expect(spawnSync("umount", [looped]).status).toBe(0);
      spawnSync("e2fsck", ["-f", "-y", image]);
      expect(mountImage()).toBe(true);
      await broker.restart();
      client = new AmqpClient(broker);
      const found = new Set((await drain(await client.channel(), queue)).map((body) => body.replace(/x+$/, "")));
      // One was taken without an ack, and may be gone or not.
      expect(confirmed.slice(1).filter((body) => !found.has(body))).toEqual([]);
    });
  },
);
