import { expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { asGuest, badRequest, type ManagementClient, notFound } from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);

/** Creates, reads, updates, reads, deletes and reads as the providers of Terraform and Pulumi do by way of rabbit-hole. */
async function live(client: ManagementClient, path: string, first: object, second: object, read = path) {
  const put = async (body: object) => (await client.request("PUT", path, { body })).status;
  expect(await put(first)).toBe(201);
  const created = await client.read(read);
  expect(await put(second), "an update").toBe(204);
  return { created, updated: await client.read(read), remove: () => gone(client, path, read) };
}

/** They take a 404 as a sign that something is gone, and any other failure as one. */
async function gone(client: ManagementClient, path: string, read = path): Promise<void> {
  expect((await client.delete(path)).status).toBe(204);
  expect((await client.request("GET", read)).status).toBe(404);
  expect((await client.delete(path)).status).toBe(404);
}

it("takes the calls of Terraform's provider, from the vhost to the last binding", async () => {
  const vhost = await live(
    admin,
    "/vhosts/tf",
    { description: "one", tags: null, default_queue_type: "", tracing: false },
    { description: "two", default_queue_type: "quorum", tracing: true },
  );
  expect([vhost.created, vhost.updated]).toMatchObject([
    { name: "tf", description: "one", tracing: false },
    { name: "tf", description: "two", default_queue_type: "quorum", tracing: true },
  ]);
  expect(await admin.read("/vhost-limits/tf")).toEqual([]);
  // An update takes away both limits, set or not, and sets what is wanted.
  for (const value of [9, 10]) {
    for (const limit of ["max-connections", "max-queues"]) {
      expect((await admin.delete(`/vhost-limits/tf/${limit}`)).status).toBe(204);
    }
    expect((await admin.put("/vhost-limits/tf/max-queues", { value })).status).toBe(204);
    expect(await admin.read("/vhost-limits/tf")).toEqual([{ vhost: "tf", value: { "max-queues": value } }]);
  }

  const user = await live(
    admin,
    "/users/tf",
    { password: "one", tags: "monitoring,management" },
    { password: "two", tags: "" },
  );
  expect([user.created, user.updated]).toMatchObject([{ tags: ["monitoring", "management"] }, { tags: [] }]);
  const all = { configure: ".*", write: ".*", read: ".*" };
  const permissions = await live(admin, "/permissions/tf/tf", all, { ...all, write: "" });
  expect(permissions.updated).toEqual({ user: "tf", vhost: "tf", ...all, write: "" });

  // Topic permissions are put and read by vhost and user, and deleted by exchange as well.
  const topics = "/topic-permissions/tf/tf";
  const topic = { exchange: "amq.topic", write: "^a", read: ".*" };
  expect((await admin.request("PUT", topics, { body: topic })).status).toBe(201);
  expect(await admin.read(topics)).toEqual([{ user: "tf", vhost: "tf", ...topic }]);
  expect((await admin.delete(`${topics}/amq.topic`)).status).toBe(204);
  expect((await admin.request("GET", topics)).status).toBe(404);
  // An update takes them all away and puts them again.
  expect((await admin.put(topics, topic)).status).toBe(201);
  expect((await admin.put(topics, { ...topic, exchange: "" })).status).toBe(204);
  expect(await admin.read(topics)).toHaveLength(2);
  expect((await admin.delete(topics)).status).toBe(204);
  expect((await admin.delete(topics)).status).toBe(404);

  const settings = {
    type: "headers",
    durable: true,
    auto_delete: false,
    arguments: { "alternate-exchange": "amq.fanout" },
  };
  const exchange = await live(admin, "/exchanges/tf/x", settings, settings);
  expect(exchange.updated).toMatchObject({ name: "x", vhost: "tf", ...settings });
  const untyped = { type: "", durable: true, auto_delete: false, arguments: {} };
  await (await live(admin, "/queues/tf/untyped", untyped, untyped)).remove();
  const declared = {
    durable: true,
    auto_delete: false,
    arguments: { "x-message-ttl": 5000, "x-queue-type": "classic" },
  };
  const queue = await live(admin, "/queues/tf/q", declared, declared);
  expect(queue.updated).toMatchObject({ name: "q", vhost: "tf", ...declared });

  for (const destination of ["q/q", "e/amq.fanout"]) {
    await binds(destination, "", {});
    await binds(destination, "a.#/b c~%", { "x-match": "all", n: 1 });
  }

  for (const kind of ["policies", "operator-policies"]) {
    const body = (maxLength: number) => ({
      vhost: "tf",
      pattern: "^q",
      "apply-to": "queues",
      priority: 1,
      definition: { "max-length": maxLength },
    });
    const policy = await live(admin, `/${kind}/tf/p`, body(5), body(6));
    expect(policy.updated).toMatchObject({ name: "p", ...body(6) });
    await policy.remove();
  }
  for (const { remove } of [queue, exchange, permissions, user, vhost]) await remove();
});

/** The last part of Location, unescaped once, is how the provider knows the binding from then on. */
async function binds(destination: string, routing_key: string, args: object): Promise<void> {
  const between = `/bindings/tf/e/x/${destination}`;
  const body = { source: "x", vhost: "tf", routing_key, arguments: args, properties_key: "" };
  const response = await admin.request("POST", between, { body });
  expect(response.status).toBe(201);
  const properties_key = decodeURIComponent(response.headers.get("location")?.split("/").at(-1) ?? "");
  expect(await admin.read(between)).toMatchObject([{ routing_key, arguments: args, properties_key }]);
  expect((await admin.delete(`${between}/${encodeURIComponent(properties_key)}`)).status).toBe(204);
  expect(await admin.read(between)).toEqual([]);
}

it.each(["shovel", "federation-upstream"])(
  "refuses its %s in words, and says that there is none",
  async (component) => {
    const path = `/parameters/${component}/%2F/mine`;
    const { status, body } = await admin.put(path, { value: { uri: "amqp://", "src-uri": ["amqp://"] } });
    expect({ status, body }).toEqual({
      status: 400,
      body: badRequest(`Validation failed\n\ncomponent ${component} not found\n`),
    });
    for (const method of ["GET", "DELETE"]) {
      expect(await admin.request(method, path)).toMatchObject({ status: 404, body: notFound });
    }
    expect(await admin.read(`/parameters/${component}`)).toEqual([]);
  },
);
