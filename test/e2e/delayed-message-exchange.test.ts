import type { ConfirmChannel, Options } from "amqplib";
import { beforeEach, describe, expect, it } from "vitest";
import { AmqpClient, body, collect, counts, drain, nextError, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, type TestBroker, useBroker } from "../support/broker.ts";
import { ManagementClient } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const earlyMs = 2;

async function delayedExchange(channel: ConfirmChannel, type = "direct", options: Options.AssertExchange = {}) {
  return await client.exchange(channel, "x-delayed-message", { ...options, arguments: { "x-delayed-type": type } });
}

function admin(of: TestBroker): ManagementClient {
  return new ManagementClient(of, `Basic ${Buffer.from("guest:guest").toString("base64")}`);
}

async function delayed(of: TestBroker, exchange: string): Promise<unknown> {
  const view = await admin(of).read(`/exchanges/%2F/${exchange}`);
  return view !== null && typeof view === "object" && "messages_delayed" in view ? view.messages_delayed : undefined;
}

/** The RabbitMQ that parity runs compare with has not got this plugin. */
beforeEach((context) => needsOwnBroker(context));

describe("an x-delayed-message exchange", () => {
  it("routes each message when its delay is over, whatever the order of publishing", async () => {
    const channel = await client.confirmChannel();
    const exchange = await delayedExchange(channel);
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "key");
    const inbox = await collect(channel, queue);
    const published = Date.now();
    for (const delay of [300, 100, 200, 0, -5]) {
      channel.publish(exchange, "key", Buffer.from(`${delay}`), { headers: { "x-delay": delay } });
    }
    channel.publish(exchange, "other", Buffer.from("nowhere"), { headers: { "x-delay": 10 } });
    channel.publish(exchange, "key", Buffer.from("plain"));
    await eventually(() => expect(inbox.bodies).toEqual(["0", "-5", "plain", "100", "200", "300"]));
    expect(Date.now() - published).toBeGreaterThanOrEqual(300 - earlyMs);
    expect(inbox.at(3)).toMatchObject({
      fields: { exchange, routingKey: "key", redelivered: false },
      properties: { headers: { "x-delay": -100 } },
    });
  });

  it("takes a delay of any type of number, and shows it negative", async () => {
    const channel = await client.confirmChannel();
    const exchange = await delayedExchange(channel, "fanout");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "");
    const delays = [
      { "!": "int8", value: 30 },
      { "!": "int16", value: 30 },
      { "!": "int32", value: 30 },
      { "!": "int64", value: 30 },
      { "!": "double", value: 30.5 },
      { "!": "float", value: 30.5 },
      "30",
    ];
    const published = Date.now();
    for (const delay of delays) {
      channel.publish(exchange, "", Buffer.alloc(0), { headers: { before: [{ a: 1 }], "x-delay": delay, after: "x" } });
    }
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(delays.length));
    expect(Date.now() - published).toBeGreaterThanOrEqual(30 - earlyMs);
    for (const _ of delays) {
      const message = await channel.get(queue, { noAck: true });
      const { headers } = message === false ? { headers: undefined } : message.properties;
      expect(headers).toEqual({ before: [{ a: 1 }], "x-delay": -30, after: "x" });
    }
  });

  it("routes messages of one time in the order they came", async () => {
    const channel = await client.confirmChannel();
    const exchange = await delayedExchange(channel, "fanout");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "");
    const bodies = Array.from({ length: 500 }, (_, n) => `${n}`);
    for (const text of bodies) channel.publish(exchange, "", Buffer.from(text), { headers: { "x-delay": 50 } });
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(500));
    expect(await drain(channel, queue)).toEqual(bodies);
  });

  it("routes as its type does, by what is bound when the time has come", async () => {
    const channel = await client.confirmChannel();
    const exchange = await delayedExchange(channel, "topic");
    const queue = await client.queue(channel);
    channel.publish(exchange, "a.b", Buffer.from("in time"), { headers: { "x-delay": 100 } });
    await channel.waitForConfirms();
    await channel.bindQueue(queue, exchange, "*.b");
    await eventually(async () => expect(await drain(channel, queue)).toEqual(["in time"]));
  });

  it("is one among others: through exchange-to-exchange bindings, CC and BCC", async () => {
    const channel = await client.confirmChannel();
    const [exchange, source] = [await delayedExchange(channel), await client.exchange(channel, "fanout")];
    await channel.bindExchange(exchange, source, "");
    const queues = [await client.queue(channel), await client.queue(channel), await client.queue(channel)];
    for (const queue of queues) await channel.bindQueue(queue, exchange, queue);
    const [first = "", second = "", third = ""] = queues;
    const headers = { "x-delay": 20, CC: [second], BCC: [third] };
    channel.publish(exchange, first, Buffer.from("direct"), { headers });
    channel.publish(source, first, Buffer.from("through"), { headers: { "x-delay": 50 } });
    await eventually(async () => expect((await counts(channel, first)).messageCount).toBe(2));
    const message = await channel.get(third, { noAck: true });
    expect(message !== false && message.properties.headers).toEqual({ "x-delay": -20, CC: [second] });
    expect(await drain(channel, second)).toEqual(["direct"]);
    expect(await drain(channel, first)).toEqual(["direct", "through"]);
  });

  it("returns a mandatory message that nobody would get, and delays one that somebody would", async () => {
    const channel = await client.confirmChannel();
    const exchange = await delayedExchange(channel);
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "known");
    const returned: string[] = [];
    channel.on("return", (message: { content: Buffer }) => returned.push(body(message)));
    const options = { mandatory: true, headers: { "x-delay": 500 } };
    for (const key of ["known", "unknown"]) channel.publish(exchange, key, Buffer.from(key), options);
    await channel.waitForConfirms();
    expect(returned).toEqual(["unknown"]);
    expect((await counts(channel, queue)).messageCount).toBe(0);
    await eventually(async () => expect(await drain(channel, queue)).toEqual(["known"]));
  });

  it("lets the message's own time to live begin when it is routed", async () => {
    const channel = await client.confirmChannel();
    const exchange = await delayedExchange(channel);
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    await channel.bindQueue(queue, exchange, "key");
    const options = { expiration: "20", headers: { "x-delay": 60 } };
    channel.publish(exchange, "key", Buffer.from("brief"), options);
    await channel.waitForConfirms();
    const message = await eventually(async () => {
      const got = await channel.get(dead, { noAck: true });
      if (got === false) throw new Error("not yet dead");
      return got;
    });
    expect(message.properties.headers?.["x-death"]).toMatchObject([{ reason: "expired", "original-expiration": "20" }]);
  });

  it("shows how many messages wait, and forgets them when it is deleted", async () => {
    const channel = await client.confirmChannel();
    const exchange = await delayedExchange(channel);
    for (let n = 0; n < 3; n++) channel.publish(exchange, "", Buffer.alloc(0), { headers: { "x-delay": 2 ** 40 } });
    await channel.waitForConfirms();
    expect(await delayed(broker, exchange)).toBe(3);
    await channel.deleteExchange(exchange);
    await channel.assertExchange(exchange, "x-delayed-message", { arguments: { "x-delayed-type": "fanout" } });
    expect(await delayed(broker, exchange)).toBe(0);
  });

  it.each([undefined, "x-delayed-message", "x-none", 5])("refuses x-delayed-type %j", async (type) => {
    const channel = await client.channel();
    const error = nextError(channel);
    const options = { arguments: { "x-delayed-type": type } };
    await expect(client.exchange(channel, "x-delayed-message", options)).rejects.toThrow();
    expect((await error).message).toContain("PRECONDITION_FAILED");
  });
});

