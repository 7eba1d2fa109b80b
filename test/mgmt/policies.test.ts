import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { counts, drain, send, unique, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { addUser, asGuest, badRequest, type ManagementClient, notAuthorised, notFound } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let maker: ManagementClient;
let manager: ManagementClient;
let outsider: ManagementClient;
let prefix = "";

beforeAll(async () => {
  maker = await addUser(broker, "maker", ["policymaker"], "/");
  manager = await addUser(broker, "manager", ["management"], "/");
  outsider = await addUser(broker, "outsider", ["policymaker"]);
});

// Policies outlive a test: each has names of its own.
beforeEach(() => {
  prefix = unique("ruled");
});

function policy(definition: object, extra: object = {}) {
  return { pattern: `^${prefix}`, definition, ...extra };
}

async function outcome(client: ManagementClient, method: string, to: string, content?: unknown) {
  const { status, body } = await client.request(method, to, { body: content });
  return { status, body };
}

async function effective(queue: string): Promise<unknown> {
  return await admin.read(`/queues/%2F/${queue}?columns=policy,operator_policy,effective_policy_definition`);
}

describe("a policy", () => {
  it("may be for all names but some, as the manual of RabbitMQ has it", async () => {
    const to = `/policies/%2F/${prefix}`;
    const other = { pattern: `^(?!amq\\.|${prefix}-not).*`, definition: { "max-length": 7 }, priority: 9 };
    expect((await admin.put(to, { ...other, "apply-to": "queues" })).status).toBe(201);
    for (const name of ["in", "not"]) await admin.must("PUT", `/queues/%2F/${prefix}-${name}`);
    expect(await effective(`${prefix}-in`)).toMatchObject({ policy: prefix });
    expect(await effective(`${prefix}-not`)).toMatchObject({ policy: null });
    await admin.must("DELETE", to);
  });

  it("is shown as it was set", async () => {
    const to = `/policies/%2F/${prefix}`;
    expect((await admin.put(to, policy({ "max-length": 5 }, { priority: 3, "apply-to": "queues" }))).status).toBe(201);
    expect((await admin.put(to, policy({ "max-length": 6 }))).status).toBe(204);
    const row = {
      vhost: "/",
      name: prefix,
      pattern: `^${prefix}`,
      "apply-to": "all",
      definition: { "max-length": 6 },
      priority: 0,
    };
    expect(await admin.read(to)).toEqual(row);
    for (const list of ["/policies", "/policies/%2F"]) expect(await admin.read(list)).toContainEqual(row);
    expect((await admin.delete(to)).status).toBe(204);
    for (const method of ["GET", "DELETE"]) {
      expect(await outcome(admin, method, to)).toEqual({ status: 404, body: notFound });
    }
  });

  it("lets go at once of what has waited too long under a shorter time to live, and dead-letters it", async () => {
    const channel = await amqp.channel();
    const dead = await amqp.queue(channel);
    const queue = `${prefix}-q`;
    await channel.assertQueue(queue, { messageTtl: 600_000, deadLetterExchange: "", deadLetterRoutingKey: dead });
    send(channel, queue, ["1", "2"]);
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(2));
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy({ "message-ttl": 1 }));
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(2));
    expect(await drain(channel, dead)).toEqual(["1", "2"]);
    await channel.deleteQueue(queue);
  });

  it("says of each type of queue what that type knows, and of limits the smaller counts", async () => {
    const channel = await amqp.channel();
    const [classic, quorum] = [`${prefix}-classic`, `${prefix}-quorum`];
    await channel.assertQueue(classic);
    await channel.assertQueue(quorum, { arguments: { "x-queue-type": "quorum", "x-delivery-limit": 7 } });
    const definition = { "dead-letter-strategy": "at-least-once", "delivery-limit": -1, "consumer-timeout": 5000 };
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy(definition));
    await admin.must("PUT", `/operator-policies/%2F/${prefix}`, policy({ "delivery-limit": 1 }));
    expect(await effective(quorum)).toMatchObject({
      effective_policy_definition: { ...definition, "delivery-limit": 1 },
    });
    for (const queue of [classic, quorum]) {
      send(channel, queue, ["poison"], { persistent: true });
      for (let times = 0; times < 2; times++) {
        await eventually(async () => {
          const message = await channel.get(queue);
          if (message === false) throw new Error("not there yet");
          channel.reject(message, true);
        });
      }
      await eventually(async () => expect(await channel.get(queue)).toBe(false));
      expect((await channel.deleteQueue(queue)).messageCount).toBe(0);
    }
  });

  it.each([
    ["delivery-limit", "three"],
    ["dead-letter-strategy", "sometimes"],
    ["delayed-retry-type", "perhaps"],
    ["consumer-timeout", -5],
  ])("is refused when no queue could follow it: %s %j", async (key, value) => {
    const { status } = await admin.put(`/policies/%2F/${prefix}`, policy({ [key]: value }));
    expect(status).toBe(400);
  });

  it("rules queues that are there and queues to come, until it is deleted", async () => {
    const channel = await amqp.channel();
    const [old, later] = [amqp.queueName(), amqp.queueName()];
    await channel.assertQueue(`${prefix}-${old}`);
    send(channel, `${prefix}-${old}`, ["a", "b", "c"]);
    await eventually(async () => expect((await counts(channel, `${prefix}-${old}`)).messageCount).toBe(3));
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy({ "max-length": 2 }));
    expect(await drain(channel, `${prefix}-${old}`)).toEqual(["b", "c"]);
    await channel.assertQueue(`${prefix}-${later}`);
    send(channel, `${prefix}-${later}`, ["a", "b", "c"]);
    expect(await drain(channel, `${prefix}-${later}`)).toEqual(["b", "c"]);
    expect(await effective(`${prefix}-${later}`)).toEqual({
      policy: prefix,
      operator_policy: null,
      effective_policy_definition: { "max-length": 2 },
    });
    await admin.must("DELETE", `/policies/%2F/${prefix}`);
    send(channel, `${prefix}-${later}`, ["a", "b", "c"]);
    expect(await drain(channel, `${prefix}-${later}`)).toEqual(["a", "b", "c"]);
    for (const queue of [old, later]) await channel.deleteQueue(`${prefix}-${queue}`);
  });

  it("dead-letters, expires messages and refuses publishes", async () => {
    const channel = await amqp.channel();
    const dead = await amqp.queue(channel);
    const definition = {
      "dead-letter-exchange": "",
      "dead-letter-routing-key": dead,
      "message-ttl": 0,
    };
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy(definition));
    await admin.must("PUT", `/queues/%2F/${prefix}-q`);
    send(channel, `${prefix}-q`, ["late"]);
    await eventually(async () => expect(await drain(channel, dead)).toEqual(["late"]));
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy({ "max-length": 0, overflow: "reject-publish" }));
    const message = { properties: {}, routing_key: `${prefix}-q`, payload: "x", payload_encoding: "string" };
    expect((await admin.post("/exchanges/%2F/amq.default/publish", message)).status).toBe(400);
    await admin.must("DELETE", `/queues/%2F/${prefix}-q`);
  });

  it("gives an exchange its alternate", async () => {
    const rest = amqp.queueName();
    await admin.must("PUT", `/queues/%2F/${rest}`);
    await admin.must("PUT", `/exchanges/%2F/${prefix}-x`, { type: "direct" });
    await admin.must("POST", `/bindings/%2F/e/amq.fanout/q/${rest}`);
    const publish = () =>
      admin.post(`/exchanges/%2F/${prefix}-x/publish`, {
        properties: {},
        routing_key: "nowhere",
        payload: "x",
        payload_encoding: "string",
      });
    expect((await publish()).body).toEqual({ routed: false });
    const rules = policy({ "alternate-exchange": "amq.fanout" }, { "apply-to": "exchanges" });
    await admin.must("PUT", `/policies/%2F/${prefix}`, rules);
    expect((await publish()).body).toEqual({ routed: true });
    expect(await admin.read(`/exchanges/%2F/${prefix}-x`)).toMatchObject({ policy: prefix });
    await admin.must("DELETE", `/policies/%2F/${prefix}`);
    expect((await publish()).body).toEqual({ routed: false });
    await admin.must("DELETE", `/exchanges/%2F/${prefix}-x`);
  });

  it("deletes queues that nobody uses", async () => {
    await admin.must("PUT", `/queues/%2F/${prefix}-q`);
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy({ expires: 1 }));
    await eventually(async () => expect((await admin.get(`/queues/%2F/${prefix}-q`)).status).toBe(404));
  });

  it("counts by priority, and not at all where it does not apply", async () => {
    const name = `${prefix}-q`;
    await admin.must("PUT", `/queues/%2F/${name}`, { durable: true });
    await admin.must("PUT", `/policies/%2F/${prefix}-low`, policy({ "max-length": 1 }, { priority: -1 }));
    await admin.must("PUT", `/policies/%2F/${prefix}-x`, policy({ "max-length": 2 }, { "apply-to": "exchanges" }));
    await admin.must("PUT", `/policies/%2F/${prefix}-q`, policy({ "max-length": 3 }, { "apply-to": "quorum_queues" }));
    expect(await effective(name)).toMatchObject({ policy: `${prefix}-low` });
    await admin.must("PUT", `/policies/%2F/${prefix}-c`, policy({ "max-length": 4 }, { "apply-to": "classic_queues" }));
    expect(await effective(name)).toMatchObject({ policy: `${prefix}-c` });
    await admin.must("DELETE", `/queues/%2F/${name}`);
  });

  it("asks with arguments and operators for the smaller of two bounds, and gives way otherwise", async () => {
    const name = `${prefix}-q`;
    const own = { "x-max-length": 10, "x-dead-letter-exchange": "own" };
    await admin.must("PUT", `/queues/%2F/${name}`, { arguments: own });
    const definition = { "max-length": 3, "message-ttl": 5000, "dead-letter-exchange": "other" };
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy(definition));
    await admin.must("PUT", `/operator-policies/%2F/${prefix}-op`, policy({ "max-length": 2, "message-ttl": 60_000 }));
    expect(await effective(name)).toEqual({
      policy: prefix,
      operator_policy: `${prefix}-op`,
      effective_policy_definition: { "max-length": 2, "message-ttl": 5000, "dead-letter-exchange": "other" },
    });
    const channel = await amqp.channel();
    send(channel, name, ["a", "b", "c"]);
    expect(await drain(channel, name)).toEqual(["b", "c"]);
    await admin.must("DELETE", `/operator-policies/%2F/${prefix}-op`);
    send(channel, name, ["a", "b", "c", "d"]);
    expect(await drain(channel, name)).toEqual(["b", "c", "d"]);
    await admin.must("DELETE", `/queues/%2F/${name}`);
  });

  it("rules again after a crash", async (context) => {
    needsOwnBroker(context);
    await admin.must("PUT", `/queues/%2F/${prefix}-q`, { durable: true });
    await admin.must("PUT", `/policies/%2F/${prefix}`, policy({ "max-length": 1 }));
    await admin.must("PUT", `/operator-policies/%2F/${prefix}`, policy({ "message-ttl": 60_000 }));
    await broker.kill9();
    await broker.restart();
    const rules = { "max-length": 1, "message-ttl": 60_000 };
    expect(await effective(`${prefix}-q`)).toMatchObject({ policy: prefix, effective_policy_definition: rules });
    const channel = await amqp.channel();
    send(channel, `${prefix}-q`, ["a", "b"]);
    expect(await drain(channel, `${prefix}-q`)).toEqual(["b"]);
    await admin.must("DELETE", `/queues/%2F/${prefix}-q`);
  });

  it("goes with its vhost", async () => {
    await admin.must("PUT", "/vhosts/ruled");
    await admin.must("PUT", `/policies/ruled/${prefix}`, policy({ "max-length": 1 }));
    await admin.must("DELETE", "/vhosts/ruled");
    await admin.must("PUT", "/vhosts/ruled");
    expect(await admin.read("/policies/ruled")).toEqual([]);
  });

  it("is made by policymakers of the vhost, and that of an operator by administrators", async () => {
    const to = `/policies/%2F/${prefix}`;
    expect((await maker.put(to, policy({ "max-length": 1 }))).status).toBe(201);
    expect((await manager.get("/policies/%2F")).status).toBe(200);
    const refused = { status: 401, body: notAuthorised("User not authorised to access object") };
    for (const method of ["GET", "PUT", "DELETE"]) expect(await outcome(manager, method, to)).toEqual(refused);
    expect(await outcome(outsider, "PUT", to)).toEqual({
      status: 401,
      body: notAuthorised("User not authorised to access virtual host"),
    });
    expect(await outsider.read("/policies")).toEqual([]);
    for (const method of ["GET", "PUT", "DELETE"]) {
      expect(await outcome(maker, method, `/operator-policies/%2F/${prefix}`)).toEqual({
        status: 401,
        body: notAuthorised("Not administrator user"),
      });
    }
    expect((await maker.delete(to)).status).toBe(204);
  });

  it("is refused in a vhost that does not exist", async () => {
    expect((await admin.put("/policies/nowhere/p", policy({ "max-length": 1 }))).status).toBe(404);
    expect((await admin.get("/policies/nowhere")).status).toBe(404);
  });

  const failed = (text: string) => expect.stringContaining(`Validation failed\n\n${text}`);

  it.each([
    [{ pattern: "(", definition: { "max-length": 1 } }, failed("pattern should be regular expression but is invalid")],
    [{ pattern: ".*" }, "[{key_missing,definition}]"],
    [{ definition: { "max-length": 1 } }, "[{key_missing,pattern}]"],
    [{ pattern: ".*", definition: {} }, failed("no policy provided")],
    [{ pattern: ".*", definition: { nonsense: 1 } }, failed("nonsense are not recognised policy settings")],
    [{ pattern: ".*", definition: { "max-length": "x" } }, failed("invalid arg 'x-max-length'")],
    [{ pattern: ".*", definition: { "message-ttl": -1 } }, failed("invalid arg 'x-message-ttl'")],
    [{ pattern: ".*", definition: { overflow: "explode" } }, failed("invalid arg 'x-overflow'")],
    [{ pattern: ".*", definition: { "alternate-exchange": 5 } }, failed("alternate-exchange should be a name")],
    [{ pattern: ".*", definition: { "max-length": 1 }, priority: "high" }, "'priority' should be an integer"],
    [{ pattern: ".*", definition: { "max-length": 1 }, "apply-to": "everything" }, failed("apply-to 'everything'")],
    ["[]", "not_json"],
  ])("is refused when it cannot be followed: %j", async (content, reason) => {
    const to = `/policies/%2F/${prefix}`;
    expect(await outcome(admin, "PUT", to, content)).toEqual({ status: 400, body: badRequest(reason) });
    expect((await admin.get(to)).status).toBe(404);
  });

  it("of an operator only bounds", async () => {
    const to = `/operator-policies/%2F/${prefix}`;
    expect(await outcome(admin, "PUT", to, policy({ "dead-letter-exchange": "x" }))).toEqual({
      status: 400,
      body: badRequest(failed("dead-letter-exchange are not recognised policy settings")),
    });
  });

  it("for mirrored queues or streams is kept, though there are none", async () => {
    const definition = { "ha-mode": "all", "queue-mode": "lazy", "max-age": "7D" };
    expect((await admin.put(`/policies/%2F/${prefix}`, policy(definition))).status).toBe(201);
    expect(await admin.read(`/policies/%2F/${prefix}?columns=definition`)).toEqual({ definition });
  });
});
