import { beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { useBroker } from "../support/broker.ts";
import { as, asGuest, badRequest, ManagementClient, notFound } from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);
let node: string;

beforeAll(async () => {
  const [row] = Array.from(Object(await admin.read("/nodes")));
  node = encodeURIComponent(Object(row).name);
});

async function outcome(method: string, path: string, body?: unknown) {
  const answer = await admin.request(method, path, { body });
  return [answer.status, answer.body];
}

describe("what operators do to a cluster", () => {
  it("is done already on the only node", async () => {
    await admin.must("PUT", "/queues/%2F/q");
    const q = "/queues/%2F/q/actions";
    expect(await outcome("POST", "/rebalance/queues")).toEqual([204, undefined]);
    expect(await outcome("POST", `/vhosts/%2F/start/${node}`)).toEqual([204, undefined]);
    for (const action of ["sync", "cancel_sync"])
      expect(await outcome("POST", q, { action })).toEqual([204, undefined]);
    expect(await outcome("POST", q, { action: "dance" })).toEqual([400, badRequest("unknown action 'dance'")]);
    expect(await outcome("POST", "/queues/%2F/none/actions", { action: "sync" })).toEqual([404, notFound]);
    expect(await outcome("POST", "/vhosts/%2F/start/other@x")).toEqual([
      400,
      badRequest("Request to node other@x failed with nodedown"),
    ]);
    expect(await outcome("POST", `/vhosts/none/start/${node}`)).toEqual([404, notFound]);
    expect(await outcome("PUT", "/feature-flags/any/enable")).toEqual([400, badRequest("unsupported")]);
    expect(await outcome("PUT", "/feature-flags/toString/enable")).toEqual([400, badRequest("unsupported")]);
    expect(await outcome("PUT", "/feature-flags/quorum_queue/enable")).toEqual([204, undefined]);
    const flags = Array.from(Object(await admin.read("/feature-flags")));
    expect(flags).toContainEqual(expect.objectContaining({ name: "quorum_queue", state: "enabled" }));
  });

  it("knows no other node", async () => {
    for (const [method, path] of [
      ["GET", "/nodes/other@x"],
      ["GET", "/nodes/other@x/memory"],
      ["GET", "/nodes/other@x/memory/relative"],
      ["GET", "/nodes/other@x/memory/ets"],
      ["DELETE", "/reset/other@x"],
      ["GET", "/auth/attempts/other@x"],
      ["DELETE", "/auth/attempts/other@x"],
      ["GET", "/auth/attempts/other@x/source"],
      ["GET", "/healthchecks/node/other@x"],
    ] as const) {
      expect([path, ...(await outcome(method, path))]).toEqual([path, 404, notFound]);
    }
  });

  it("has the one replica of a quorum queue", async () => {
    await admin.must("PUT", "/queues/%2F/quorum", { durable: true, arguments: { "x-queue-type": "quorum" } });
    await admin.must("PUT", "/queues/%2F/classic");
    const here = { node: decodeURIComponent(node) };
    const there = { node: "other@x" };
    const path = "/queues/quorum/%2F/quorum";
    expect(await outcome("GET", `${path}/status`)).toEqual([
      200,
      [{ "Node Name": here.node, "Raft State": "leader", Membership: "voter" }],
    ]);
    expect(await outcome("POST", `${path}/replicas/add`, here)).toEqual([204, undefined]);
    expect(await outcome("POST", `${path}/replicas/add`, there)).toEqual([400, badRequest("node_not_running")]);
    expect(await outcome("DELETE", `${path}/replicas/delete`, here)).toEqual([400, badRequest("last_node")]);
    expect(await outcome("POST", `/queues/quorum/replicas/on/${node}/grow`)).toEqual([204, undefined]);
    expect(await outcome("DELETE", `/queues/quorum/replicas/on/${node}/shrink`)).toEqual([
      400,
      badRequest("last_node"),
    ]);
    const status = "/queues/quorum/%2F";
    expect(await outcome("GET", `${status}/none/status`)).toEqual([404, notFound]);
    expect(await outcome("GET", `${status}/classic/status`)).toEqual([
      503,
      { error: "service_unavailable", reason: "classic_queue_not_supported" },
    ]);
  });

  it("counts no logins by where they come from", async () => {
    expect(await outcome("GET", `/auth/attempts/${node}/source`)).toEqual([200, []]);
    expect(await outcome("DELETE", `/auth/attempts/${node}/source`)).toEqual([204, undefined]);
  });

  it("shows its settings but secrets as an environment that makes the same", async () => {
    const url = `${broker.managementUrl}/api/config/effective`;
    const response = await fetch(url, { headers: { authorization: `Basic ${btoa("guest:guest")}` } });
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    const text = await response.text();
    expect(text).toContain("TSBROKER_LOOPBACK_USERS=guest\n");
    expect(text).not.toMatch(/PASS(WORD)?=/);
    const lines = text.trimEnd().split("\n");
    const env = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const { config } = loadConfig({ flags: {}, env, readFile: () => "" });
    expect(Object.fromEntries(config.settings)).toEqual(env);
  });

  it("shows what the node has and uses, where the system tells of it", async () => {
    const row = Object(await admin.read(`/nodes/${node}?memory=true`));
    for (const [used, limit] of [
      ["mem_used", "mem_limit"],
      ["fd_used", "fd_total"],
      ["proc_used", "proc_total"],
      ["sockets_used", "sockets_total"],
    ] as const) {
      expect(row[used]).toBeGreaterThan(0);
      expect(row[limit]).toBeGreaterThan(row[used]);
    }
    expect(row.memory.total.rss).toBeGreaterThan(0);
    expect(Object(await admin.read(`/nodes/${node}/memory/relative`)).memory).toMatchObject({ total: 100 });
    for (const tables of ["ets", "ets/relative", "ets/management", "ets/management/relative"]) {
      expect(await admin.read(`/nodes/${node}/memory/${tables}`)).toEqual({ ets_tables_memory: "no_tables" });
    }
    expect(await admin.read(`/healthchecks/node/${node}`)).toEqual({ status: "ok" });
  });

  it("forgets samples when it is told to", async () => {
    expect(await outcome("DELETE", "/reset")).toEqual([204, undefined]);
    expect(await outcome("DELETE", `/reset/${node}`)).toEqual([204, undefined]);
    const row = Object(await admin.read("/overview?msg_rates_age=60&msg_rates_incr=5&lengths_age=60&lengths_incr=5"));
    expect(row.queue_totals.messages_details.samples).toEqual([]);
  });

  it("counts logins", async () => {
    await admin.must("DELETE", `/auth/attempts/${node}`);
    await as(broker, "guest", "wrong").get("/whoami");
    const rows = Array.from(Object(await admin.read(`/auth/attempts/${node}`)));
    expect(rows).toEqual([{ protocol: "http", auth_attempts: 2, auth_attempts_failed: 1, auth_attempts_succeeded: 1 }]);
  });
});

describe("/api/login", () => {
  const stranger = new ManagementClient(broker, undefined);
  const headers = { "content-type": "application/x-www-form-urlencoded" };

  it("checks a name and a password", async () => {
    const body = "username=guest&password=guest";
    const { status, body: answer } = await stranger.request("POST", "/login", { body, headers });
    expect([status, answer]).toEqual([
      200,
      { token: { type: "basic", value: btoa("guest:guest") }, user: { name: "guest", tags: ["administrator"] } },
    ]);
    expect((await stranger.delete("/login")).status).toBe(204);
  });

  it("refuses wrong ones, and what is no form", async () => {
    for (const body of ["username=guest&password=wrong", '{"username":"guest","password":"guest"}', ""]) {
      expect((await stranger.request("POST", "/login", { body, headers })).status).toBe(401);
    }
  });
});
