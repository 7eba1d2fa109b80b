import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from "amqplib";
import { connect } from "amqplib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { body, collect, drain, send } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, type TestBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

let broker: TestBroker;
let connection: ChannelModel;

beforeEach(async (context) => {
  needsOwnBroker(context);
  broker = await startBroker();
});

afterEach(() => broker?.stop());

async function open(): Promise<ConfirmChannel> {
  connection = await connect(broker.url);
  connection.on("error", () => {});
  const channel = await connection.createConfirmChannel();
  channel.on("error", () => {});
  return channel;
}

/** Kills the broker in the middle of everything and starts it again. */
async function crash(): Promise<ConfirmChannel> {
  await broker.kill9();
  await broker.restart();
  return await open();
}

/** Stops the broker as an operator would and starts it again. */
async function restart(): Promise<ConfirmChannel> {
  await broker.restart();
  return await open();
}

async function missing(ask: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  return await ask(channel).then(
    () => false,
    () => true,
  );
}

describe.each([
  ["a crash", crash],
  ["a clean restart", restart],
])("after %s", (_, again) => {
  it("durable queues, exchanges and bindings are there with every confirmed persistent message, in order", async () => {
    let channel = await open();
    await channel.assertQueue("tasks", { durable: true });
    await channel.assertExchange("work", "topic", { durable: true });
    await channel.bindQueue("tasks", "work", "task.#");
    const bodies = Array.from({ length: 2000 }, (_, index) => `task ${index}`);
    for (const text of bodies) channel.publish("work", `task.${text}`, Buffer.from(text), { persistent: true });
    await channel.waitForConfirms();

    channel = await again();
    expect(await channel.checkQueue("tasks")).toMatchObject({ messageCount: 2000 });
    expect(await drain(channel, "tasks")).toEqual(bodies);
    channel.publish("work", "task.new", Buffer.from("new"));
    expect(await drain(channel, "tasks")).toEqual(["new"]);
  });

  it("transient queues, exchanges and messages are gone", async () => {
    let channel = await open();
    await channel.assertQueue("durable", { durable: true });
    await channel.assertQueue("transient", { durable: false });
    await channel.assertQueue("exclusive", { exclusive: true });
    await channel.assertExchange("passing", "fanout", { durable: false });
    await channel.bindQueue("durable", "passing", "");
    send(channel, "durable", ["transient"]);
    send(channel, "durable", ["persistent"], { persistent: true });
    send(channel, "transient", ["persistent"], { persistent: true });
    await channel.waitForConfirms();

    channel = await again();
    expect(await drain(channel, "durable")).toEqual(["persistent"]);
    expect(await missing((other) => other.checkQueue("transient"))).toBe(true);
    expect(await missing((other) => other.checkQueue("exclusive"))).toBe(true);
    expect(await missing((other) => other.checkExchange("passing"))).toBe(true);
  });

  it("queues and exchanges keep their arguments, and bindings theirs", async () => {
    let channel = await open();
    const options = { durable: true, maxLength: 2, deadLetterExchange: "", deadLetterRoutingKey: "dropped" };
    await channel.assertQueue("dropped", { durable: true });
    await channel.assertQueue("short", options);
    await channel.assertExchange("alternate", "fanout", { durable: true });
    await channel.assertExchange("matcher", "headers", { durable: true, alternateExchange: "alternate" });
    await channel.bindQueue("short", "matcher", "", { "x-match": "any", kind: "a", size: 3 });
    await channel.bindExchange("matcher", "amq.fanout", "");
    await channel.bindQueue("dropped", "alternate", "");

    channel = await again();
    await channel.assertQueue("short", options);
    expect(await missing((other) => other.assertQueue("short", { ...options, maxLength: 3 }))).toBe(true);
    for (const headers of [{ kind: "a" }, { size: 3 }, { kind: "b", size: 3 }, { kind: "b" }]) {
      channel.publish("amq.fanout", "", Buffer.from(JSON.stringify(headers)), { headers });
    }
    await channel.waitForConfirms();
    expect(await drain(channel, "short")).toEqual(['{"size":3}', '{"kind":"b","size":3}']);
    await eventually(async () => expect((await channel.checkQueue("dropped")).messageCount).toBe(2));
    expect((await drain(channel, "dropped")).toSorted()).toEqual(['{"kind":"a"}', '{"kind":"b"}']);
  });

  it("messages keep their properties, headers, priorities and big bodies", async () => {
    let channel = await open();
    await channel.assertQueue("mixed", { durable: true, maxPriority: 5 });
    const big = Buffer.alloc(3_000_000, "big");
    channel.sendToQueue("mixed", Buffer.from("low"), { persistent: true, priority: 1, messageId: "m1", type: "t" });
    channel.sendToQueue("mixed", big, { persistent: true, priority: 5, headers: { list: [1, { deep: true }] } });
    await channel.waitForConfirms();

    channel = await again();
    const first = await channel.get("mixed", { noAck: true });
    expect(first).toMatchObject({ properties: { priority: 5, headers: { list: [1, { deep: true }] } } });
    expect(first !== false && first.content.equals(big)).toBe(true);
    const second = await channel.get("mixed", { noAck: true });
    expect(second).toMatchObject({ properties: { priority: 1, messageId: "m1", type: "t", deliveryMode: 2 } });
  });

  it("what a consumer held comes again", async () => {
    let channel = await open();
    await channel.assertQueue("held", { durable: true });
    send(channel, "held", ["1", "2", "3"], { persistent: true });
    await channel.waitForConfirms();
    const inbox = await collect(channel, "held", { noAck: false });
    await eventually(() => expect(inbox.messages).toHaveLength(3));

    channel = await again();
    expect(await drain(channel, "held")).toEqual(["1", "2", "3"]);
  });

  it("what was deleted stays deleted", async () => {
    let channel = await open();
    await channel.assertQueue("gone", { durable: true });
    await channel.assertExchange("gone", "fanout", { durable: true });
    await channel.assertQueue("kept", { durable: true });
    await channel.bindQueue("kept", "amq.direct", "unbound");
    await channel.bindQueue("kept", "amq.direct", "bound");
    await channel.unbindQueue("kept", "amq.direct", "unbound");
    await channel.deleteQueue("gone");
    await channel.deleteExchange("gone");

    channel = await again();
    expect(await missing((other) => other.checkQueue("gone"))).toBe(true);
    expect(await missing((other) => other.checkExchange("gone"))).toBe(true);
    for (const key of ["bound", "unbound"]) channel.publish("amq.direct", key, Buffer.from(key));
    expect(await drain(channel, "kept")).toEqual(["bound"]);
  });

  it("a message's time to live goes on where it was", async () => {
    let channel = await open();
    await channel.assertQueue("fleeting", { durable: true });
    send(channel, "fleeting", ["short"], { persistent: true, expiration: "50" });
    send(channel, "fleeting", ["long"], { persistent: true, expiration: "3600000" });
    await channel.waitForConfirms();

    channel = await again();
    await eventually(async () => expect((await channel.checkQueue("fleeting")).messageCount).toBe(1));
    expect(await drain(channel, "fleeting")).toEqual(["long"]);
  });

  it("a dead letter is where it went, with its history", async () => {
    let channel = await open();
    await channel.assertQueue("dead", { durable: true });
    await channel.assertQueue("alive", { durable: true, deadLetterExchange: "", deadLetterRoutingKey: "dead" });
    send(channel, "alive", ["bad"], { persistent: true });
    await channel.waitForConfirms();
    const message = await channel.get("alive");
    if (message !== false) channel.nack(message, false, false);
    await eventually(async () => expect((await channel.checkQueue("dead")).messageCount).toBe(1));
    // A confirm for a later message says that what came before it is on disk too.
    send(channel, "dead", ["witness"], { persistent: true });
    await channel.waitForConfirms();

    channel = await again();
    const dead = await channel.get("dead", { noAck: true });
    expect(dead).toMatchObject({ properties: { headers: { "x-first-death-queue": "alive" } } });
    expect(await drain(channel, "dead")).toEqual(["witness"]);
    expect(await drain(channel, "alive")).toEqual([]);
  });

  it("a message goes to the keys of BCC when it dies, and betrays them to nobody", async () => {
    let channel = await open();
    await channel.assertQueue("dead", { durable: true });
    await channel.assertExchange("graves", "direct", { durable: true });
    await channel.bindQueue("dead", "graves", "hidden");
    await channel.assertQueue("alive", { durable: true, deadLetterExchange: "graves" });
    send(channel, "alive", ["bad"], { persistent: true, headers: { BCC: ["hidden"] } });
    await channel.waitForConfirms();

    channel = await again();
    const message = await channel.get("alive");
    expect(message !== false && message.properties.headers).toEqual({});
    if (message !== false) channel.nack(message, false, false);
    await eventually(async () => expect(await drain(channel, "dead")).toEqual(["bad"]));
  });
});

