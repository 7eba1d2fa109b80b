import { beforeAll, describe, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { addUser, asGuest, badRequest, type ManagementClient, notAuthorised, notFound } from "../support/management.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let maker: ManagementClient;
let manager: ManagementClient;

beforeAll(async () => {
  maker = await addUser(broker, "maker", ["policymaker"], "/");
  manager = await addUser(broker, "manager", ["management", "monitoring"], "/");
});

const refused = notAuthorised("User not authorised to access object");

describe("global parameters", () => {
  it("hold any JSON, for policymakers", async () => {
    const value = { "O=client,CN=guest": "/", list: [1, "two", { three: null }] };
    expect((await maker.put("/global-parameters/mine", { value })).status).toBe(201);
    expect((await maker.put("/global-parameters/mine", { value })).status).toBe(204);
    expect(await maker.read("/global-parameters/mine")).toEqual({ name: "mine", value });
    expect(await maker.read("/global-parameters")).toContainEqual({ name: "mine", value });
    expect((await maker.delete("/global-parameters/mine")).status).toBe(204);
    for (const method of ["GET", "DELETE"]) {
      expect((await maker.request(method, "/global-parameters/mine")).body).toEqual(notFound);
      expect((await manager.request(method, "/global-parameters/mine")).body).toEqual(refused);
    }
    expect((await manager.get("/global-parameters")).body).toEqual(refused);
    expect((await manager.put("/global-parameters/mine", { value })).body).toEqual(refused);
  });

  it("keep every digit of a 64-bit integer, also over a crash", async (context) => {
    needsOwnBroker(context);
    const value = { most: 9223372036854775807n, least: -9223372036854775808n };
    await maker.must("PUT", "/global-parameters/long", { value });
    const headers = { authorization: `Basic ${btoa("guest:guest")}` };
    const read = async () => {
      const response = await fetch(`${broker.managementUrl}/api/global-parameters/long`, { headers });
      expect(await response.text()).toBe(
        '{"name":"long","value":{"most":9223372036854775807,"least":-9223372036854775808}}',
      );
    };
    await read();
    await broker.kill9();
    await broker.restart();
    await read();
  });

  it("need a value", async () => {
    expect((await admin.put("/global-parameters/none", {})).body).toEqual(badRequest("[{key_missing,value}]"));
    expect((await admin.get("/global-parameters/none")).status).toBe(404);
  });
});

describe("the cluster's name", () => {
  it("is what it is told to be, to clients too, and over a crash", async (context) => {
    needsOwnBroker(context);
    expect((await manager.put("/cluster-name", { name: "mine" })).body).toEqual(
      notAuthorised("Not administrator user"),
    );
    expect((await admin.put("/cluster-name", {})).body).toEqual(badRequest("[{key_missing,name}]"));
    expect((await admin.put("/cluster-name", { name: 5 })).body).toEqual(badRequest("'name' should be a string"));
    expect((await admin.put("/cluster-name", { name: "warren" })).status).toBe(204);
    const told = async () => {
      expect(await admin.read("/cluster-name")).toEqual({ name: "warren" });
      expect(await admin.read("/global-parameters/cluster_name")).toEqual({ name: "cluster_name", value: "warren" });
      expect(await admin.read("/overview?columns=cluster_name")).toEqual({ cluster_name: "warren" });
      const { serverProperties } = (await amqp.connect()).connection;
      expect(serverProperties).toMatchObject({ cluster_name: "warren" });
    };
    await told();
    await broker.kill9();
    await broker.restart();
    await told();
  });
});

describe("parameters", () => {
  it("of plugins are refused, since nothing would follow them", async () => {
    const { status, body } = await maker.put("/parameters/shovel/%2F/mine", { value: {} });
    expect({ status, body }).toEqual({
      status: 400,
      body: badRequest("Validation failed\n\ncomponent shovel not found\n"),
    });
    expect(await maker.read("/parameters/shovel")).toEqual([]);
    for (const method of ["GET", "DELETE"]) {
      expect((await maker.request(method, "/parameters/shovel/%2F/s")).body).toEqual(notFound);
    }
    expect(await maker.read("/parameters")).toEqual([]);
    expect((await manager.get("/parameters")).body).toEqual(refused);
    expect((await manager.put("/parameters/shovel/%2F/mine", {})).body).toEqual(refused);
  });

  it("of the component vhost-limits are the limits of a vhost, which administrators set", async () => {
    const path = "/parameters/vhost-limits/%2F/limits";
    expect((await admin.put(path, { value: { "max-queues": 50, "max-connections": 9 } })).status).toBe(201);
    expect((await admin.put(path, { value: { "max-queues": 60 } })).status).toBe(204);
    const row = { vhost: "/", component: "vhost-limits", name: "limits", value: { "max-queues": 60 } };
    expect(await maker.read(path)).toEqual(row);
    expect(await admin.read("/vhost-limits/%2F")).toEqual([{ vhost: "/", value: { "max-queues": 60 } }]);
    for (const method of ["PUT", "DELETE"]) {
      const { body } = await maker.request(method, path, { body: { value: { "max-queues": 1000 } } });
      expect(body).toEqual(notAuthorised("Not administrator user"));
    }
    for (const [to, content] of [
      [path, {}],
      [path, { value: { "max-nonsense": 1 } }],
      [path, { value: { "max-queues": "many" } }],
      ["/parameters/vhost-limits/%2F/others", { value: { "max-queues": 1 } }],
    ] as const) {
      expect((await admin.put(to, content)).status).toBe(400);
    }
    expect((await admin.put("/parameters/vhost-limits/none/limits", { value: {} })).status).toBe(404);
    expect(await admin.read("/parameters")).toEqual([row]);
    expect((await admin.delete(path)).status).toBe(204);
    expect(await admin.read("/vhost-limits")).toEqual([]);
  });
});
