import { beforeEach, describe, expect, it } from "vitest";
import { AmqpClient, body, drain, nextError, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, useBroker } from "../support/broker.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

/** The RabbitMQ that parity runs compare with has not got this plugin. */
beforeEach((context) => needsOwnBroker(context));

describe("an x-recent-history exchange", () => {
  it("gives a queue that is bound late what was published before, oldest first, then all that comes", async () => {
    const channel = await client.confirmChannel();
    const exchange = await client.exchange(channel, "x-recent-history", {
      arguments: { "x-recent-history-length": 3 },
    });
    const early = await client.queue(channel);
    await channel.bindQueue(early, exchange, "");
    for (const text of ["1", "2", "3", "4"]) channel.publish(exchange, "key", Buffer.from(text));
    await channel.waitForConfirms();
    const late = await client.queue(channel);
    await channel.bindQueue(late, exchange, "other");
    channel.publish(exchange, "key", Buffer.from("5"));
    await channel.waitForConfirms();
    expect(await drain(channel, late)).toEqual(["2", "3", "4", "5"]);
    expect(await drain(channel, early)).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("keeps twenty unless told otherwise, and none that says no-store", async () => {
    const channel = await client.confirmChannel();
    const exchange = await client.exchange(channel, "x-recent-history");
    for (let n = 0; n < 25; n++) {
      const headers = n === 24 ? { "x-recent-history-no-store": true } : { BCC: ["hidden"] };
      channel.publish(exchange, "key", Buffer.from(`${n}`), { headers });
    }
    await channel.waitForConfirms();
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "");
    const first = await channel.get(queue, { noAck: true });
    if (first === false) throw new Error("nothing was replayed");
    expect(body(first)).toBe("4");
    expect(first.properties.headers, "BCC was all of them").toEqual({});
    expect(first.fields).toMatchObject({ exchange, routingKey: "key", redelivered: false });
    expect(await drain(channel, queue)).toEqual(Array.from({ length: 19 }, (_, n) => `${n + 5}`));
  });

  it("sends its history through an exchange that is bound to it", async () => {
    const channel = await client.confirmChannel();
    const [exchange, next] = [
      await client.exchange(channel, "x-recent-history"),
      await client.exchange(channel, "direct"),
    ];
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, next, "yes");
    for (const key of ["yes", "no"]) channel.publish(exchange, key, Buffer.from(key));
    await channel.waitForConfirms();
    await channel.bindExchange(next, exchange, "");
    expect(await drain(channel, queue)).toEqual(["yes"]);
  });

  it.each([0, -1, "3"])("refuses the length %j", async (length) => {
    const channel = await client.channel();
    const error = nextError(channel);
    const options = { arguments: { "x-recent-history-length": length } };
    await expect(client.exchange(channel, "x-recent-history", options)).rejects.toThrow();
    expect((await error).message).toMatch(/406|503/);
  });
});

it("a durable x-recent-history exchange keeps its history over kill -9, also behind an x-delayed-message one", async () => {
  const own = await startBroker();
  const ownClient = new AmqpClient(own);
  const types = {
    now: ["x-recent-history", {}],
    later: ["x-delayed-message", { "x-delayed-type": "x-recent-history" }],
  } as const;
  const declare = async () => {
    const channel = await ownClient.confirmChannel();
    for (const [name, [type, args]] of Object.entries(types)) {
      await channel.assertExchange(name, type, { arguments: { ...args, "x-recent-history-length": 3 } });
      await channel.assertQueue(`${name}-seen`);
    }
    return channel;
  };
  const historyOf = async (exchange: string) => {
    const channel = await ownClient.channel();
    const queue = await ownClient.queue(channel);
    await channel.bindQueue(queue, exchange, "");
    return await drain(channel, queue);
  };
  try {
    const before = await declare();
    for (const exchange of Object.keys(types)) {
      await before.bindQueue(`${exchange}-seen`, exchange, "");
      for (const text of ["1", "2", "3", "4"]) before.publish(exchange, "", Buffer.from(text), { persistent: true });
    }
    await before.waitForConfirms();
    await own.kill9();
    await own.restart();
    for (const exchange of Object.keys(types)) expect(await historyOf(exchange)).toEqual(["2", "3", "4"]);
    const after = await declare();
    after.publish("now", "", Buffer.from("5"), { persistent: true });
    await after.waitForConfirms();
    await own.kill9();
    await own.restart();
    expect(await historyOf("now")).toEqual(["3", "4", "5"]);
    await (await ownClient.channel()).deleteExchange("now");
    await declare();
    expect(await historyOf("now"), "a new exchange").toEqual([]);
  } finally {
    await ownClient.cleanUp();
    await own.stop();
  }
});
