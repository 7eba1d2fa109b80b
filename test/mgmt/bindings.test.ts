import { beforeAll, describe, expect, it } from "vitest";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import {
  addUser,
  asGuest,
  badRequest,
  everything,
  type ManagementClient,
  notAuthorised,
  notFound,
} from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);
let limited: ManagementClient;
let outsider: ManagementClient;

beforeAll(async () => {
  await admin.must("PUT", "/vhosts/bound");
  limited = await addUser(broker, "limited", ["management"]);
  await admin.must("PUT", "/permissions/bound/limited", { configure: "", write: "^q$", read: "^x$" });
  outsider = await addUser(broker, "outsider", ["monitoring", "policymaker"]);
  await admin.must("PUT", "/queues/bound/q", { durable: true });
  await admin.must("PUT", "/exchanges/bound/x", { type: "direct", durable: true });
  await admin.must("PUT", "/exchanges/bound/y", { type: "fanout", durable: true });
});

const toQueue = "/bindings/bound/e/x/q/q";
const toExchange = "/bindings/bound/e/x/e/y";
const accessRefused = { status: 401, body: notAuthorised("Access refused.") };

async function outcome(client: ManagementClient, method: string, to: string, content?: unknown) {
  const { status, body } = await client.request(method, to, { body: content });
  return { status, body };
}

function row(destination: "queue" | "exchange", routing_key: string, properties_key: unknown, args = {}) {
  return {
    source: "x",
    vhost: "bound",
    destination: destination === "queue" ? "q" : "y",
    destination_type: destination,
    routing_key,
    arguments: args,
    properties_key,
  };
}

