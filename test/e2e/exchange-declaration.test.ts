import { describe, expect, it } from "vitest";
import { drain, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

async function exists(exchange: string): Promise<boolean> {
  const channel = await client.channel();
  return await channel.checkExchange(exchange).then(
    () => true,
    () => false,
  );
}

describe("declaring an exchange", () => {
  it("creates it once; the same declaration again is no error", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "direct", { durable: true });
    await channel.assertExchange(exchange, "direct", { durable: true });
    expect(await exists(exchange)).toBe(true);
  });

  it.each([
    ["type", "fanout", { durable: true }],
    ["durable", "direct", { durable: false }],
    ["auto_delete", "direct", { durable: true, autoDelete: true }],
    ["internal", "direct", { durable: true, internal: true }],
    ["alternate-exchange", "direct", { durable: true, alternateExchange: "other" }],
  ])("refuses another %s", async (argument, type, options) => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "direct", { durable: true });
    const other = await client.channel();
    await expect(other.assertExchange(exchange, type, options)).rejects.toThrow(
      `PRECONDITION_FAILED - inequivalent arg '${argument}' for exchange '${exchange}' in vhost '/'`,
    );
    expect(await exists(exchange)).toBe(true);
  });

  it("finds the exchanges every virtual host has", async () => {
    const channel = await client.channel();
    for (const name of ["direct", "fanout", "topic", "headers", "match"]) await channel.checkExchange(`amq.${name}`);
    await channel.assertExchange("amq.topic", "topic", { durable: true });
  });

  it("passively only asks whether it is there", async () => {
    const channel = await client.channel();
    await channel.checkExchange(await client.exchange(channel, "topic"));
    await expect(channel.checkExchange(client.exchangeName())).rejects.toMatchObject({ code: 404 });
  });
});

describe("deleting an exchange", () => {
  it("ends its bindings, and is no error when there is none", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "fanout");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "");
    await channel.deleteExchange(exchange);
    await channel.deleteExchange(exchange);
    await channel.assertExchange(exchange, "fanout");
    channel.publish(exchange, "", Buffer.from("unbound"));
    expect(await drain(channel, queue)).toEqual([]);
  });

  it("if unused spares one with bindings", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "fanout");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "");
    await expect((await client.channel()).deleteExchange(exchange, { ifUnused: true })).rejects.toThrow(/in use/);
    await channel.unbindQueue(queue, exchange, "");
    await channel.deleteExchange(exchange, { ifUnused: true });
    expect(await exists(exchange)).toBe(false);
  });
});

describe("an auto-delete exchange", () => {
  it("goes with its last binding, and not before its first", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "direct", { autoDelete: true });
    const queue = await client.queue(channel);
    for (const key of ["one", "two"]) await channel.bindQueue(queue, exchange, key);
    await channel.unbindQueue(queue, exchange, "one");
    expect(await exists(exchange)).toBe(true);
    await channel.unbindQueue(queue, exchange, "two");
    expect(await exists(exchange)).toBe(false);
  });

  it("goes when the last queue bound to it is deleted", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "direct", { autoDelete: true });
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "key");
    await channel.deleteQueue(queue);
    expect(await exists(exchange)).toBe(false);
  });

  it("goes when the last exchange it sends to is deleted, one after another", async () => {
    const channel = await client.channel();
    const first = await client.exchange(channel, "fanout", { autoDelete: true });
    const second = await client.exchange(channel, "fanout", { autoDelete: true });
    const queue = await client.queue(channel);
    await channel.bindExchange(second, first, "");
    await channel.bindQueue(queue, second, "");
    await channel.unbindQueue(queue, second, "");
    expect(await exists(second)).toBe(false);
    expect(await exists(first)).toBe(false);
  });
});

describe("an internal exchange", () => {
  it("takes messages from exchanges and none from publishers", async () => {
    const channel = await client.channel();
    const [front, inner] = [
      await client.exchange(channel, "fanout"),
      await client.exchange(channel, "fanout", { internal: true }),
    ];
    const queue = await client.queue(channel);
    await channel.bindExchange(inner, front, "");
    await channel.bindQueue(queue, inner, "");
    channel.publish(front, "", Buffer.from("through"));
    expect(await drain(channel, queue)).toEqual(["through"]);
    const publisher = await client.confirmChannel();
    publisher.publish(inner, "", Buffer.from("refused"));
    await expect(publisher.waitForConfirms()).rejects.toThrow();
    expect(await drain(channel, queue)).toEqual([]);
  });
});
