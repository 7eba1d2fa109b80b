import { beforeAll, describe, expect, it } from "vitest";
import { collect, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { addUser, asGuest, badRequest, ManagementClient, notAuthorised, notFound } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
const stranger = new ManagementClient(broker, undefined);
let manager: ManagementClient;

beforeAll(async () => {
  await admin.must("PUT", "/vhosts/theirs");
  await admin.must("PUT", "/queues/theirs/q");
  manager = await addUser(broker, "manager", ["management"], "/");
});

async function outcome(client: ManagementClient, to: string) {
  const { status, body } = await client.get(to);
  return { status, body };
}

describe("/api/overview", () => {
  it("says what runs, where it listens, and how much there is", async () => {
    const channel = await amqp.channel();
    const queue = await amqp.queue(channel);
    send(channel, queue, ["a", "b", "c"]);
    channel.publish("", "nowhere", Buffer.from("dropped"));
    await channel.prefetch(1);
    await collect(channel, queue, { noAck: false });
    await eventually(async () =>
      expect(await admin.read("/overview")).toMatchObject({
        product_name: "tsbroker",
        cluster_name: expect.any(String),
        node: expect.stringMatching(/^rabbit@/),
        rates_mode: "basic",
        queue_totals: { messages: 3, messages_ready: 2, messages_unacknowledged: 1 },
        message_stats: { publish: 4, publish_details: { rate: expect.any(Number) }, deliver: 1, drop_unroutable: 1 },
        object_totals: { connections: 1, channels: 1, consumers: 1, exchanges: 16, queues: 2 },
        listeners: [
          { protocol: "amqp", port: broker.port, ip_address: "127.0.0.1" },
          { protocol: "http", ip_address: "127.0.0.1" },
        ],
        exchange_types: ["direct", "fanout", "headers", "topic"].map((name) => ({ name })),
      }),
    );
  });

  it("tells within what time messages were delivered and acked, when it is asked", async () => {
    const channel = await amqp.channel();
    const queue = await amqp.queue(channel);
    await collect(channel, queue, { noAck: true });
    const asked = "/overview?latency_age=60&latency_incr=5";
    await eventually(async () => {
      send(channel, queue, ["a"]);
      const { message_latency: latency } = Object(await admin.read(asked));
      const points = Object.values(Object(latency.delivered)).map(Object);
      expect(points.some(({ p50, p99 }) => p50 > 0 && p99 >= p50)).toBe(true);
    });
    expect(await manager.read(asked)).not.toHaveProperty("message_latency");
    expect((await admin.request("GET", "/overview?latency_age=60000&latency_incr=1")).status).toBe(400);
  });

  it("counts for users only what they may see", async () => {
    const row = Object(await manager.read("/overview"));
    expect(row.object_totals).toMatchObject({ connections: 0, queues: 0, exchanges: 9 });
    for (const hidden of ["node", "listeners", "contexts"]) expect(row).not.toHaveProperty(hidden);
  });

  it("can be narrowed", async () => {
    expect(await admin.read("/overview?columns=rates_mode,object_totals.exchanges")).toEqual({
      rates_mode: "basic",
      object_totals: { exchanges: 16 },
    });
    expect(await admin.read("/overview?disable_stats=true")).not.toHaveProperty("queue_totals");
  });

  it("gives the samples that rates are made of", async () => {
    const row = Object(
      await admin.read("/overview?lengths_age=60&lengths_incr=5&columns=queue_totals.messages_details"),
    );
    expect(row.queue_totals.messages_details).toEqual({
      rate: expect.any(Number),
      samples: expect.arrayContaining([{ sample: expect.any(Number), timestamp: expect.any(Number) }]),
      avg: expect.any(Number),
      avg_rate: expect.any(Number),
    });
    expect(await outcome(admin, "/overview?msg_rates_age=100000&msg_rates_incr=1")).toEqual({
      status: 400,
      body: badRequest("Invalid range parameters: age 100000, incr 1"),
    });
  });

  it("has neighbours that are short", async () => {
    expect(await admin.read("/cluster-name")).toEqual({ name: expect.stringMatching(/^tsbroker@/) });
    expect(await stranger.read("/version")).toEqual(expect.any(String));
    for (const path of ["/extensions", "/deprecated-features"]) {
      expect(await manager.read(path)).toEqual([]);
      expect((await stranger.get(path)).status).toBe(401);
    }
  });
});

describe("/api/nodes", () => {
  it("has one node", async () => {
    const [row, ...others] = Object(await admin.read("/nodes"));
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      running: true,
      os_pid: String(broker.pid),
      uptime: expect.any(Number),
      mem_used: expect.any(Number),
      mem_alarm: false,
      disk_free: expect.any(Number),
      disk_free_alarm: false,
      db_dir: broker.dataDir,
    });
    expect(await admin.read(`/nodes/${row.name}?columns=name`)).toEqual({ name: row.name });
    expect(await admin.read(`/nodes/${row.name}/memory`)).toMatchObject({
      memory: { total: { rss: expect.any(Number) } },
    });
    expect(await outcome(admin, "/nodes/rabbit@elsewhere")).toEqual({ status: 404, body: notFound });
  });

  it("is for monitors", async () => {
    expect(await outcome(manager, "/nodes")).toEqual({ status: 401, body: notAuthorised("Not monitor user") });
  });
});

describe("health checks", () => {
  const ok = { status: 200, body: expect.objectContaining({ status: "ok" }) };

  it.each([
    "/health/checks/alarms",
    "/health/checks/local-alarms",
    "/health/checks/virtual-hosts",
    "/health/checks/node-is-quorum-critical",
    "/health/checks/protocol-listener/amqp091",
    "/health/checks/protocol-listener/amqp,http",
    "/health/checks/certificate-expiration/1/months",
    "/aliveness-test/%2F",
    "/healthchecks/node",
  ])("%s passes, for those who may ask", async (path) => {
    expect(await outcome(manager, path)).toEqual(ok);
    expect((await stranger.get(path)).status).toBe(401);
  });

  it("may be asked for by anyone where orchestrators do", async () => {
    for (const name of ["is-in-service", "below-node-connection-limit", "ready-to-serve-clients"]) {
      expect(await outcome(stranger, `/health/checks/${name}`)).toEqual(ok);
    }
  });

  it("say which port or protocol nobody listens on", async () => {
    expect(await outcome(admin, `/health/checks/port-listener/${broker.port}`)).toEqual(ok);
    expect(await outcome(admin, "/health/checks/port-listener/1")).toEqual({
      status: 503,
      body: { status: "failed", reason: "No active listener", missing: 1, ports: [broker.port, expect.any(Number)] },
    });
    expect(await outcome(admin, "/health/checks/protocol-listener/amqp,mqtt")).toEqual({
      status: 503,
      body: { status: "failed", reason: "No active listener", missing: ["mqtt"], protocols: ["amqp", "http"] },
    });
  });

  it("refuse what they do not understand", async () => {
    expect((await admin.get("/health/checks/port-listener/abc")).status).toBe(400);
    expect(await outcome(admin, "/health/checks/certificate-expiration/1/fortnights")).toEqual({
      status: 400,
      body: badRequest("Time unit not recognised. Supported units: days, weeks, months, years."),
    });
    expect((await admin.get("/health/checks/certificate-expiration/x/days")).status).toBe(400);
    expect((await admin.get("/aliveness-test/nowhere")).status).toBe(404);
  });
});