describe("after a clean restart", () => {
  it("what was acknowledged, purged or taken without acknowledgement does not come again", async () => {
    let channel = await open();
    for (const queue of ["acked", "purged", "taken"]) {
      await channel.assertQueue(queue, { durable: true });
      send(channel, queue, ["1", "2"], { persistent: true });
    }
    await channel.waitForConfirms();
    const message = await channel.get("acked");
    if (message !== false) channel.ack(message);
    await channel.get("taken", { noAck: true });
    await channel.purgeQueue("purged");

    channel = await restart();
    expect(await drain(channel, "acked")).toEqual(["2"]);
    expect(await drain(channel, "taken")).toEqual(["2"]);
    expect(await drain(channel, "purged")).toEqual([]);
  });
});

describe("after crash upon crash", () => {
  it("no confirmed message is missing, and none is there twice", async () => {
    let channel = await open();
    await channel.assertQueue("log", { durable: true });
    const confirmed: string[] = [];
    for (let round = 0; round < 4; round++) {
      const before = confirmed.length;
      for (let index = 0; index < 3000; index++) {
        const text = `${round}-${index}`;
        channel.sendToQueue("log", Buffer.from(text), { persistent: true }, (error) => {
          if (error === null) confirmed.push(text);
        });
      }
      await eventually(() => expect(confirmed.length - before).toBeGreaterThan(50));
      channel = await crash();
    }
    const found = new Set<string>();
    let deliveries = 0;
    const consume = (message: ConsumeMessage | null) => {
      if (message === null) return;
      found.add(body(message));
      deliveries++;
    };
    await channel.consume("log", consume, { noAck: true });
    await eventually(() => expect(confirmed.filter((text) => !found.has(text))).toEqual([]));
    expect(deliveries).toBe(found.size);
  });
});
