import { connect } from "amqplib";
import { beforeAll, describe, expect, it } from "vitest";
import { nextError, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import {
  addUser,
  asGuest,
  badRequest,
  type ManagementClient,
  notAuthorised,
  vhostNotFound,
} from "../support/management.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let manager: ManagementClient;

beforeAll(async () => {
  manager = await addUser(broker, "manager", ["management", "policymaker", "monitoring"], "/");
});

const failed = (text: string) => badRequest(expect.stringContaining(`Validation failed\n\n${text}`));

async function outcome(client: ManagementClient, method: string, to: string, content?: unknown) {
  const { status, body } = await client.request(method, to, { body: content });
  return { status, body };
}

async function open(username: string, path = "") {
  const password = username === "guest" ? "guest" : `${username}-pw`;
  return amqp.keep(await connect(`amqp://${username}:${password}@${broker.host}:${broker.port}${path}`));
}

describe("a limit of a vhost", () => {
  it("is set, shown and lifted", async () => {
    await admin.must("PUT", "/vhosts/limited");
    for (const value of [1, 2]) {
      expect((await admin.put("/vhost-limits/limited/max-queues", { value })).status).toBe(204);
    }
    const row = { vhost: "limited", value: { "max-queues": 2 } };
    expect(await admin.read("/vhost-limits")).toEqual([row]);
    expect(await admin.read("/vhost-limits/limited")).toEqual([row]);
    expect(await admin.read("/vhost-limits/%2F")).toEqual([]);
    expect(await admin.read("/parameters/vhost-limits/limited")).toEqual([
      { component: "vhost-limits", name: "limits", ...row },
    ]);
    expect((await admin.delete("/vhost-limits/limited/max-queues")).status).toBe(204);
    expect((await admin.delete("/vhost-limits/limited/max-queues")).status).toBe(204);
    expect(await admin.read("/vhost-limits")).toEqual([]);
  });

  it("keeps queues out beyond it", async () => {
    await admin.must("PUT", "/vhosts/few-queues");
    await admin.must("PUT", "/vhost-limits/few-queues/max-queues", { value: 1 });
    expect((await admin.put("/queues/few-queues/first", {})).status).toBe(201);
    expect((await admin.put("/queues/few-queues/first", {})).status).toBe(204);
    const reason = "cannot declare queue 'second': queue limit in vhost 'few-queues' (1) is reached";
    expect(await outcome(admin, "PUT", "/queues/few-queues/second", {})).toEqual({
      status: 400,
      body: badRequest(reason),
    });
    const channel = await amqp.channel(await open("guest", "/few-queues"));
    await expect(channel.assertQueue("third")).rejects.toThrow("queue limit in vhost 'few-queues' (1) is reached");
    await admin.must("PUT", "/vhost-limits/few-queues/max-queues", { value: -1 });
    expect((await admin.put("/queues/few-queues/second", {})).status).toBe(201);
  });

  it("keeps connections out beyond it", async () => {
    await admin.must("PUT", "/vhosts/few-clients");
    await admin.must("PUT", "/vhost-limits/few-clients/max-connections", { value: 1 });
    await open("guest", "/few-clients");
    await expect(open("guest", "/few-clients")).rejects.toThrow(/connection limit \(1\) is reached|ConnectionClose/);
    await admin.must("DELETE", "/vhost-limits/few-clients/max-connections");
    await open("guest", "/few-clients");
  });

  it("is kept over a crash, and goes with its vhost", async (context) => {
    needsOwnBroker(context);
    await admin.must("PUT", "/vhosts/doomed");
    await admin.must("PUT", "/vhost-limits/doomed/max-queues", { value: 5 });
    await broker.kill9();
    await broker.restart();
    expect(await admin.read("/vhost-limits/doomed")).toEqual([{ vhost: "doomed", value: { "max-queues": 5 } }]);
    await admin.must("DELETE", "/vhosts/doomed");
    await admin.must("PUT", "/vhosts/doomed");
    expect(await admin.read("/vhost-limits/doomed")).toEqual([]);
  });
});

describe("a limit of a user", () => {
  it("is set, shown and lifted", async () => {
    await addUser(broker, "ann", []);
    expect((await admin.put("/user-limits/ann/max-channels", { value: 20 })).status).toBe(204);
    const row = { user: "ann", value: { "max-channels": 20 } };
    expect(await admin.read("/user-limits")).toEqual([row]);
    expect(await admin.read("/user-limits/ann")).toEqual([row]);
    expect(await admin.read("/users/ann?columns=limits")).toEqual({ limits: { "max-channels": 20 } });
    await admin.must("DELETE", "/users/ann");
    await addUser(broker, "ann", []);
    expect(await admin.read("/user-limits/ann")).toEqual([]);
  });

  it("keeps connections and channels out beyond it", async () => {
    await addUser(broker, "ben", [], "/");
    await admin.must("PUT", "/user-limits/ben/max-connections", { value: 1 });
    await admin.must("PUT", "/user-limits/ben/max-channels", { value: 1 });
    const connection = await open("ben");
    await expect(open("ben")).rejects.toThrow(/connection limit \(1\) is reached|ConnectionClose/);
    await connection.createChannel();
    const error = nextError(connection);
    await expect(connection.createChannel()).rejects.toThrow();
    expect((await error).message).toContain("has reached the maximum allowed user limit of 1");
  });
});

describe("limits", () => {
  it("are set by administrators only", async () => {
    const refused = { status: 401, body: notAuthorised("Not administrator user") };
    for (const [method, path] of [
      ["PUT", "/vhost-limits/%2F/max-queues"],
      ["DELETE", "/vhost-limits/%2F/max-queues"],
      ["GET", "/user-limits"],
      ["GET", "/user-limits/guest"],
      ["PUT", "/user-limits/guest/max-channels"],
      ["DELETE", "/user-limits/guest/max-channels"],
    ] as const) {
      expect(await outcome(manager, method, path)).toEqual(refused);
    }
    expect((await manager.get("/vhost-limits/%2F")).status).toBe(200);
  });

  it("are refused where they make no sense", async () => {
    expect(await outcome(admin, "PUT", "/vhost-limits/%2F/nonsense", { value: 1 })).toEqual({
      status: 400,
      body: failed("Unrecognised limit 'nonsense'"),
    });
    expect((await outcome(admin, "PUT", "/user-limits/guest/max-queues", { value: 1 })).body).toEqual(
      failed("Unrecognised limit 'max-queues'"),
    );
    for (const [content, reason] of [
      [{ value: "x" }, "'value' should be an integer"],
      [{}, "[{key_missing,value}]"],
    ] as const) {
      expect((await outcome(admin, "PUT", "/vhost-limits/%2F/max-queues", content)).body).toEqual(badRequest(reason));
    }
    expect((await admin.put("/vhost-limits/nowhere/max-queues", { value: 1 })).body).toEqual(vhostNotFound);
    expect((await admin.put("/user-limits/nobody/max-channels", { value: 1 })).body).toEqual(
      badRequest("no user 'nobody'"),
    );
    expect(await admin.read("/vhost-limits/%2F")).toEqual([]);
  });
});
