import type { Channel } from "amqplib";
import { beforeEach, describe, expect, it } from "vitest";
import { body, collect, type Inbox, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const admin = asGuest(broker);

/** In RabbitMQ they are a plugin and a setting. */
beforeEach((context) => needsOwnBroker(context));

async function listen(exchange: string, key: string): Promise<{ channel: Channel; inbox: Inbox }> {
  const channel = await client.channel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, key);
  return { channel, inbox: await collect(channel, queue) };
}

function keys(inbox: Inbox): string[] {
  return inbox.messages.map(({ fields }) => fields.routingKey);
}

async function heard(inbox: Inbox, key: string): Promise<Record<string, unknown>> {
  return await eventually(() => {
    const found = inbox.messages.findLast(({ fields }) => fields.routingKey === key);
    if (found === undefined) throw new Error(`${key} is not among ${keys(inbox).join()}`);
    return { ...found.properties.headers };
  });
}

describe("amq.rabbitmq.event", () => {
  it("tells of queues, exchanges and bindings, those that are not stored too", async () => {
    const { channel, inbox } = await listen("amq.rabbitmq.event", "#");
    const exchange = await client.exchange(channel, "fanout", { durable: false });
    const queue = await client.queue(channel, { durable: false, arguments: { "x-max-length": 5 } });
    await channel.bindQueue(queue, exchange, "key");
    await channel.deleteQueue(queue);
    await channel.deleteExchange(exchange);
    expect(await heard(inbox, "exchange.deleted")).toMatchObject({ name: exchange, vhost: "/" });
    expect(keys(inbox).filter((key) => /^(queue|exchange|binding)/.test(key))).toEqual([
      // The one by which it is heard.
      "binding.created",
      "exchange.created",
      "queue.created",
      "binding.created",
      "queue.deleted",
      "binding.deleted",
      "exchange.deleted",
    ]);
    expect(await heard(inbox, "queue.created")).toMatchObject({
      name: queue,
      vhost: "/",
      durable: false,
      exclusive: false,
      arguments: { "x-max-length": 5 },
      timestamp_in_ms: expect.any(Number),
    });
    expect(await heard(inbox, "binding.created")).toMatchObject({
      source_name: exchange,
      destination_name: queue,
      destination_kind: "queue",
      routing_key: "key",
    });
    expect(inbox.at(0).properties).toMatchObject({ deliveryMode: 2, timestamp: expect.any(Number) });
  });

  it("tells of queues whose policies are others now", async () => {
    const { channel, inbox } = await listen("amq.rabbitmq.event", "queue.policy.*");
    const queue = await client.queue(channel);
    await client.queue(channel);
    const policy = { pattern: `^${queue}$`, definition: { "max-length": 5 } };
    const path = `/policies/%2F/${queue}`;
    await admin.must("PUT", path, policy);
    expect(await heard(inbox, "queue.policy.updated")).toMatchObject({
      name: queue,
      vhost: "/",
      policy: queue,
      definition: { "max-length": 5 },
    });
    // The same again changes nothing.
    await admin.must("PUT", path, policy);
    await admin.must("DELETE", path);
    expect(await heard(inbox, "queue.policy.cleared")).toMatchObject({ name: queue, vhost: "/", definition: {} });
    expect(keys(inbox)).toEqual(["queue.policy.updated", "queue.policy.cleared"]);
  });

  it("tells of clients as they come and go", async () => {
    const { inbox } = await listen("amq.rabbitmq.event", "#");
    const connection = await client.connect();
    const channel = await client.channel(connection);
    const queue = await client.queue(channel);
    await collect(channel, queue, { consumerTag: "mine" });
    await channel.cancel("mine");
    await channel.close();
    client.cut(connection);
    expect(await heard(inbox, "connection.closed")).toMatchObject({ user: "guest", vhost: "/" });
    const about = keys(inbox).filter((key) => /^(connection|channel|consumer|user)/.test(key));
    expect(about).toEqual([
      "consumer.created",
      "user.authentication.success",
      "connection.created",
      "channel.created",
      "consumer.created",
      "consumer.deleted",
      "channel.closed",
      "connection.closed",
    ]);
    expect(await heard(inbox, "connection.created")).toMatchObject({ protocol: "{0,9,1}", auth_mechanism: "PLAIN" });
  });

  it("tells of users, vhosts, permissions, policies, limits and parameters", async () => {
    const { inbox } = await listen("amq.rabbitmq.event", "#");
    await admin.must("PUT", "/users/eve", { password: "p", tags: "" });
    await admin.must("PUT", "/users/eve", { password: "q", tags: "monitoring" });
    await admin.must("PUT", "/vhosts/heard");
    await admin.must("PUT", "/permissions/heard/eve", { configure: "", write: "", read: "" });
    await admin.must("PUT", "/policies/heard/p", { pattern: "x", definition: { "max-length": 1 } });
    await admin.must("DELETE", "/policies/heard/p");
    await admin.must("PUT", "/vhost-limits/heard/max-queues", { value: 3 });
    await admin.must("DELETE", "/permissions/heard/eve");
    await admin.must("DELETE", "/vhosts/heard");
    await admin.must("DELETE", "/users/eve");
    await heard(inbox, "user.deleted");
    const told = keys(inbox).filter((key) => /^(user|vhost|permission|policy)/.test(key));
    expect(told.slice(0, 9)).toEqual([
      "user.created",
      "user.password.changed",
      "user.tags.set",
      "vhost.created",
      "permission.created",
      "permission.created",
      "policy.set",
      "policy.cleared",
      "vhost.limits.set",
    ]);
    expect(told).toContain("vhost.deleted");
    expect(await heard(inbox, "policy.set")).toMatchObject({ name: "p", vhost: "heard", pattern: "x" });
    expect(await heard(inbox, "user.tags.set")).toMatchObject({ name: "eve", tags: ["monitoring"] });
  });

  it("is not for clients to publish to, or to delete", async () => {
    const channel = await client.channel();
    await expect(channel.deleteExchange("amq.rabbitmq.event")).rejects.toThrow(/ACCESS_REFUSED/);
  });
});

describe("amq.rabbitmq.log", () => {
  it("has the lines of the log, by their level", async () => {
    const { inbox } = await listen("amq.rabbitmq.log", "warning");
    const channel = await client.channel();
    await expect(channel.checkQueue(client.queueName())).rejects.toThrow();
    await eventually(() => expect(inbox.bodies.join()).toContain("NOT_FOUND - no queue"));
    expect(inbox.at(0).properties).toMatchObject({ contentType: "application/json" });
    expect(JSON.parse(body(inbox.at(0)))).toMatchObject({ level: "warn" });
  });
});