describe("/api/bindings", () => {
  it.each([
    ["", "~"],
    ["orders.*.created", "orders.%2A.created"],
    ["tilde~key/with space", "tilde%7Ekey%2Fwith+space"],
    ["ünï+%", "%C3%BCn%C3%AF%2B%25"],
  ])("binds with the key %j, which is then called %s", async (routing_key, key) => {
    const { status, headers } = await admin.post(toQueue, { routing_key, arguments: {} });
    expect([status, headers.get("location")]).toEqual([201, `q/${encodeURIComponent(key)}`]);
    expect((await admin.post(toQueue, { routing_key })).status).toBe(201);
    expect(await admin.read(toQueue)).toEqual([row("queue", routing_key, key)]);
    const one = `${toQueue}/${encodeURIComponent(key)}`;
    expect(await admin.read(one)).toEqual(row("queue", routing_key, key));
    expect((await admin.delete(one)).status).toBe(204);
    expect(await outcome(admin, "DELETE", one)).toEqual({ status: 404, body: notFound });
    expect(await outcome(admin, "GET", one)).toEqual({ status: 404, body: notFound });
  });

  it.each([
    ["a.b c", "a.b%20c"],
    ["a.b c", "a.b%2520c"],
    ["orders.*", "orders.*"],
    ["100%", "100%25"],
    ["ü", "%25C3%25BC"],
  ])("finds the binding with the key %j by the path %s too, as tools escape it", async (routing_key, path) => {
    await admin.must("POST", toQueue, { routing_key });
    expect(await admin.read(`${toQueue}/${path}`)).toMatchObject({ routing_key });
    expect((await admin.delete(`${toQueue}/${path}`)).status).toBe(204);
    expect(await admin.read(toQueue)).toEqual([]);
  });

  it("tells bindings with one key and other arguments apart", async () => {
    for (const args of [{ a: 1 }, { a: 2, b: { c: [true, "x"] } }, {}]) {
      await admin.must("POST", toExchange, { routing_key: "k", arguments: args });
    }
    const rows = Object(await admin.read(toExchange));
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual(row("exchange", "k", "k"));
    expect(rows).toContainEqual(
      row("exchange", "k", expect.stringMatching(/^k~[\w-]+$/), { a: 2, b: { c: [true, "x"] } }),
    );
    for (const { properties_key } of rows) {
      expect((await admin.delete(`${toExchange}/${encodeURIComponent(properties_key)}`)).status).toBe(204);
    }
    expect(await admin.read(toExchange)).toEqual([]);
  });

  it("is listed by vhost, source, destination and queue", async () => {
    await admin.must("POST", toQueue, { routing_key: "listed" });
    const listed = row("queue", "listed", "listed");
    const byDefault = { ...row("queue", "q", "q"), source: "" };
    for (const list of ["/bindings", "/bindings/bound", "/queues/bound/q/bindings"]) {
      expect(await admin.read(list)).toEqual(expect.arrayContaining([listed, byDefault]));
    }
    expect(await admin.read("/exchanges/bound/x/bindings/source")).toEqual([listed]);
    expect(await admin.read("/exchanges/bound/amq.default/bindings/source")).toEqual([byDefault]);
    expect(await admin.read("/bindings/bound/e/amq.default/q/q")).toEqual([byDefault]);
    await admin.must("POST", toExchange, { routing_key: "listed" });
    const destinations = await admin.read("/exchanges/bound/y/bindings/destination");
    expect(destinations).toEqual([row("exchange", "listed", "listed")]);
    await admin.must("DELETE", `${toQueue}/listed`);
    await admin.must("DELETE", `${toExchange}/listed`);
  });

  it("keeps bindings of what is durable over a crash", async (context) => {
    needsOwnBroker(context);
    await admin.must("POST", toQueue, { routing_key: "durable", arguments: { a: "b" } });
    await broker.kill9();
    await broker.restart();
    expect(await admin.read(toQueue)).toEqual([row("queue", "durable", expect.any(String), { a: "b" })]);
  });

  it("says which end is missing", async () => {
    const reason = (what: string) => ({ error: "not_found", reason: `no ${what} in vhost 'bound'` });
    expect(await outcome(admin, "POST", "/bindings/bound/e/x/q/none")).toEqual({
      status: 404,
      body: reason("queue 'none'"),
    });
    expect(await outcome(admin, "POST", "/bindings/bound/e/none/q/q")).toEqual({
      status: 404,
      body: reason("exchange 'none'"),
    });
    expect(await admin.read("/bindings/bound/e/none/q/none")).toEqual([]);
    expect((await admin.delete("/bindings/bound/e/none/q/q/k")).status).toBe(404);
    expect((await admin.get("/bindings/nowhere")).status).toBe(404);
    expect(await admin.read("/queues/bound/none/bindings")).toEqual([]);
    expect(await admin.read("/exchanges/bound/none/bindings/source")).toEqual([]);
  });

  it("leaves the default exchange as it is", async () => {
    expect(await outcome(admin, "POST", "/bindings/bound/e/amq.default/q/q")).toEqual(accessRefused);
    expect(await outcome(admin, "DELETE", "/bindings/bound/e/amq.default/q/q/q")).toEqual(accessRefused);
  });

  it("asks for write permission on the destination and read permission on the source", async () => {
    expect((await limited.post(toQueue, { routing_key: "theirs" })).status).toBe(201);
    expect((await limited.delete(`${toQueue}/theirs`)).status).toBe(204);
    expect(await outcome(limited, "POST", toExchange)).toEqual(accessRefused);
    expect(await outcome(limited, "POST", "/bindings/bound/e/y/q/q")).toEqual(accessRefused);
    expect(await outcome(limited, "DELETE", "/bindings/bound/e/y/q/q/~")).toEqual(accessRefused);
    await admin.must("PUT", "/topic-permissions/bound/limited", { exchange: "amq.topic", write: "", read: "^a" });
    await admin.must("PUT", "/permissions/bound/limited", everything);
    const topic = "/bindings/bound/e/amq.topic/q/q";
    expect(await outcome(limited, "POST", topic, { routing_key: "b" })).toEqual(accessRefused);
    expect((await limited.post(topic, { routing_key: "a" })).status).toBe(201);
    await admin.must("POST", topic, { routing_key: "b" });
    expect(await outcome(limited, "DELETE", `${topic}/b`)).toEqual(accessRefused);
    expect((await limited.delete(`${topic}/a`)).status).toBe(204);
  });

  it("is closed to those who may not use the vhost", async () => {
    const refused = { status: 401, body: notAuthorised("User not authorised to access virtual host") };
    for (const [method, to] of [
      ["GET", "/bindings/bound"],
      ["GET", toQueue],
      ["POST", toQueue],
      ["GET", `${toQueue}/~`],
      ["DELETE", `${toQueue}/~`],
    ] as const) {
      expect(await outcome(outsider, method, to)).toEqual(refused);
    }
    expect(await outsider.read("/bindings")).toEqual([]);
  });

  it.each([
    [{ routing_key: 5 }, "'routing_key' should be a string"],
    [{ routing_key: "x".repeat(256) }, "'routing_key' is longer than 255 bytes"],
    [{ arguments: "x" }, "'arguments' should be an object"],
    ["x", "not_json"],
  ])("refuses %j and binds nothing", async (content, reason) => {
    const before = await admin.read(toQueue);
    expect(await outcome(admin, "POST", toQueue, content)).toEqual({ status: 400, body: badRequest(reason) });
    expect(await admin.read(toQueue)).toEqual(before);
  });
});
