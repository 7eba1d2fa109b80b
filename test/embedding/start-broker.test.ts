import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ChannelModel, connect } from "amqplib";
import { afterEach, describe, expect, it } from "vitest";
import type { Broker, StartOptions } from "../../src/embedded.ts";
import { startBroker } from "../support/embedded.ts";
import { eventually } from "../support/wait-for.ts";

const run = promisify(execFile);
const embedded = new URL("../../dist/src/embedded.js", import.meta.url).href;
const started: Broker[] = [];
const clients: ChannelModel[] = [];

async function start(options?: StartOptions): Promise<Broker> {
  const broker = await startBroker(options);
  started.push(broker);
  return broker;
}

async function client(broker: Broker): Promise<ChannelModel> {
  const connection = await connect(broker.url);
  connection.on("error", () => {});
  clients.push(connection);
  return connection;
}

afterEach(async () => {
  for (const broker of started.splice(0)) await broker.stop();
  clients.length = 0;
});

/** Where the HTTP API says that the data is. */
async function dataPlaceOf({ managementUrl }: Broker): Promise<unknown> {
  const authorization = `Basic ${Buffer.from("guest:guest").toString("base64")}`;
  const nodes = await (await fetch(`${managementUrl}/api/nodes`, { headers: { authorization } })).json();
  return Object(nodes)[0].db_dir;
}

describe("startBroker", () => {
  it("serves clients and the HTTP API on free ports, many brokers side by side", async () => {
    const brokers = await Promise.all([start(), start(), start()]);
    expect(new Set(brokers.flatMap(({ port, managementPort }) => [port, managementPort])).size).toBe(6);
    for (const broker of brokers) {
      const channel = await (await client(broker)).createConfirmChannel();
      await channel.assertQueue("orders");
      channel.sendToQueue("orders", Buffer.from(broker.url), { persistent: true, messageId: "m1" });
      await channel.waitForConfirms();
      expect(broker.findQueue("orders")).toMatchObject({ ready: 1, unacked: 0, consumers: 0 });
    }
    const [first] = brokers;
    const overview = await fetch(`${first?.managementUrl}/api/overview`, {
      headers: { authorization: `Basic ${Buffer.from("guest:guest").toString("base64")}` },
    });
    expect(await overview.json()).toMatchObject({ queue_totals: { messages: 1 } });
  });

  it("shows what is in a queue and leaves it there", async () => {
    const broker = await start();
    const channel = await (await client(broker)).createConfirmChannel();
    await channel.assertQueue("orders");
    for (const body of ["a", "b", "c"]) channel.sendToQueue("orders", Buffer.from(body), { headers: { body } });
    await channel.waitForConfirms();
    await channel.get("orders");
    const messages = (await broker.findQueue("orders")?.messages()) ?? [];
    expect(messages.map(({ body, unacked }) => [body.toString(), unacked])).toEqual([
      ["a", true],
      ["b", false],
      ["c", false],
    ]);
    expect(messages[1]?.properties).toMatchObject({ headers: { body: "b" } });
    expect(await broker.findQueue("orders")?.messages(1)).toHaveLength(1);
    expect(broker.findQueue("none")).toBeUndefined();
  });

  it("has a clock that lets messages expire, dead letters arrive and delays end when it is put forward", async () => {
    const broker = await start();
    const channel = await (await client(broker)).createConfirmChannel();
    await channel.assertQueue("dead");
    await channel.assertQueue("work", {
      messageTtl: 3_600_000,
      deadLetterExchange: "",
      deadLetterRoutingKey: "dead",
      expires: 10_800_000,
    });
    await channel.assertExchange("later", "x-delayed-message", { arguments: { "x-delayed-type": "fanout" } });
    await channel.bindQueue("dead", "later", "");
    channel.sendToQueue("work", Buffer.from("expires"));
    channel.publish("later", "", Buffer.from("delayed"), { headers: { "x-delay": 5_400_000 } });
    await channel.waitForConfirms();
    await broker.clock.advance("59m");
    expect(broker.findQueue("work")?.ready).toBe(1);
    await broker.clock.advance("1m");
    expect([broker.findQueue("work")?.ready, broker.findQueue("dead")?.ready]).toEqual([0, 1]);
    await broker.clock.advance("30m");
    expect(broker.findQueue("dead")?.ready).toBe(2);
    await broker.clock.advance("2h");
    expect(broker.findQueue("work")).toBeUndefined();
  });

  it("refuses to put its clock forward by what is no time span", async () => {
    const broker = await start();
    for (const nonsense of ["soon", "-3s", "", -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(broker.clock.advance(nonsense as never)).rejects.toThrow(`'${nonsense}' is no time span`);
    }
  });

  it("keeps what is durable in a data directory, and nothing without one", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "tsbroker-embedded-"));
    try {
      const first = await start({ dataDir });
      const channel = await (await client(first)).createConfirmChannel();
      await channel.assertQueue("orders");
      channel.sendToQueue("orders", Buffer.from("kept"), { persistent: true });
      await channel.waitForConfirms();
      await first.stop();
      const second = await start({ dataDir });
      expect((await second.findQueue("orders")?.messages())?.map(({ body }) => body.toString())).toEqual(["kept"]);
      const third = await start();
      expect(third.findQueue("orders")).toBeUndefined();
      expect([await dataPlaceOf(second), await dataPlaceOf(third)]).toEqual([dataDir, "<memory>"]);
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  });

  it.each([
    ["no level of logs", '{ dataDir, logLevel: "nonsense" }'],
    ["a data directory that is in use", "{ dataDir: used.dataDir }"],
    ["a port that is in use", "{ dataDir, port: used.port }"],
  ])("refuses %s, and lets the program end", async (_, options) => {
    const home = mkdtempSync(join(tmpdir(), "tsbroker-embedded-"));
    try {
      const used = { dataDir: join(home, "used"), port: (await start({ dataDir: join(home, "used") })).port };
      const program = `
        import { startBroker } from ${JSON.stringify(embedded)};
        const [used, dataDir] = ${JSON.stringify([used, join(home, "data")])};
        await startBroker(${options}).then(() => console.log("started"), () => console.log("refused"));`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { timeout: 10_000 });
      expect(stdout).toBe("refused\n");
    } finally {
      await started.pop()?.stop();
      rmSync(home, { recursive: true });
    }
  });

  it("takes another user than guest", async () => {
    const broker = await start({ user: "app", password: "s/e:c" });
    await client(broker);
    await expect(connect(broker.url.replace("app", "guest"))).rejects.toThrow("403");
  });
});

