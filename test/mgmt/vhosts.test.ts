import { beforeAll, describe, expect, it } from "vitest";
import { drain, forcedClose, send, useAmqpClient } from "../support/amqp-client.ts";
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
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let monitor: ManagementClient;
let manager: ManagementClient;

beforeAll(async () => {
  monitor = await addUser(broker, "monitor", ["monitoring"]);
  manager = await addUser(broker, "manager", ["management"], "/");
});

async function names(client: ManagementClient): Promise<unknown> {
  const rows = await client.read("/vhosts?columns=name");
  return rows;
}

describe("/api/vhosts", () => {
  it("makes a vhost, in which its creator may do everything", async () => {
    expect((await admin.put("/vhosts/made", { description: "of tests", tags: "a, b" })).status).toBe(201);
    expect(await admin.read("/vhosts/made")).toMatchObject({
      name: "made",
      description: "of tests",
      tags: ["a", "b"],
      default_queue_type: "classic",
      metadata: { description: "of tests", tags: ["a", "b"] },
      tracing: false,
    });
    expect(await admin.read("/permissions/made/guest")).toEqual({ user: "guest", vhost: "made", ...everything });
    const channel = await amqp.channel(await amqp.connect("/made"));
    for (const type of ["direct", "fanout", "topic", "headers", "match"]) await channel.checkExchange(`amq.${type}`);
  });

  it("changes what a vhost is said to be, and only that", async () => {
    expect((await admin.put("/vhosts/changed", { description: "before", tags: ["x"] })).status).toBe(201);
    expect((await admin.put("/vhosts/changed", { description: "after" })).status).toBe(204);
    expect((await admin.put("/vhosts/changed", { default_queue_type: "quorum" })).status).toBe(204);
    expect((await admin.put("/vhosts/changed")).status).toBe(204);
    expect(await admin.read("/vhosts/changed")).toMatchObject({
      description: "after",
      tags: ["x"],
      default_queue_type: "quorum",
    });
  });

  it("shows administrators and monitors all of them, others their own", async () => {
    await admin.must("PUT", "/vhosts/hidden");
    expect(await names(admin)).toContainEqual({ name: "hidden" });
    expect(await names(monitor)).toContainEqual({ name: "hidden" });
    expect(await names(manager)).toEqual([{ name: "/" }]);
  });

  it("lets only administrators look at one, make one or delete one", async () => {
    for (const [method, path] of [
      ["GET", "/vhosts/%2F"],
      ["PUT", "/vhosts/theirs"],
      ["DELETE", "/vhosts/%2F"],
      ["GET", "/vhosts/%2F/permissions"],
      ["GET", "/vhosts/%2F/topic-permissions"],
    ] as const) {
      for (const client of [monitor, manager]) {
        const { status, body } = await client.request(method, path);
        expect({ status, body }).toEqual({ status: 401, body: notAuthorised("Not administrator user") });
      }
    }
    expect(await names(admin)).not.toContainEqual({ name: "theirs" });
    expect(await names(admin)).toContainEqual({ name: "/" });
  });

  it("deletes a vhost with everything in it and sends its clients away", async () => {
    await admin.must("PUT", "/vhosts/doomed");
    const connection = await amqp.connect("/doomed");
    const channel = await amqp.channel(connection);
    await channel.assertQueue("orders", { durable: true });
    await channel.assertExchange("shop", "fanout", { durable: true });
    await channel.bindQueue("orders", "shop", "");
    await channel.assertQueue("mine", { exclusive: true });
    send(channel, "orders", ["lost"], { persistent: true });
    const closed = forcedClose(connection);
    expect((await admin.delete("/vhosts/doomed")).status).toBe(204);
    expect(await closed).toContain("CONNECTION_FORCED - vhost 'doomed' is deleted");
    expect((await admin.get("/vhosts/doomed")).status).toBe(404);
    expect((await admin.delete("/vhosts/doomed")).status).toBe(404);
    expect(await admin.read("/permissions")).not.toContainEqual(expect.objectContaining({ vhost: "doomed" }));

    await admin.must("PUT", "/vhosts/doomed");
    const again = await amqp.channel(await amqp.connect("/doomed"));
    await again.assertQueue("orders", { durable: true });
    expect(await drain(again, "orders")).toEqual([]);
  });

  it("knows what it was told after a restart", async (context) => {
    needsOwnBroker(context);
    await admin.must("PUT", "/vhosts/kept", {
      description: "over a restart",
      tags: ["t"],
      default_queue_type: "quorum",
    });
    await admin.must("POST", "/vhosts/kept/deletion/protection");
    await admin.must("PUT", "/vhosts/gone");
    await admin.must("DELETE", "/vhosts/gone");
    // Killed, not stopped: what was answered is on disk.
    await broker.kill9();
    await broker.restart();
    expect(await admin.read("/vhosts/kept")).toMatchObject({
      description: "over a restart",
      tags: ["t"],
      default_queue_type: "quorum",
      protected_from_deletion: true,
    });
    expect((await admin.get("/vhosts/gone")).status).toBe(404);
  });

  it("gives its default type to queues that say none and can be of it", async () => {
    await admin.must("PUT", "/vhosts/typed");
    await admin.must("PUT", "/queues/typed/before", { durable: true });
    await admin.must("PUT", "/vhosts/typed", { default_queue_type: "quorum" });
    const channel = await amqp.channel(await amqp.connect("/typed"));
    await channel.assertQueue("durable", { durable: true });
    await channel.assertQueue("durable", { durable: true });
    await channel.assertQueue("durable", { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.assertQueue("told", { durable: true, arguments: { "x-queue-type": "classic" } });
    await channel.assertQueue("transient", { durable: false });
    await channel.assertQueue("mine", { durable: true, exclusive: true });
    await channel.assertQueue("passing", { durable: true, autoDelete: true });
    await channel.assertQueue("before", { durable: true });
    await admin.must("PUT", "/queues/typed/over-http", { durable: true });
    expect(await admin.read("/queues/typed?columns=name,type")).toEqual([
      { name: "before", type: "classic" },
      { name: "durable", type: "quorum" },
      { name: "mine", type: "classic" },
      { name: "over-http", type: "quorum" },
      { name: "passing", type: "classic" },
      { name: "told", type: "classic" },
      { name: "transient", type: "classic" },
    ]);
    expect(await admin.read("/queues/typed/durable?columns=arguments")).toEqual({
      arguments: { "x-queue-type": "quorum" },
    });
  });

  it("does not delete a vhost that is protected", async () => {
    await admin.must("PUT", "/vhosts/precious");
    expect((await admin.post("/vhosts/precious/deletion/protection")).status).toBe(204);
    expect(await admin.read("/vhosts/precious")).toMatchObject({ protected_from_deletion: true });
    const { status, body } = await admin.delete("/vhosts/precious");
    const reason = "Refusing to delete virtual host 'precious' because it is protected from deletion";
    expect({ status, body }).toEqual({ status: 412, body: { error: "precondition_failed", reason } });
    expect((await admin.delete("/vhosts/precious/deletion/protection")).status).toBe(204);
    expect((await admin.delete("/vhosts/precious")).status).toBe(204);
    expect((await admin.post("/vhosts/precious/deletion/protection")).status).toBe(404);
  });

  it.each([
    ["a/b vhost", "a%2Fb%20vhost"],
    ["ünï✓", encodeURIComponent("ünï✓")],
    ["50%+1", encodeURIComponent("50%+1")],
    ["%2F", encodeURIComponent("%2F")],
    ["__proto__", "__proto__"],
    ["x".repeat(255), "x".repeat(255)],
  ])("takes the name %j", async (name, path) => {
    expect((await admin.put(`/vhosts/${path}`)).status).toBe(201);
    expect(await admin.read(`/vhosts/${path}?columns=name`)).toEqual({ name });
    await amqp.connect(`/${encodeURIComponent(name)}`);
    expect((await admin.delete(`/vhosts/${path}`)).status).toBe(204);
  });

  it.each([
    [{ tags: 5 }, "'tags' should be a list"],
    [{ tags: [5] }, "'tags' should be a list of strings"],
    [{ description: [] }, "'description' should be a string"],
    [{ default_queue_type: "stream" }, "unsupported default queue type 'stream'"],
    [{ tracing: "maybe" }, "'tracing' should be a boolean"],
    ["{bad", "not_json"],
    ["[]", "not_json"],
    ["5", "not_json"],
  ])("refuses %j and makes nothing", async (content, reason) => {
    const { status, body } = await admin.put("/vhosts/bad", content);
    expect({ status, body }).toEqual({ status: 400, body: badRequest(reason) });
    expect((await admin.get("/vhosts/bad")).body).toEqual(notFound);
  });

  it("refuses names that AMQP could not carry", async () => {
    const { status, body } = await admin.put(`/vhosts/${"ü".repeat(128)}`);
    expect({ status, body }).toEqual({ status: 400, body: badRequest("vhost name of 256 bytes: 255 are allowed") });
  });

  it("takes a body that is empty, null or undefined for none", async () => {
    for (const body of ["", "null", "undefined", " {} "])
      expect((await admin.put("/vhosts/made", body)).status).toBe(204);
    await eventually(async () => expect(await names(admin)).toContainEqual({ name: "made" }));
  });
});
