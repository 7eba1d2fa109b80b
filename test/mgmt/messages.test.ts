import { beforeAll, describe, expect, it } from "vitest";
import { body, collect, send, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { addUser, asGuest, badRequest, type ManagementClient, notAuthorised } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let limited: ManagementClient;

beforeAll(async () => {
  limited = await addUser(broker, "limited", ["management"]);
  await admin.must("PUT", "/permissions/%2F/limited", { configure: "", write: "^amq\\.topic$", read: "^mine$" });
  await admin.must("PUT", "/topic-permissions/%2F/limited", { exchange: "amq.topic", write: "^a", read: "" });
});

const toQueue = "/exchanges/%2F/amq.default/publish";

/** Every property, as management writes it. */
const properties = {
  content_type: "text/plain",
  content_encoding: "utf8",
  headers: { a: 1, b: "ü", c: true, d: [1, "2"], e: { f: 1.5 } },
  delivery_mode: 2,
  priority: 3,
  correlation_id: "c1",
  reply_to: "r",
  expiration: "6000000",
  message_id: "id1",
  timestamp: 1_700_000_000,
  type: "t",
  user_id: "guest",
  app_id: "a",
  cluster_id: "cl",
};

function message(routing_key: string, payload: string, extra: object = {}) {
  return { properties: {}, routing_key, payload, payload_encoding: "string", ...extra };
}

async function queue(declaration: object = {}): Promise<string> {
  const name = amqp.queueName();
  await admin.must("PUT", `/queues/%2F/${name}`, declaration);
  return name;
}

async function get(name: string, options: object = {}): Promise<unknown> {
  const request = { count: 10, ackmode: "ack_requeue_true", encoding: "auto", ...options };
  return (await admin.must("POST", `/queues/%2F/${name}/get`, request)).body;
}

async function publish(content: object): Promise<unknown> {
  return (await admin.must("POST", toQueue, content)).body;
}

describe("publishing over HTTP", () => {
  it("delivers a message with all its properties", async () => {
    const name = await queue();
    const channel = await amqp.channel();
    const inbox = await collect(channel, name);
    const payload = Buffer.from([0x68, 0, 0xff]);
    const content = { properties, payload_encoding: "base64" };
    expect(await publish(message(name, payload.toString("base64"), content))).toEqual({ routed: true });
    await eventually(() => expect(inbox.messages).toHaveLength(1));
    const received = inbox.at(0);
    expect(received.content).toEqual(payload);
    expect(received.fields).toMatchObject({ exchange: "", routingKey: name, redelivered: false });
    expect(received.properties).toMatchObject({
      contentType: "text/plain",
      contentEncoding: "utf8",
      headers: properties.headers,
      deliveryMode: 2,
      priority: 3,
      correlationId: "c1",
      replyTo: "r",
      expiration: "6000000",
      messageId: "id1",
      timestamp: 1_700_000_000,
      type: "t",
      userId: "guest",
      appId: "a",
      clusterId: "cl",
    });
  });

  it("carries bodies larger than a frame", async () => {
    const name = await queue();
    const payload = "0123456789abcdef".repeat(25_000);
    await publish(message(name, payload));
    expect(await get(name)).toMatchObject([{ payload, payload_bytes: payload.length }]);
    const channel = await amqp.channel();
    const received = await channel.get(name, { noAck: true });
    expect(received !== false && body(received)).toBe(payload);
  });

  it("says whether the message went anywhere", async () => {
    expect(await publish(message("nowhere", "x"))).toEqual({ routed: false });
  });

  it("goes through exchanges, CC and BCC", async () => {
    const [first, second, third] = [await queue(), await queue(), await queue()];
    await admin.must("POST", `/bindings/%2F/e/amq.topic/q/${first}`, { routing_key: "a.#" });
    const headers = { CC: [second], BCC: [third] };
    await admin.must("POST", "/exchanges/%2F/amq.topic/publish", message("a.b", "by topic"));
    await publish(message("nowhere", "copies", { properties: { headers } }));
    expect(await get(first)).toMatchObject([{ exchange: "amq.topic", routing_key: "a.b", payload: "by topic" }]);
    for (const name of [second, third]) {
      const shown = { payload: "copies", properties: { headers: { CC: [second] } } };
      const looked = await admin.read(`/queues/%2F/${name}/messages`);
      expect(looked).toMatchObject({ items: [shown] });
      const got = await get(name);
      expect(got).toMatchObject([shown]);
      expect(JSON.stringify([looked, got])).not.toContain("BCC");
    }
  });

  it("is on disk when it is answered", async (context) => {
    needsOwnBroker(context);
    const name = await queue({ durable: true });
    await publish(message(name, "kept", { properties: { delivery_mode: 2 } }));
    await broker.kill9();
    await broker.restart();
    expect(await get(name)).toMatchObject([{ payload: "kept", properties: { delivery_mode: 2 } }]);
  });

  it("hears of a queue that refuses", async () => {
    const name = await queue({ arguments: { "x-max-length": 0, "x-overflow": "reject-publish" } });
    const { status, body: refusal } = await admin.post(toQueue, message(name, "x"));
    const reason = "rejected Unable to publish message. Check queue limits.";
    expect({ status, body: refusal }).toEqual({ status: 400, body: badRequest(reason) });
  });

  it("needs an exchange that exists and takes messages", async () => {
    const { status, body: refusal } = await admin.post("/exchanges/%2F/none/publish", message("k", "x"));
    expect({ status, refusal }).toEqual({ status: 404, refusal: { error: "not_found", reason: "exchange_not_found" } });
    await admin.must("PUT", "/exchanges/%2F/inside", { internal: true });
    expect((await admin.post("/exchanges/%2F/inside/publish", message("k", "x"))).body).toEqual(
      badRequest("403 ACCESS_REFUSED - cannot publish to internal exchange 'inside' in vhost '/'"),
    );
  });

  it("asks for permissions as AMQP does", async () => {
    const refused = notAuthorised("Access refused.");
    expect((await limited.post(toQueue, message("x", "x"))).body).toEqual(refused);
    expect((await limited.post("/exchanges/%2F/amq.topic/publish", message("b", "x"))).body).toEqual(refused);
    expect((await limited.post("/exchanges/%2F/amq.topic/publish", message("a", "x"))).body).toEqual({ routed: false });
  });

  it.each([
    [{ properties: undefined }, "[{key_missing,properties}]"],
    [{ properties: 5 }, "'properties' should be an object"],
    [{ properties: { delivery_mode: "2" } }, "'delivery_mode' should be an integer"],
    [{ properties: { priority: 300 } }, "'priority' should be from 0 to 255"],
    [{ properties: { type: 5 } }, "'type' should be a string"],
    [{ properties: { type: "x".repeat(256) } }, "'type' is 256 bytes long: 255 are allowed"],
    [{ properties: { headers: { a: null } } }, "null_not_allowed"],
    [{ properties: { headers: 5 } }, "'headers' should be an object"],
    [{ properties: { expiration: "soon" } }, "406 PRECONDITION_FAILED - invalid expiration 'soon': no_integer"],
    [{ properties: { user_id: "someone" } }, expect.stringContaining("406 PRECONDITION_FAILED - user_id property set")],
    [{ properties: { headers: { CC: "x" } } }, expect.stringContaining("unacceptable_type_in_header")],
    [{ properties: { reply_to: "amq.rabbitmq.reply-to" } }, expect.stringContaining("fast reply consumer")],
    [{ payload: { a: 1 } }, "payload_not_string"],
    [{ payload_encoding: "rot13" }, "unsupported payload encoding 'rot13'"],
    [{ payload_encoding: "base64", payload: "%%%" }, "the payload is not base64"],
    [{ routing_key: "x".repeat(256) }, "'routing_key' is 256 bytes long: 255 are allowed"],
  ])("refuses %j", async (extra, reason) => {
    const name = await queue();
    const { status, body: refusal } = await admin.post(toQueue, message(name, "x", extra));
    expect({ status, body: refusal }).toEqual({ status: 400, body: badRequest(reason) });
    expect(await get(name)).toEqual([]);
  });
});

describe("fetching messages over HTTP", () => {
  it("shows what is in a queue and leaves it there, in order", async () => {
    const name = await queue();
    for (const payload of ["one", "two", "three"]) await publish(message(name, payload));
    const shown = { exchange: "", routing_key: name, properties: {}, payload_encoding: "string", redelivered: false };
    expect(await get(name, { count: 2 })).toEqual([
      { ...shown, payload: "one", payload_bytes: 3, message_count: 2 },
      { ...shown, payload: "two", payload_bytes: 3, message_count: 1 },
    ]);
    const again = await get(name, { ackmode: "reject_requeue_true" });
    expect(again).toMatchObject(["one", "two", "three"].map((payload) => ({ payload })));
    expect(again).toMatchObject([{ redelivered: true }, { redelivered: true }, { redelivered: false }]);
    expect(await admin.read(`/queues/%2F/${name}?columns=messages,messages_unacknowledged`)).toEqual({
      messages: 3,
      messages_unacknowledged: 0,
    });
  });

  it("takes messages away with ack_requeue_false, and dead-letters them with reject_requeue_false", async () => {
    const dead = await queue();
    const name = await queue({
      arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead },
    });
    for (const payload of ["acked", "rejected"]) await publish(message(name, payload));
    expect(await get(name, { count: "1", ackmode: "ack_requeue_false" })).toMatchObject([{ payload: "acked" }]);
    expect(await get(name, { count: 1, ackmode: "reject_requeue_false" })).toMatchObject([{ payload: "rejected" }]);
    expect(await get(name)).toEqual([]);
    const headers = { "x-death": [expect.objectContaining({ reason: "rejected", queue: name, count: 1 })] };
    expect(await get(dead)).toMatchObject([{ payload: "rejected", properties: { headers } }]);
  });

  it("shows all properties", async () => {
    const name = await queue();
    await publish(message(name, "x", { properties }));
    expect(await get(name)).toMatchObject([{ properties }]);
  });

  it("shows bytes that are no text in base64, and everything when asked to", async () => {
    const name = await queue();
    const channel = await amqp.channel();
    channel.sendToQueue(name, Buffer.of(0xff, 0));
    send(channel, name, ["text"]);
    await eventually(async () =>
      expect(await get(name)).toMatchObject([
        { payload: "/wA=", payload_encoding: "base64" },
        { payload: "text", payload_encoding: "string" },
      ]),
    );
    expect(await get(name, { encoding: "base64" })).toMatchObject([
      { payload: "/wA=", payload_encoding: "base64" },
      { payload: "dGV4dA==", payload_encoding: "base64" },
    ]);
  });

  it("cuts long bodies when asked to", async () => {
    const name = await queue();
    await publish(message(name, "my body"));
    expect(await get(name, { truncate: 3 })).toMatchObject([{ payload: "my ", payload_bytes: 7 }]);
    expect(await get(name, { truncate: 0 })).toMatchObject([{ payload: "", payload_bytes: 7 }]);
  });

  it("reads messages that were stored before a restart", async (context) => {
    needsOwnBroker(context);
    const name = await queue({ durable: true });
    for (const payload of ["a", "b"]) await publish(message(name, payload, { properties: { delivery_mode: 2 } }));
    await broker.restart();
    expect(await get(name)).toMatchObject([{ payload: "a" }, { payload: "b" }]);
    expect(await get(name, { ackmode: "ack_requeue_false" })).toMatchObject([{ payload: "a" }, { payload: "b" }]);
    await broker.kill9();
    await broker.restart();
    expect(await get(name)).toEqual([]);
  });

  it.each([
    [{ ackmode: undefined }, "[{key_missing,ackmode}]"],
    [{ ackmode: "nonsense" }, "Invalid ackmode value: nonsense"],
    [{ ackmode: "__proto__" }, "Invalid ackmode value: __proto__"],
    [{ encoding: "nonsense" }, "Unsupported encoding. Please use auto or base64."],
    [{ count: "abc" }, "'count' should be an integer"],
    [{ count: undefined }, "[{key_missing,count}]"],
    [{ truncate: -1 }, "'truncate' should not be negative"],
  ])("refuses %j", async (extra, reason) => {
    const name = await queue();
    const request = { count: 1, ackmode: "ack_requeue_true", encoding: "auto", ...extra };
    const { status, body: refusal } = await admin.post(`/queues/%2F/${name}/get`, request);
    expect({ status, body: refusal }).toEqual({ status: 400, body: badRequest(reason) });
  });

  it("needs a queue that exists, and permission to read it", async () => {
    const request = { count: 1, ackmode: "ack_requeue_true", encoding: "auto" };
    const { status, body: refusal } = await admin.post("/queues/%2F/none/get", request);
    expect({ status, refusal }).toEqual({ status: 404, refusal: { error: "not_found", reason: "queue_not_found" } });
    await admin.must("PUT", "/queues/%2F/mine");
    await admin.must("PUT", "/queues/%2F/theirs");
    expect((await limited.post("/queues/%2F/mine/get", request)).body).toEqual([]);
    expect((await limited.post("/queues/%2F/theirs/get", request)).body).toEqual(notAuthorised("Access refused."));
  });
});