describe("faults on demand", () => {
  it("drop all connections", async () => {
    const broker = await start();
    const connection = await client(broker);
    let closed = false;
    connection.on("close", () => {
      closed = true;
    });
    expect(broker.faults.dropConnections()).toBe(1);
    await eventually(() => expect(closed).toBe(true));
    await client(broker);
  });

  it("hold back confirms, and turn them into nacks", async () => {
    const broker = await start();
    const channel = await (await client(broker)).createConfirmChannel();
    await channel.assertQueue("orders");
    const publish = (): Promise<string> =>
      new Promise((resolve) => {
        channel.sendToQueue("orders", Buffer.from("x"), {}, (error) => resolve(error === null ? "ack" : "nack"));
      });
    broker.faults.confirms("held");
    let answer = "";
    const held = publish().then((outcome) => {
      answer = outcome;
    });
    await eventually(() => expect(broker.findQueue("orders")?.ready).toBe(1));
    // The channel answers, so what was to be confirmed before would have been.
    await channel.checkQueue("orders");
    expect(answer).toBe("");
    broker.faults.confirms("none");
    await held;
    expect(answer).toBe("ack");
    broker.faults.confirms("nacked");
    expect(await publish()).toBe("nack");
    broker.faults.confirms("none");
    expect(await publish()).toBe("ack");
  });

  it("block publishers until they are let go on", async () => {
    const broker = await start();
    const connection = await client(broker);
    const said: string[] = [];
    connection.on("blocked", (reason: string) => said.push(`blocked: ${reason}`));
    connection.on("unblocked", () => said.push("unblocked"));
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue("orders");
    broker.faults.blockPublishers();
    channel.sendToQueue("orders", Buffer.from("x"));
    await eventually(() => expect(said).toEqual(["blocked: low on memory"]));
    broker.faults.unblockPublishers();
    await eventually(() => expect(said).toEqual(["blocked: low on memory", "unblocked"]));
    await channel.waitForConfirms();
  });
});
