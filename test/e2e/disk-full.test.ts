import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AmqpClient, drain } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, type TestBroker } from "../support/broker.ts";
import { eventually, within } from "../support/wait-for.ts";

/** Files that may not grow fail like a full disk, without one. */
const canLimit = process.platform === "linux" && spawnSync("prlimit", ["--version"]).status === 0;

let broker: TestBroker;
let client: AmqpClient;

beforeEach(async (context) => {
  needsOwnBroker(context);
  broker = await startBroker();
  client = new AmqpClient(broker);
});

afterEach(async () => {
  await client?.cleanUp();
  await broker?.stop();
});

function filesMayGrow(may: boolean): void {
  execFileSync("prlimit", ["--pid", `${broker.pid}`, `--fsize=${may ? "unlimited" : "4096"}:`]);
}

describe.skipIf(!canLimit)("while the disk is full (needs prlimit: apt-get install util-linux)", () => {
  it("nothing is confirmed, publishers are told and wait, and all is safe once there is room", async () => {
    const connection = await client.connect();
    const publisher = await client.confirmChannel(connection);
    const queue = await client.queue(publisher, { durable: true });
    publisher.sendToQueue(queue, Buffer.from("before"), { persistent: true });
    await publisher.waitForConfirms();

    filesMayGrow(false);
    const blocked = once(connection, "blocked");
    publisher.sendToQueue(queue, Buffer.from("in need"), { persistent: true });
    let confirmed = false;
    const confirm = publisher.waitForConfirms().then(() => {
      confirmed = true;
    });
    await eventually(() => expect(broker.log()).toContain("publishers are blocked"));
    publisher.sendToQueue(queue, Buffer.from("waiting"), { persistent: true });
    expect(await within(blocked, "connection.blocked")).toEqual(["low on disk"]);
    expect(confirmed).toBe(false);

    filesMayGrow(true);
    await within(confirm, "the confirm");
    await publisher.waitForConfirms();
    await broker.kill9();
    await broker.restart();
    client = new AmqpClient(broker);
    const channel = await client.channel();
    expect(await drain(channel, queue)).toEqual(["before", "in need", "waiting"]);
  });

  it("what needs no writing is answered", async () => {
    const publisher = await client.confirmChannel();
    const queue = await client.queue(publisher, { durable: true });
    publisher.sendToQueue(queue, Buffer.from("before"), { persistent: true });
    await publisher.waitForConfirms();
    filesMayGrow(false);
    publisher.sendToQueue(queue, Buffer.from("in need"), { persistent: true });
    await eventually(() => expect(broker.log()).toContain("publishers are blocked"));

    const channel = await client.channel();
    expect((await within(channel.checkQueue(queue), "a passive declare")).messageCount).toBe(2);
    expect((await within(channel.assertQueue(queue, { durable: true }), "a declare again")).messageCount).toBe(2);
    const { queue: own } = await within(channel.assertQueue("", { exclusive: true }), "an exclusive queue");
    channel.sendToQueue(own, Buffer.from("transient"));
    filesMayGrow(true);
    await publisher.waitForConfirms();
  });
});