it("keeps delayed messages over kill -9, transient ones too, and routes each once at its time", async () => {
  const own = await startBroker();
  const ownClient = new AmqpClient(own);
  try {
    const channel = await ownClient.confirmChannel();
    await channel.assertExchange("later", "x-delayed-message", { arguments: { "x-delayed-type": "direct" } });
    await channel.assertQueue("q");
    await channel.bindQueue("q", "later", "q");
    const due = Date.now() + 3000;
    const publish = (text: string, delay: number) => {
      channel.publish("later", "q", Buffer.from(text), { headers: { "x-delay": delay } });
    };
    publish("years", 5 * 365 * 86_400_000);
    publish("second", due - Date.now());
    publish("first", 1);
    await channel.waitForConfirms();
    await eventually(async () => expect((await counts(channel, "q")).messageCount).toBe(1));
    await own.kill9();
    await own.restart();
    const again = await ownClient.channel();
    const inbox = await collect(again, "q");
    await eventually(() => expect(inbox.bodies).toContain("second"));
    expect(Date.now()).toBeGreaterThanOrEqual(due - earlyMs);
    expect(await delayed(own, "later")).toBe(1);
    expect(inbox.bodies.filter((text) => text === "second")).toHaveLength(1);
  } finally {
    await ownClient.cleanUp();
    await own.stop();
  }
});
