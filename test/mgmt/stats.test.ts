import { describe, expect, it } from "vitest";
import { send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker({ args: ["--stats-interval-ms", "1000"] });
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);

/** What was counted, without the rates. */
function countsOf(row: unknown): Record<string, unknown> {
  const entries = Object.entries(Object(Object(row).message_stats));
  return Object.fromEntries(entries.filter(([name]) => !name.endsWith("_details")));
}

describe("message_stats", () => {
  it("of a channel and an exchange count what went over them", async () => {
    const channel = await amqp.confirmChannel();
    const exchange = await amqp.exchange(channel, "fanout");
    for (let i = 0; i < 2; i++) await channel.bindQueue(await amqp.queue(channel), exchange, "");
    const queue = await amqp.queue(channel);
    for (let i = 0; i < 3; i++) channel.publish(exchange, "", Buffer.from("x"));
    for (let i = 0; i < 4; i++) send(channel, queue, ["y"]);
    channel.publish("", "nowhere", Buffer.from("z"));
    channel.publish("", "nowhere", Buffer.from("z"), { mandatory: true });
    await channel.waitForConfirms();
    const [first, second] = [await channel.get(queue), await channel.get(queue, { noAck: true })];
    if (first === false || second === false) throw new Error("no message");
    channel.nack(first, false, true);
    const again = await channel.get(queue);
    if (again === false) throw new Error("no message");
    channel.ack(again);
    const received: unknown[] = [];
    await channel.consume(queue, (message) => received.push(message));
    await eventually(() => expect(received).toHaveLength(2));
    await channel.get(queue);
    const [row] = Array.from(Object(await admin.read("/channels")));
    expect(countsOf(row)).toEqual({
      publish: 9,
      confirm: 9,
      return_unroutable: 1,
      drop_unroutable: 1,
      deliver: 2,
      deliver_no_ack: 0,
      get: 2,
      get_no_ack: 1,
      get_empty: 1,
      deliver_get: 5,
      redeliver: 1,
      ack: 1,
    });
    expect(countsOf(await admin.read(`/exchanges/%2F/${exchange}`))).toEqual({ publish_in: 3, publish_out: 6 });
    expect(countsOf(await admin.read("/exchanges/%2F/amq.default"))).toEqual({ publish_in: 6, publish_out: 4 });
    expect(countsOf(await admin.read(`/queues/%2F/${queue}`))).toMatchObject({ publish: 4, get_empty: 1, ack: 1 });
    expect(countsOf(await admin.read("/vhosts/%2F"))).toMatchObject({ publish: 9, confirm: 9, get_empty: 1 });
  });

  it("of a channel tell only of the side that is used, and of one that is idle nothing", async () => {
    const connection = await amqp.connect();
    const [publisher] = [await amqp.channel(connection), await amqp.channel(connection)];
    publisher.publish("amq.fanout", "", Buffer.from("x"));
    await publisher.checkExchange("amq.fanout");
    const rows = Array.from(Object(await admin.read("/channels?sort=number")), countsOf);
    expect(rows).toEqual([{ publish: 1, confirm: 0, return_unroutable: 0, drop_unroutable: 1 }, {}]);
  });

  it("of an exchange count what comes over HTTP too", async () => {
    const exchange = await amqp.exchange(await amqp.channel(), "fanout");
    const path = `/exchanges/%2F/${exchange}`;
    expect(countsOf(await admin.read(path))).toEqual({});
    const message = { properties: {}, routing_key: "", payload: "x", payload_encoding: "string" };
    await admin.must("POST", `${path}/publish`, message);
    expect(countsOf(await admin.read(path))).toEqual({ publish_in: 1, publish_out: 0 });
  });

  it("count bytes and comings and goings", async () => {
    const before = Object(await admin.read("/overview?columns=churn_rates")).churn_rates;
    const connection = await amqp.connect();
    const channel = await amqp.channel(connection);
    await channel.assertQueue("churned");
    await channel.assertQueue("churned");
    await channel.deleteQueue("churned");
    await channel.close();
    await connection.close();
    const grown = {
      connection_created: 1,
      connection_closed: 1,
      channel_created: 1,
      channel_closed: 1,
      queue_declared: 2,
      queue_created: 1,
      queue_deleted: 1,
    };
    await eventually(async () => {
      const after = Object(await admin.read("/overview?columns=churn_rates")).churn_rates;
      const differences = Object.keys(grown).map((name) => [name, after[name] - before[name]]);
      expect(Object.fromEntries(differences)).toMatchObject(grown);
    });
    expect(Object(await admin.read("/vhosts/%2F")).recv_oct).toBeGreaterThan(0);
  });

  it("tell what the node used before, until they are reset", { timeout: 40_000 }, async () => {
    const node = "/nodes?node_stats_age=60&node_stats_incr=1";
    const levels = ["mem_used", "sockets_used", "context_switches", "disk_free", "fd_used", "proc_used"];
    await amqp.connect();
    await eventually(async () => {
      const [row] = Array.from(Object(await admin.read(node)), Object);
      for (const name of levels) {
        expect(row[name]).toBeGreaterThan(0);
        const { samples, avg } = row[`${name}_details`];
        expect(samples.length).toBeGreaterThan(1);
        expect(avg).toBeGreaterThan(0);
      }
      expect(row.context_switches_details.rate).toBeGreaterThan(0);
    });
    await admin.must("DELETE", "/reset");
    const [row] = Array.from(Object(await admin.read(node)), Object);
    for (const name of levels) expect(row[`${name}_details`]).toMatchObject({ samples: [], rate: 0 });
  });

  it("come with rates once they were sampled twice", { timeout: 20_000 }, async () => {
    const connection = await amqp.connect();
    const channel = await amqp.channel(connection);
    const exchange = await amqp.exchange(channel, "fanout");
    await eventually(async () => {
      channel.publish(exchange, "", Buffer.from("x"));
      const row = Object(await admin.read(`/exchanges/%2F/${exchange}?msg_rates_age=60&msg_rates_incr=1`));
      const details = row.message_stats.publish_in_details;
      expect(details.rate).toBeGreaterThan(0);
      expect(details.samples.length).toBeGreaterThan(1);
      const [of] = Array.from(Object(await admin.read("/channels?sort=message_stats.publish&sort_reverse=true")));
      expect(Object(of).message_stats.publish_details.rate).toBeGreaterThan(0);
      const [traffic] = Array.from(Object(await admin.read("/connections?data_rates_age=60&data_rates_incr=1")));
      expect(Object(traffic).recv_oct_details.rate).toBeGreaterThan(0);
      expect(Object(traffic).recv_oct_details.samples.length).toBeGreaterThan(1);
    }, 15_000);
  });
});
