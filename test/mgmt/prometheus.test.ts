import { setTimeout as later } from "node:timers/promises";
import type { Channel, ConsumeMessage } from "amqplib";
import { pino } from "pino";
import { beforeAll, describe, expect, it } from "vitest";
import { openBroker } from "../../src/broker.ts";
import { defaultConfig } from "../../src/config.ts";
import { collect, send, useAmqpClient } from "../support/amqp-client.ts";
import { parity, TestBroker, useBroker } from "../support/broker.ts";
import { dashboards } from "../support/dashboards.ts";
import { asGuest } from "../support/management.ts";
import { freePort } from "../support/ports.ts";
import { type Exposition, scrape } from "../support/prometheus.ts";
import { eventually } from "../support/wait-for.ts";

const port = await freePort();
const broker = useBroker({ args: ["--prometheus-port", String(port)] });
const amqp = useAmqpClient(broker);
const url = `http://127.0.0.1:${port}`;

beforeAll(async () => {
  await asGuest(broker).must("PUT", "/vhosts/other");
  for (const [vhost, queue] of [
    ["%2F", "orders"],
    ["%2F", 'odd "\\ name'],
    ["other", "theirs"],
  ] as const) {
    await asGuest(broker).must("PUT", `/queues/${vhost}/${encodeURIComponent(queue)}`, { durable: true });
  }
  const quorum = { durable: true, arguments: { "x-queue-type": "quorum" } };
  await asGuest(broker).must("PUT", "/queues/%2F/safe", quorum);
});

/** So many messages of a queue, which are to be settled. */
async function take(channel: Channel, queue: string, count: number): Promise<readonly ConsumeMessage[]> {
  const { messages } = await collect(channel, queue, { noAck: false });
  await eventually(() => expect(messages).toHaveLength(count));
  return messages;
}

