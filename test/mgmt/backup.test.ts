import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfirmChannel } from "amqplib";
import { afterEach, describe, expect, it } from "vitest";
import { AmqpClient, drain, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, TestBroker, useBroker } from "../support/broker.ts";
import { addUser, asGuest, notAuthorised } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
const authorization = `Basic ${btoa("guest:guest")}`;
let restored: TestBroker | undefined;
let folder: string | undefined;

afterEach(async () => {
  await restored?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  restored = folder = undefined;
});

function request(): Promise<Response> {
  return fetch(`${broker.managementUrl}/api/backup`, { method: "POST", headers: { authorization } });
}

async function backup(): Promise<Buffer> {
  const response = await request();
  expect(response.status).toBe(200);
  expect(response.headers.get("content-disposition")).toBe("attachment; filename=tsbroker.db");
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.headers.get("content-length")).toBe(String(bytes.length));
  return bytes;
}

/** Starts another broker on a backup. */
async function restore(bytes: Buffer): Promise<AmqpClient> {
  folder = mkdtempSync(join(tmpdir(), "tsbroker-restored-"));
  writeFileSync(join(folder, "tsbroker.db"), bytes);
  restored = new TestBroker({ args: ["--data-dir", folder] });
  await restored.start();
  return new AmqpClient(restored);
}

function leftovers(): string[] {
  return readdirSync(broker.dataDir).filter((name) => name.startsWith("backup"));
}

/** Publishes without a pause until it is told to stop; notes what was confirmed. */
class Publisher {
  readonly confirmed = new Set<string>();
  readonly #channel: ConfirmChannel;
  readonly #queue: string;
  #sent = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(channel: ConfirmChannel, queue: string) {
    this.#channel = channel;
    this.#queue = queue;
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      for (let i = 0; i < 100; i++) {
        const body = String(this.#sent++);
        const options = { persistent: true };
        this.#channel.sendToQueue(this.#queue, Buffer.from(body), options, () => this.confirmed.add(body));
      }
      await this.#channel.waitForConfirms();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

describe("/api/backup", () => {
  it("is a data file that holds each message confirmed before it exactly once", {
    timeout: 60_000,
  }, async (context) => {
    needsOwnBroker(context);
    const channel = await amqp.confirmChannel();
    const queue = amqp.queueName();
    await channel.assertQueue(queue, { durable: true });
    await admin.must("PUT", "/vhosts/kept", { description: "in the backup" });
    const publisher = new Publisher(channel, queue);
    await eventually(() => expect(publisher.confirmed.size).toBeGreaterThan(2000));
    const before = [...publisher.confirmed];
    const bytes = await backup();
    // It went on publishing while the backup was made.
    expect(publisher.confirmed.size).toBeGreaterThan(before.length);
    await publisher.stop();
    const client = await restore(bytes);
    const bodies = await drain(await client.channel(), queue);
    const found = new Set(bodies);
    expect(found.size).toBe(bodies.length);
    expect(before.filter((body) => !found.has(body))).toEqual([]);
    // Nothing but a prefix of what was published: a moment in time.
    expect(bodies).toEqual(bodies.map((_, i) => String(i)));
    if (restored !== undefined) {
      expect(await asGuest(restored).read("/vhosts/kept")).toMatchObject({ description: "in the backup" });
    }
    await client.cleanUp();
    await eventually(() => expect(leftovers()).toEqual([]));
  });

  it("is made one at a time, and leaves nothing behind whether it is fetched or not", async (context) => {
    needsOwnBroker(context);
    // More than sockets hold of what nobody reads.
    const channel = await amqp.confirmChannel();
    await channel.assertQueue("large", { durable: true });
    for (let i = 0; i < 24; i++) channel.sendToQueue("large", Buffer.alloc(2 ** 20), { persistent: true });
    await channel.waitForConfirms();
    const answers = await Promise.all([request(), request(), request()]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 503)).toHaveLength(2);
    const busy = answers.find(({ status }) => status === 503);
    expect(await busy?.json()).toEqual({ error: "service_unavailable", reason: "a backup is being made already" });
    await answers.find(({ status }) => status === 200)?.body?.cancel();
    await eventually(() => expect(leftovers()).toEqual([]));
    await channel.deleteQueue("large");
    await eventually(backup);
  });

  it("may be followed by the next as soon as it has come", async () => {
    for (let i = 0; i < 20; i++) await backup();
  });

  it("is no hindrance to the next when its client leaves before it comes", async (context) => {
    needsOwnBroker(context);
    const abort = new AbortController();
    const url = `${broker.managementUrl}/api/backup`;
    const left = fetch(url, { method: "POST", headers: { authorization }, signal: abort.signal });
    await eventually(() => expect(leftovers()).toHaveLength(1));
    abort.abort();
    await expect(left).rejects.toThrow();
    await eventually(() => expect(leftovers()).toEqual([]));
    await eventually(async () => expect((await request()).status).toBe(200));
  });

  it("is for administrators only", async () => {
    const monitor = await addUser(broker, "monitor", ["monitoring", "policymaker"], "/");
    const { status, body } = await monitor.post("/backup");
    expect({ status, body }).toEqual({ status: 401, body: notAuthorised("Not administrator user") });
  });
});
