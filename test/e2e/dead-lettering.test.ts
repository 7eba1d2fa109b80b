import type { Channel, GetMessage } from "amqplib";
import { describe, expect, it } from "vitest";
import { body, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

/** Takes the next message of a queue as soon as there is one. */
async function take(channel: Channel, queue: string, noAck = true): Promise<GetMessage> {
  return await eventually(async () => {
    const message = await channel.get(queue, { noAck });
    if (message === false) throw new Error(`${queue} is empty`);
    return message;
  });
}

/** Gets a message and refuses it. */
async function reject(channel: Channel, queue: string): Promise<void> {
  channel.nack(await take(channel, queue, false), false, false);
}

function headersOf(message: GetMessage): Record<string, unknown> {
  return { ...message.properties.headers };
}

function deaths(message: GetMessage): object[] {
  return message.properties.headers?.["x-death"] ?? [];
}

describe("dead lettering", () => {
  it("sends a rejected message to the dead-letter exchange with its own routing key", async () => {
    const channel = await client.channel();
    const graves = await client.exchange(channel, "direct");
    const [queue, dead] = [await client.queue(channel, { deadLetterExchange: graves }), await client.queue(channel)];
    await channel.bindQueue(dead, graves, queue);
    channel.sendToQueue(queue, Buffer.from("bad"), { messageId: "m1", headers: { mine: 1 } });
    await reject(channel, queue);
    const message = await take(channel, dead);
    expect(body(message)).toBe("bad");
    expect(message.fields).toMatchObject({ exchange: graves, routingKey: queue, redelivered: false });
    expect(message.properties.messageId).toBe("m1");
    expect(headersOf(message)).toMatchObject({ mine: 1, "x-first-death-queue": queue });
  });

  it("says in x-death and the x-first-death headers what happened", async () => {
    const channel = await client.channel();
    const [exchange, dead] = [await client.exchange(channel, "direct"), await client.queue(channel)];
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    await channel.bindQueue(queue, exchange, "key");
    channel.publish(exchange, "key", Buffer.from("bad"));
    await reject(channel, queue);
    const message = await take(channel, dead);
    expect(deaths(message)).toEqual([
      {
        count: 1,
        reason: "rejected",
        queue,
        time: { "!": "timestamp", value: expect.any(Number) },
        exchange,
        "routing-keys": ["key"],
      },
    ]);
    expect(headersOf(message)).toMatchObject({
      "x-first-death-queue": queue,
      "x-first-death-reason": "rejected",
      "x-first-death-exchange": exchange,
    });
    expect(message.fields).toMatchObject({ exchange: "", routingKey: dead });
  });

  it("names the last death too", async (context) => {
    differs(context, "last death");
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    send(channel, queue, ["bad"]);
    await reject(channel, queue);
    expect(headersOf(await take(channel, dead))).toMatchObject({
      "x-last-death-queue": queue,
      "x-last-death-reason": "rejected",
      "x-last-death-exchange": "",
    });
  });

  it("takes basic.reject for a refusal as well, and several with one multiple nack", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    send(channel, queue, ["1", "2", "3"]);
    channel.reject(await take(channel, queue, false), false);
    await take(channel, queue, false);
    channel.nack(await take(channel, queue, false), true, false);
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(3));
    expect(await drain(channel, dead)).toEqual(["1", "2", "3"]);
  });

  it("takes what expires, without its expiration, which x-death keeps", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    send(channel, queue, ["late"], { expiration: "20" });
    const message = await take(channel, dead);
    expect(message.properties.expiration).toBeUndefined();
    expect(deaths(message)).toMatchObject([{ reason: "expired", queue, count: 1, "original-expiration": "20" }]);
  });

  it("takes what expires by the queue's own limit, in order", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const args = { deadLetterExchange: "", deadLetterRoutingKey: dead, messageTtl: 20 };
    const queue = await client.queue(channel, args);
    send(channel, queue, ["1", "2", "3"]);
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(3));
    const first = await take(channel, dead);
    expect(body(first)).toBe("1");
    expect(deaths(first)[0]).not.toHaveProperty("original-expiration");
    expect(await drain(channel, dead)).toEqual(["2", "3"]);
  });

  it("takes what a length limit drops", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead, maxLength: 1 });
    send(channel, queue, ["old", "new"]);
    const message = await take(channel, dead);
    expect(body(message)).toBe("old");
    expect(deaths(message)).toMatchObject([{ reason: "maxlen", queue, count: 1 }]);
  });

  it("counts deaths for each queue and reason, the latest first", async () => {
    const channel = await client.channel();
    const [work, retry] = [client.queueName("work"), client.queueName("retry")];
    await channel.assertQueue(work, { deadLetterExchange: "", deadLetterRoutingKey: retry });
    await channel.assertQueue(retry, { deadLetterExchange: "", deadLetterRoutingKey: work, messageTtl: 10 });
    send(channel, work, ["stubborn"]);
    for (let attempt = 0; attempt < 3; attempt++) await reject(channel, work);
    const message = await take(channel, work);
    expect(deaths(message)).toMatchObject([
      { queue: retry, reason: "expired", count: 3, "routing-keys": [retry] },
      { queue: work, reason: "rejected", count: 3, "routing-keys": [work] },
    ]);
    expect(headersOf(message)).toMatchObject({ "x-first-death-queue": work, "x-first-death-reason": "rejected" });
  });

  it("drops a message that goes round without ever being rejected", async () => {
    const channel = await client.channel();
    const [first, second, witness] = [
      client.queueName("first"),
      client.queueName("second"),
      await client.queue(channel),
    ];
    const exchange = await client.exchange(channel, "fanout");
    await channel.bindQueue(witness, exchange, "");
    await channel.bindExchange(exchange, "amq.direct", first);
    await channel.assertQueue(first, { messageTtl: 10, deadLetterExchange: "", deadLetterRoutingKey: second });
    await channel.bindQueue(first, "amq.direct", first);
    await channel.assertQueue(second, {
      messageTtl: 10,
      deadLetterExchange: "amq.direct",
      deadLetterRoutingKey: first,
    });
    send(channel, first, ["round"]);
    // The witness gets the copy that the first queue, where it came from, does not take again.
    expect(deaths(await take(channel, witness))).toMatchObject([{ queue: second }, { queue: first }]);
    await eventually(async () => expect((await counts(channel, first)).messageCount).toBe(0));
    expect(await drain(channel, witness)).toEqual([]);
  });

  it("counts on from the deaths that a client publishes again, and knows of cycles from them", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead, messageTtl: 10 });
    const died = (where: string) => ({ "x-death": [{ queue: where, reason: "expired", count: 2 }] });
    send(channel, queue, ["went round"], { headers: died(dead) });
    send(channel, queue, ["again"], { headers: died(queue) });
    const message = await take(channel, dead);
    expect([body(message), deaths(message)]).toEqual(["again", [{ queue, reason: "expired", count: 3 }]]);
    expect(await drain(channel, dead)).toEqual([]);
  });

  it("drops what no queue takes, or what has no exchange to go to", async () => {
    const channel = await client.channel();
    const lost = await client.queue(channel, { deadLetterExchange: client.exchangeName("missing") });
    const unbound = await client.queue(channel, { deadLetterExchange: await client.exchange(channel, "direct") });
    for (const queue of [lost, unbound]) {
      send(channel, queue, ["gone"]);
      await reject(channel, queue);
      expect(await counts(channel, queue)).toEqual({ messageCount: 0, consumerCount: 0 });
    }
  });

  it("finds an exchange that is declared after the queue", async () => {
    const channel = await client.channel();
    const graves = client.exchangeName();
    const [queue, dead] = [await client.queue(channel, { deadLetterExchange: graves }), await client.queue(channel)];
    await channel.assertExchange(graves, "fanout");
    await channel.bindQueue(dead, graves, "");
    send(channel, queue, ["bad"]);
    await reject(channel, queue);
    expect(body(await take(channel, dead))).toBe("bad");
  });

  it("keeps the keys of CC for the way on, unless a routing key is set", async () => {
    const channel = await client.channel();
    const graves = await client.exchange(channel, "direct");
    const [byKey, byCc, byOverride] = [
      await client.queue(channel),
      await client.queue(channel),
      await client.queue(channel),
    ];
    const queue = await client.queue(channel, { deadLetterExchange: graves });
    await channel.bindQueue(byKey, graves, queue);
    await channel.bindQueue(byCc, graves, "copy");
    await channel.bindQueue(byOverride, graves, "override");
    send(channel, queue, ["both"], { CC: ["copy"] });
    await reject(channel, queue);
    const [first, second] = [await take(channel, byKey), await take(channel, byCc)];
    expect([body(first), body(second)]).toEqual(["both", "both"]);
    expect(deaths(first)[0]).toMatchObject({ "routing-keys": [queue, "copy"] });

    const single = await client.queue(channel, { deadLetterExchange: graves, deadLetterRoutingKey: "override" });
    send(channel, single, ["one"], { CC: ["copy"] });
    await reject(channel, single);
    const message = await take(channel, byOverride);
    expect(deaths(message)[0]).toMatchObject({ "routing-keys": [single, "copy"] });
    expect(headersOf(message)).not.toHaveProperty("CC");
    expect(await drain(channel, byCc)).toEqual([]);
  });

  it("goes to the keys of BCC too, death after death, and nobody sees them", async () => {
    const channel = await client.channel();
    const graves = await client.exchange(channel, "direct");
    const [byKey, again] = [await client.queue(channel), await client.queue(channel)];
    const [queue, byBcc] = [
      await client.queue(channel, { deadLetterExchange: graves }),
      await client.queue(channel, { deadLetterExchange: graves }),
    ];
    await channel.bindQueue(byKey, graves, queue);
    await channel.bindQueue(byBcc, graves, "hidden");
    send(channel, queue, ["secret"], { headers: { mine: 1 }, BCC: ["hidden", "nowhere"] });
    const first = await take(channel, queue, false);
    expect(headersOf(first)).toEqual({ mine: 1 });
    channel.nack(first, false, false);
    const messages = [await take(channel, byKey), await take(channel, byBcc, false)];
    for (const message of messages) {
      expect([body(message), deaths(message)[0]]).toMatchObject(["secret", { "routing-keys": [queue] }]);
      expect(headersOf(message)).not.toHaveProperty("BCC");
    }
    await channel.unbindQueue(byBcc, graves, "hidden");
    await channel.bindQueue(again, graves, "hidden");
    channel.nackAll(false);
    const last = await take(channel, again);
    expect(deaths(last).map((death) => ({ ...death }))).toMatchObject([{ queue: byBcc }, { queue }]);
  });

  it("forgets the keys of BCC where a routing key is set", async () => {
    const channel = await client.channel();
    const graves = await client.exchange(channel, "direct");
    const [dead, byBcc] = [await client.queue(channel, { deadLetterExchange: graves }), await client.queue(channel)];
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    await channel.bindQueue(byBcc, graves, "hidden");
    await channel.bindQueue(byBcc, graves, dead);
    send(channel, queue, ["once"], { BCC: ["hidden"] });
    await reject(channel, queue);
    await reject(channel, dead);
    expect(body(await take(channel, byBcc))).toBe("once");
    expect(await drain(channel, byBcc)).toEqual([]);
  });

  it("does not take what is purged, or left in a queue that is deleted", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    send(channel, queue, ["purged"]);
    await channel.purgeQueue(queue);
    send(channel, queue, ["deleted"]);
    await channel.deleteQueue(queue);
    expect(await drain(channel, dead)).toEqual([]);
  });
});
