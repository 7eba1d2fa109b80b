import { describe, expect, it } from "vitest";
import { body, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("exchange to exchange bindings", () => {
  it("send a message on through another exchange with its routing key", async () => {
    const channel = await client.channel();
    const [source, destination] = [await client.exchange(channel, "topic"), await client.exchange(channel, "direct")];
    const queue = await client.queue(channel);
    await channel.bindExchange(destination, source, "log.#");
    await channel.bindQueue(queue, destination, "log.error");
    for (const key of ["log.error", "log.info", "other"]) channel.publish(source, key, Buffer.from(key));
    const message = await channel.get(queue, { noAck: true });
    expect(message).toMatchObject({ fields: { exchange: source, routingKey: "log.error" } });
    expect(await drain(channel, queue)).toEqual([]);
    await channel.unbindExchange(destination, source, "log.#");
    channel.publish(source, "log.error", Buffer.from("unbound"));
    expect(await drain(channel, queue)).toEqual([]);
  });

  it("deliver one copy to a queue that several ways lead to", async () => {
    const channel = await client.channel();
    const source = await client.exchange(channel, "fanout");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, source, "");
    for (let way = 0; way < 3; way++) {
      const between = await client.exchange(channel, "fanout");
      await channel.bindExchange(between, source, "");
      await channel.bindQueue(queue, between, "");
    }
    channel.publish(source, "", Buffer.from("one"));
    expect(await drain(channel, queue)).toEqual(["one"]);
  });

  it("may form a circle", async () => {
    const channel = await client.channel();
    const [one, two] = [await client.exchange(channel, "fanout"), await client.exchange(channel, "fanout")];
    const [atOne, atTwo] = [await client.queue(channel), await client.queue(channel)];
    await channel.bindExchange(two, one, "");
    await channel.bindExchange(one, two, "");
    await channel.bindExchange(one, one, "");
    await channel.bindQueue(atOne, one, "");
    await channel.bindQueue(atTwo, two, "");
    channel.publish(one, "", Buffer.from("round"));
    expect(await drain(channel, atOne)).toEqual(["round"]);
    expect(await drain(channel, atTwo)).toEqual(["round"]);
  });

  it("go with the exchange that is deleted", async () => {
    const channel = await client.channel();
    const [source, destination] = [await client.exchange(channel, "fanout"), await client.exchange(channel, "fanout")];
    const queue = await client.queue(channel);
    await channel.bindExchange(destination, source, "");
    await channel.bindQueue(queue, destination, "");
    await channel.deleteExchange(destination);
    await channel.assertExchange(destination, "fanout");
    await channel.bindQueue(queue, destination, "");
    channel.publish(source, "", Buffer.from("no way"));
    expect(await drain(channel, queue)).toEqual([]);
  });
});

describe("an alternate exchange", () => {
  it("gets what the exchange cannot route, with exchange and key as published", async () => {
    const channel = await client.channel();
    const alternate = await client.exchange(channel, "fanout");
    const exchange = await client.exchange(channel, "direct", { alternateExchange: alternate });
    const [routed, unrouted] = [await client.queue(channel), await client.queue(channel)];
    await channel.bindQueue(routed, exchange, "known");
    await channel.bindQueue(unrouted, alternate, "");
    channel.publish(exchange, "known", Buffer.from("known"));
    channel.publish(exchange, "unknown", Buffer.from("unknown"));
    expect(await drain(channel, routed)).toEqual(["known"]);
    const message = await channel.get(unrouted, { noAck: true });
    expect(message).toMatchObject({ content: Buffer.from("unknown"), fields: { exchange, routingKey: "unknown" } });
    expect(await drain(channel, unrouted)).toEqual([]);
  });

  it("counts as a route for mandatory messages, unless it leads nowhere itself", async () => {
    const channel = await client.confirmChannel();
    const alternate = await client.exchange(channel, "direct");
    const exchange = await client.exchange(channel, "direct", { alternateExchange: alternate });
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, alternate, "known there");
    const returned: string[] = [];
    channel.on("return", (message) => returned.push(body(message)));
    for (const key of ["known there", "known nowhere"]) {
      channel.publish(exchange, key, Buffer.from(key), { mandatory: true });
    }
    await channel.waitForConfirms();
    expect(returned).toEqual(["known nowhere"]);
    expect(await drain(channel, queue)).toEqual(["known there"]);
  });

  it("may have an alternate itself, and may be missing", async () => {
    const channel = await client.channel();
    const last = await client.exchange(channel, "fanout");
    const middle = await client.exchange(channel, "direct", { alternateExchange: last });
    const exchange = await client.exchange(channel, "direct", { alternateExchange: middle });
    const lost = await client.exchange(channel, "direct", { alternateExchange: client.exchangeName("missing") });
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, last, "");
    for (const name of [exchange, lost]) channel.publish(name, "unknown", Buffer.from(name));
    expect(await drain(channel, queue)).toEqual([exchange]);
  });
});

describe("sender-selected distribution", () => {
  it("routes by the keys of CC and BCC as well; CC stays on the message, BCC does not", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "direct");
    const queues = [];
    for (const key of ["to", "cc 1", "cc 2", "bcc"]) {
      const queue = await client.queue(channel);
      await channel.bindQueue(queue, exchange, key);
      queues.push(queue);
    }
    channel.publish(exchange, "to", Buffer.from("x"), { CC: ["cc 1", "cc 2"], BCC: ["bcc"], headers: { mine: 1 } });
    for (const queue of queues) {
      const message = await channel.get(queue, { noAck: true });
      expect(message).toMatchObject({ fields: { exchange, routingKey: "to" } });
      expect(message !== false && message.properties.headers).toEqual({ mine: 1, CC: ["cc 1", "cc 2"] });
    }
  });

  it("works over the default exchange and gives a queue one copy", async () => {
    const channel = await client.channel();
    const [first, second] = [await client.queue(channel), await client.queue(channel)];
    send(channel, first, ["x"], { CC: [first, second, second] });
    expect(await drain(channel, first)).toEqual(["x"]);
    expect(await drain(channel, second)).toEqual(["x"]);
  });
});
