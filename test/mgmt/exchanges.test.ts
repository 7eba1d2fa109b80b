import { connect } from "amqplib";
import { beforeAll, describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import {
  addUser,
  asGuest,
  badRequest,
  type ManagementClient,
  notAuthorised,
  notFound,
  vhostNotFound,
} from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);
const vhost = "ex/change";
const path = `/exchanges/${encodeURIComponent(vhost)}`;
let limited: ManagementClient;
let outsider: ManagementClient;

beforeAll(async () => {
  await admin.must("PUT", `/vhosts/${encodeURIComponent(vhost)}`);
  limited = await addUser(broker, "limited", ["management"]);
  const rights = { configure: "^mine-", write: "^mine-", read: "^mine-" };
  await admin.must("PUT", `/permissions/${encodeURIComponent(vhost)}/limited`, rights);
  outsider = await addUser(broker, "outsider", ["monitoring", "policymaker"]);
});

const accessRefused = { status: 401, body: notAuthorised("Access refused.") };

async function outcome(client: ManagementClient, method: string, to: string, content?: unknown) {
  const { status, body } = await client.request(method, to, { body: content });
  return { status, body };
}

describe("/api/exchanges", () => {
  it("declares an exchange, and again with the same properties", async () => {
    const name = unique("topic");
    const declaration = { type: "topic", durable: true, arguments: { "alternate-exchange": "amq.fanout" } };
    expect((await admin.put(`${path}/${name}`, declaration)).status).toBe(201);
    expect((await admin.put(`${path}/${name}`, declaration)).status).toBe(204);
    const user_who_performed_action = "guest";
    const row = { name, vhost, auto_delete: false, internal: false, user_who_performed_action, ...declaration };
    expect(await admin.read(`${path}/${name}`)).toEqual({ ...row, incoming: [], outgoing: [] });
    expect(await admin.read(path)).toContainEqual(row);
    expect(await admin.read("/exchanges")).toContainEqual(row);
    const again = await outcome(admin, "PUT", `${path}/${name}`, { ...declaration, durable: false });
    expect(again.status).toBe(400);
    expect(again.body).toEqual(
      badRequest(
        `inequivalent arg 'durable' for exchange '${name}' in vhost '${vhost}': received 'false' but current is 'true'`,
      ),
    );
  });

  it("has the predeclared ones, the default one under a name of its own", async () => {
    expect(await admin.read(`${path}/amq.default?columns=name,type,durable`)).toEqual({
      name: "",
      type: "direct",
      durable: true,
    });
    for (const name of ["amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.topic"]) {
      expect(
        (await admin.put(`${path}/${name}`, { type: name === "amq.match" ? "headers" : name.slice(4), durable: true }))
          .status,
      ).toBe(204);
    }
  });

  it.each(["amq.default", "amq.new", "amq.direct"])("does not let anyone change %s", async (name) => {
    if (name !== "amq.direct") expect(await outcome(admin, "PUT", `${path}/${name}`, {})).toEqual(accessRefused);
    if (name === "amq.new") return;
    expect(await outcome(admin, "DELETE", `${path}/${name}`)).toEqual(accessRefused);
  });

  it("deletes an exchange, with if-unused only when nothing is bound to it", async () => {
    const name = unique("used");
    await admin.must("PUT", `${path}/${name}`, { type: "fanout" });
    const binding = `/bindings/${encodeURIComponent(vhost)}/e/${name}/e/amq.fanout`;
    await admin.must("POST", binding);
    const inUse = badRequest(`exchange '${name}' in vhost '${vhost}' in use`);
    expect(await outcome(admin, "DELETE", `${path}/${name}?if-unused=true`)).toEqual({ status: 400, body: inUse });
    expect((await admin.delete(`${path}/${name}`)).status).toBe(204);
    expect(await outcome(admin, "DELETE", `${path}/${name}`)).toEqual({ status: 404, body: notFound });
    expect(await admin.read(binding)).toEqual([]);
  });

  it("keeps durable ones over a crash", async (context) => {
    needsOwnBroker(context);
    await admin.must("PUT", `${path}/durable`, { type: "fanout", durable: true });
    await admin.must("PUT", `${path}/transient`, { type: "fanout" });
    await broker.kill9();
    await broker.restart();
    expect((await admin.get(`${path}/durable`)).status).toBe(200);
    expect((await admin.get(`${path}/transient`)).status).toBe(404);
  });

  it("says who declared one, over AMQP, over HTTP and by an import, also after a restart", async (context) => {
    needsOwnBroker(context);
    const carol = await addUser(broker, "carol", ["administrator"], vhost);
    const over = (means: string) => unique(`by-${means}`);
    const [amqp, http, file] = [over("amqp"), over("http"), over("import")];
    const { port } = new URL(broker.url);
    const connection = await connect(`amqp://carol:carol-pw@${broker.host}:${port}/${encodeURIComponent(vhost)}`);
    await (await connection.createChannel()).assertExchange(amqp, "topic");
    await connection.close();
    await carol.must("PUT", `${path}/${http}`, { type: "topic", durable: true });
    await carol.must("POST", "/definitions", { exchanges: [{ name: file, vhost, type: "topic", durable: true }] });
    // One that is there stays as it is.
    await admin.must("PUT", `${path}/${http}`, { type: "topic", durable: true });
    await broker.restart();
    const who = { user_who_performed_action: "carol" };
    for (const name of [amqp, http, file]) expect(await admin.read(`${path}/${name}`)).toMatchObject(who);
    expect(await admin.read(`${path}/amq.topic`)).toMatchObject({ user_who_performed_action: "rmq-internal" });
  });

  it("asks for configure permission", async () => {
    expect((await limited.put(`${path}/mine-1`, { type: "direct" })).status).toBe(201);
    expect(await outcome(limited, "PUT", `${path}/theirs`, {})).toEqual(accessRefused);
    const alternate = { arguments: { "alternate-exchange": "amq.fanout" } };
    expect(await outcome(limited, "PUT", `${path}/mine-2`, alternate)).toEqual(accessRefused);
    expect(await outcome(limited, "DELETE", `${path}/amq.direct`)).toEqual(accessRefused);
    expect((await limited.delete(`${path}/mine-1`)).status).toBe(204);
    expect((await limited.get(`${path}/amq.topic`)).status).toBe(200);
  });

  it("is closed to those who may not use the vhost", async () => {
    const refused = { status: 401, body: notAuthorised("User not authorised to access virtual host") };
    for (const [method, to] of [
      ["GET", path],
      ["GET", `${path}/amq.direct`],
      ["PUT", `${path}/x`],
      ["DELETE", `${path}/x`],
      ["POST", `${path}/amq.direct/publish`],
      ["GET", `${path}/amq.direct/bindings/source`],
    ] as const) {
      expect(await outcome(outsider, method, to)).toEqual(refused);
    }
    expect(await outsider.read("/exchanges")).toEqual([]);
  });

  it("knows no exchanges of a vhost that does not exist", async () => {
    for (const [method, to] of [
      ["GET", "/exchanges/nowhere"],
      ["PUT", "/exchanges/nowhere/x"],
      ["GET", "/exchanges/nowhere/amq.direct"],
      ["DELETE", "/exchanges/nowhere/x"],
    ] as const) {
      const body = method === "PUT" ? vhostNotFound : notFound;
      expect(await outcome(admin, method, to)).toEqual({ status: 404, body });
    }
  });

  it("lists the exchanges of just one vhost when a header asks for it", async () => {
    const { body } = await admin.request("GET", "/exchanges?columns=vhost", { headers: { "x-vhost": vhost } });
    expect(new Set(Object(body).map((row: { vhost: string }) => row.vhost))).toEqual(new Set([vhost]));
  });

  it.each([
    [{ type: "nope" }, "unknown exchange type 'nope'"],
    [{ type: 5 }, "'type' should be a string"],
    [{ durable: "maybe" }, "'durable' should be a boolean"],
    [{ arguments: 5 }, "'arguments' should be an object"],
    [{ arguments: { a: null } }, "null_not_allowed"],
    [
      { arguments: { "alternate-exchange": 5 } },
      expect.stringContaining("invalid type 'long' for arg 'alternate-exchange'"),
    ],
    ["{", "not_json"],
  ])("refuses %j and declares nothing", async (content, reason) => {
    expect(await outcome(admin, "PUT", `${path}/bad`, content)).toEqual({ status: 400, body: badRequest(reason) });
    expect((await admin.get(`${path}/bad`)).status).toBe(404);
  });

  it("refuses names that AMQP could not carry", async () => {
    const { status, body } = await admin.put(`${path}/${"x".repeat(256)}`, {});
    expect({ status, body }).toEqual({ status: 400, body: badRequest("exchange name of 256 bytes: 255 are allowed") });
  });

  it.each(["a b/c", "ünï✓", "50%2F", "?#&+"])("takes the name %j", async (name) => {
    const to = `${path}/${encodeURIComponent(name)}`;
    expect((await admin.put(to, {})).status).toBe(201);
    expect(await admin.read(`${to}?columns=name`)).toEqual({ name });
    expect((await admin.delete(to)).status).toBe(204);
  });
});