describe("/metrics", () => {
  it.each(Object.entries(dashboards))("has what %s asks for", async (_dashboard, names) => {
    const { samples } = await scrape(`${url}/metrics`);
    const found = new Set(samples.map(({ name }) => name));
    expect(names.filter((name) => !found.has(name))).toEqual([]);
  });

  it("tells what clients did", async () => {
    const channel = await amqp.channel();
    const confirming = await amqp.confirmChannel();
    const queue = await amqp.queue(channel, { durable: true });
    const before = await scrape(`${url}/metrics`);
    const grew = (after: Exposition, name: string, labels = {}) =>
      after.value(`rabbitmq_global_messages_${name}_total`, labels) -
      before.value(`rabbitmq_global_messages_${name}_total`, labels);
    send(channel, queue, ["a", "b"]);
    confirming.sendToQueue(queue, Buffer.from("c"), { persistent: true });
    confirming.publish("", "nowhere", Buffer.from("d"));
    await confirming.waitForConfirms();
    const reader = await amqp.channel();
    const [first] = await take(reader, queue, 3);
    if (first !== undefined) reader.ack(first);
    await eventually(async () => {
      const after = await scrape(`${url}/metrics`);
      const classic = { queue_type: "rabbit_classic_queue" };
      expect({
        received: grew(after, "received"),
        toConfirm: grew(after, "received_confirm"),
        confirmed: grew(after, "confirmed"),
        routed: grew(after, "routed"),
        dropped: grew(after, "unroutable_dropped"),
        delivered: grew(after, "delivered_consume_manual_ack", classic),
        acked: grew(after, "acknowledged", classic),
      }).toEqual({ received: 4, toConfirm: 2, confirmed: 2, routed: 3, dropped: 1, delivered: 3, acked: 1 });
      expect(after.value("rabbitmq_queue_messages_unacked")).toBe(2);
    });
  });

  it("keeps counting what went through queues and vhosts that have gone", async () => {
    const admin = asGuest(broker);
    await admin.must("PUT", "/vhosts/passing");
    await admin.must("PUT", "/queues/passing/q");
    const message = { properties: {}, routing_key: "q", payload: "x", payload_encoding: "string" };
    await admin.must("POST", "/exchanges/passing/amq.default/publish", message);
    const received = "rabbitmq_global_messages_received_total";
    const before = (await scrape(`${url}/metrics`)).value(received);
    await admin.must("DELETE", "/vhosts/passing");
    expect((await scrape(`${url}/metrics`)).value(received)).toBe(before);
  });

  it("counts how messages die", async () => {
    const channel = await amqp.channel();
    const rejecting = await amqp.queue(channel, { durable: true });
    send(channel, rejecting, ["a"]);
    const name = "rabbitmq_global_messages_dead_lettered_rejected_total";
    const labels = { queue_type: "rabbit_classic_queue", dead_letter_strategy: "disabled" };
    const before = (await scrape(`${url}/metrics`)).value(name, labels);
    const [message] = await take(channel, rejecting, 1);
    if (message !== undefined) channel.reject(message, false);
    await eventually(async () => expect((await scrape(`${url}/metrics`)).value(name, labels)).toBe(before + 1));
  });

  it("times the event loop, the store and some of the messages", async () => {
    const channel = await amqp.confirmChannel();
    const queue = await amqp.queue(channel, { durable: true });
    for (let i = 0; i < 64; i++) channel.sendToQueue(queue, Buffer.from("x"), { persistent: true });
    await channel.waitForConfirms();
    const reader = await amqp.channel();
    for (const message of await take(reader, queue, 64)) reader.ack(message);
    await eventually(async () => {
      const metrics = await scrape(`${url}/metrics`);
      expect(metrics.value("tsbroker_message_delivery_seconds_count")).toBeGreaterThan(0);
      expect(metrics.value("tsbroker_message_ack_seconds_bucket", { le: "+Inf" })).toBeGreaterThan(0);
      expect(metrics.value("tsbroker_store_commit_seconds_count")).toBeGreaterThan(0);
      expect(metrics.value("tsbroker_store_commit_messages_sum")).toBeGreaterThanOrEqual(64);
      expect(metrics.value("tsbroker_event_loop_delay_seconds", { quantile: "0.99" })).toBeGreaterThanOrEqual(0);
    });
  });

  it("sorts messages by size as the dashboards ask for it", async () => {
    const { samples } = await scrape(`${url}/metrics`);
    const bounds = samples.filter(({ name }) => name === "rabbitmq_message_size_bytes_bucket");
    const asked = ["100.0", "1000.0", "10000.0", "100000.0", "1e+06", "1e+07", "5e+07", "1e+08", "+Inf"];
    expect(bounds.map(({ labels }) => labels["le"])).toEqual(asked);
  });

  it("is compressed for who can take that, and has no other methods and paths", async () => {
    const plain = await fetch(`${url}/metrics`, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-type")).toBe("text/plain; version=0.0.4");
    expect(plain.headers.get("content-encoding")).toBe("identity");
    const gzip = await fetch(`${url}/metrics`, { headers: { "accept-encoding": "gzip" } });
    expect(gzip.headers.get("content-encoding")).toBe("gzip");
    expect(await gzip.text()).toContain("rabbitmq_queues ");
    expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
    expect((await fetch(`${url}/api/overview`)).status).toBe(404);
  });
});

describe("/metrics/per-object", () => {
  it("has every queue by itself, whatever its name", async () => {
    const metrics = await scrape(`${url}/metrics/per-object`);
    const ready = metrics.samples.filter(({ name }) => name === "rabbitmq_queue_messages_ready");
    expect(ready.map(({ labels }) => labels)).toEqual(
      expect.arrayContaining([
        { vhost: "/", queue: "orders" },
        { vhost: "/", queue: 'odd "\\ name' },
        { vhost: "other", queue: "theirs" },
      ]),
    );
  });

  it("has every channel and connection", async () => {
    await amqp.channel();
    const { samples } = await scrape(`${url}/metrics/per-object`);
    const names = samples.filter(({ name }) => name === "rabbitmq_channel_consumers");
    expect(names.map(({ labels }) => labels["channel"])).toContainEqual(expect.stringMatching(/ -> .* \(\d+\)$/));
    const connections = samples.filter(({ name }) => name === "rabbitmq_connection_channels");
    expect(connections.map(({ labels }) => labels["channel"])).toContainEqual(expect.stringMatching(/ -> [\d.:]+$/));
  });
});

describe("/metrics/detailed", () => {
  it("gives the families that are asked for, those of queues of the vhosts that are asked for", async () => {
    const query = "family=queue_coarse_metrics&family=exchange_bindings&vhost=other";
    const { samples } = await scrape(`${url}/metrics/detailed?${query}`);
    const queues = samples.filter(({ name }) => name === "rabbitmq_detailed_queue_messages_ready");
    expect(queues.map(({ labels }) => labels)).toEqual([{ vhost: "other", queue: "theirs" }]);
    const bindings = samples.filter(({ name }) => name === "rabbitmq_cluster_exchange_bindings");
    expect(new Set(bindings.map(({ labels }) => labels["vhost"]))).toEqual(new Set(["/", "other"]));
  });

  it("says who it is and no more when nothing is asked for", async () => {
    const { samples } = await scrape(`${url}/metrics/detailed`);
    expect(samples.map(({ name }) => name)).toEqual(["rabbitmq_build_info", "rabbitmq_identity_info"]);
  });

  it("writes ten thousand queues while others are served", async () => {
    const admin = asGuest(broker);
    await admin.must("PUT", "/vhosts/many");
    const queues = Array.from({ length: 10_000 }, (_, i) => ({
      name: `q${i}`,
      durable: false,
      auto_delete: false,
      arguments: {},
    }));
    await admin.must("POST", "/definitions/many", { queues, exchanges: [], bindings: [] });
    let isDone = false;
    const scraped = scrape(`${url}/metrics/detailed?family=queue_metrics&vhost=many`).finally(() => {
      isDone = true;
    });
    let others = 0;
    while (!isDone) {
      await admin.read("/whoami");
      others++;
      await later(1);
    }
    expect((await scraped).samples.filter(({ name }) => name.endsWith("_queue_consumers"))).toHaveLength(10_000);
    expect(others).toBeGreaterThan(3);
    await admin.must("DELETE", "/vhosts/many");
  });
});

describe("the port", () => {
  it("stops a start when it was asked for and is in use", async () => {
    const second = new TestBroker({ args: ["--prometheus-port", String(port)] });
    await expect(second.start()).rejects.toThrow(/port \d+ is in use by another process.*--prometheus-port/s);
  });

  it("is done without when nobody asked for it and another broker has it", async () => {
    const lines: string[] = [];
    const log = pino({ level: "warn" }, { write: (line) => lines.push(line) });
    const what = { path: "/metrics", perObject: false, needsLogin: false };
    const prometheus = { host: "127.0.0.1", port, isAskedFor: false, ssl: undefined, ...what };
    const config = { ...defaultConfig(), host: "127.0.0.1", port: 0, managementPort: undefined, prometheus };
    const second = await openBroker(config, { log, inMemory: true });
    expect(second.ports.prometheus).toBeUndefined();
    expect(lines.join("")).toContain("metrics are not served: their port is in use");
    await second.stop("shutdown");
  });
});

const peerUrl = process.env["RABBITMQ_PEER_URL"];
/** Its metrics are 10020 above its AMQP, as they are on the ports that RabbitMQ has unless it is told. */
const peer = peerUrl === undefined || parity ? undefined : `http://127.0.0.1:${Number(new URL(peerUrl).port) + 10_020}`;
const isReachable = peer !== undefined && (await fetch(`${peer}/metrics`).then(Boolean, () => false));

describe.skipIf(!isReachable)("a RabbitMQ", () => {
  it.each(["/metrics", "/metrics/per-object"])("has no metric at %s that is missing or other here", async (path) => {
    const [theirs, ours] = await Promise.all([scrape(`${peer}${path}`), scrape(`${url}${path}`)]);
    const missing = [...theirs.kinds].filter(
      ([name, kind]) => name.startsWith("rabbitmq_") && ours.kinds.get(name) !== kind,
    );
    expect(missing).toEqual([]);
  });

  it.each(["exchange_names", "exchange_bindings", "vhost_status", "queue_coarse_metrics", "queue_metrics"])(
    "takes a vhost as a filter of %s, or does not, as it is here",
    async (family) => {
      const counts = [peer ?? "", url].map(async (base) => {
        const path = `${base}/metrics/detailed?family=${family}&vhost=nowhere`;
        const { samples } = await scrape(path);
        return samples.some(({ name }) => /^rabbitmq_(detailed|cluster)_/.test(name));
      });
      const [there, here] = await Promise.all(counts);
      expect(here).toBe(there);
    },
  );
});
