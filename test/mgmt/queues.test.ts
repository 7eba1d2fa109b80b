import { beforeAll, describe, expect, it } from "vitest";
import { collect, send, unique, useAmqpClient } from "../support/amqp-client.ts";
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
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
const path = "/queues/%2F";
let limited: ManagementClient;
let outsider: ManagementClient;

beforeAll(async () => {
  limited = await addUser(broker, "limited", ["management"]);
  await admin.must("PUT", "/permissions/%2F/limited", { configure: "^mine-", write: "", read: "^mine-" });
  outsider = await addUser(broker, "outsider", ["monitoring", "policymaker"]);
});

const accessRefused = { status: 401, body: notAuthorised("Access refused.") };

async function outcome(client: ManagementClient, method: string, to: string, content?: unknown) {
  const { status, body } = await client.request(method, to, { body: content });
  return { status, body };
}

describe("/api/queues", () => {
  it("declares a queue, and again with the same properties", async () => {
    const name = amqp.queueName();
    const declaration = { durable: true, auto_delete: false, arguments: { "x-message-ttl": 60_000 } };
    expect((await admin.put(`${path}/${name}`, declaration)).status).toBe(201);
    expect((await admin.put(`${path}/${name}`, declaration)).status).toBe(204);
    const row = { name, vhost: "/", type: "classic", state: "running", exclusive: false, ...declaration };
    expect(await admin.read(`${path}/${name}`)).toMatchObject({ ...row, messages: 0, consumers: 0 });
    for (const list of [path, "/queues", "/queues/detailed"]) {
      expect(await admin.read(list)).toContainEqual(expect.objectContaining(row));
    }
    const reason =
      `inequivalent arg 'x-message-ttl' for queue '${name}' in vhost '/': ` +
      "received none but current is the value '60000' of type 'long'";
    expect(await outcome(admin, "PUT", `${path}/${name}`, { durable: true })).toEqual({
      status: 400,
      body: badRequest(reason),
    });
  });

  it("is transient unless the body says otherwise", async () => {
    const name = amqp.queueName();
    await admin.must("PUT", `${path}/${name}`);
    expect(await admin.read(`${path}/${name}?columns=durable`)).toEqual({ durable: false });
  });

  it("keeps durable queues over a crash", async (context) => {
    needsOwnBroker(context);
    const [durable, transient] = [amqp.queueName(), amqp.queueName()];
    await admin.must("PUT", `${path}/${durable}`, { durable: true });
    await admin.must("PUT", `${path}/${transient}`, { durable: false });
    await broker.kill9();
    await broker.restart();
    expect((await admin.get(`${path}/${durable}`)).status).toBe(200);
    expect((await admin.get(`${path}/${transient}`)).status).toBe(404);
  });

  it("counts messages and consumers", async () => {
    const channel = await amqp.channel();
    const name = await amqp.queue(channel);
    send(channel, name, ["one", "three"]);
    await channel.prefetch(1);
    const { tag } = await collect(channel, name, { noAck: false, exclusive: true });
    await eventually(async () =>
      expect(await admin.read(`${path}/${name}`)).toMatchObject({
        messages: 2,
        messages_ready: 1,
        messages_unacknowledged: 1,
        message_bytes: 8,
        message_bytes_ready: 5,
        message_bytes_unacknowledged: 3,
        messages_ram: 2,
        messages_ready_ram: 1,
        messages_unacknowledged_ram: 1,
        messages_paged_out: 0,
        messages_persistent: 0,
        message_bytes_ram: 8,
        message_bytes_persistent: 0,
        message_bytes_paged_out: 0,
        head_message_timestamp: null,
        consumers: 1,
        exclusive_consumer_tag: tag,
      }),
    );
  });

  it("counts persistent messages, and says when the first one was sent", async () => {
    const channel = await amqp.confirmChannel();
    const name = await amqp.queue(channel, { durable: true });
    send(channel, name, ["first"], { persistent: true, timestamp: 1_700_000_000 });
    send(channel, name, ["another"], { timestamp: 1_800_000_000 });
    await channel.waitForConfirms();
    const counts = () =>
      admin.read(`${path}/${name}?columns=messages_persistent,message_bytes_persistent,head_message_timestamp`);
    const [persistent, bytes, head] = ["messages_persistent", "message_bytes_persistent", "head_message_timestamp"];
    await eventually(async () =>
      expect(await counts()).toEqual({ [persistent]: 1, [bytes]: 5, [head]: 1_700_000_000 }),
    );
    await channel.get(name, { noAck: true });
    await eventually(async () =>
      expect(await counts()).toEqual({ [persistent]: 0, [bytes]: 0, [head]: 1_800_000_000 }),
    );
  });

  it("says whether consumers could take more", async () => {
    const channel = await amqp.channel();
    const name = await amqp.queue(channel);
    const capacity = `${path}/${name}?columns=consumer_capacity,consumer_utilisation`;
    const has = (value: number) =>
      eventually(async () =>
        expect(await admin.read(capacity)).toEqual({ consumer_capacity: value, consumer_utilisation: value }),
      );
    await has(0);
    await channel.prefetch(1);
    await collect(channel, name, { noAck: false });
    await has(1);
    send(channel, name, ["taken", "left"]);
    await has(0);
  });

  it("deletes a queue, with if-empty and if-unused only when it is", async () => {
    const channel = await amqp.channel();
    const name = await amqp.queue(channel);
    const consumer = await collect(channel, name, { noAck: false });
    send(channel, name, ["unacked"]);
    await eventually(() => expect(consumer.bodies).toEqual(["unacked"]));
    expect((await outcome(admin, "DELETE", `${path}/${name}?if-unused=true`)).body).toEqual(
      badRequest(`queue '${name}' in vhost '/' in use`),
    );
    await channel.cancel(consumer.tag);
    channel.nackAll(true);
    const ready = `${path}/${name}?columns=messages_ready`;
    await eventually(async () => expect(await admin.read(ready)).toEqual({ messages_ready: 1 }));
    expect((await outcome(admin, "DELETE", `${path}/${name}?if-empty=true`)).body).toEqual(
      badRequest(`queue '${name}' in vhost '/' not empty`),
    );
    expect((await admin.delete(`${path}/${name}`)).status).toBe(204);
    expect(await outcome(admin, "DELETE", `${path}/${name}`)).toEqual({ status: 404, body: notFound });
  });

  it("purges a queue", async () => {
    const channel = await amqp.confirmChannel();
    const name = await amqp.queue(channel, { durable: true });
    send(channel, name, ["a", "b"], { persistent: true });
    await channel.waitForConfirms();
    expect((await admin.delete(`${path}/${name}/contents`)).status).toBe(204);
    expect(await admin.read(`${path}/${name}?columns=messages`)).toEqual({ messages: 0 });
    expect((await admin.delete(`${path}/missing/contents`)).status).toBe(404);
  });

  it("leaves exclusive queues to their connection", async () => {
    const channel = await amqp.channel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    const locked = badRequest(expect.stringContaining("cannot obtain exclusive access to locked queue"));
    const get = { count: 1, ackmode: "ack_requeue_true", encoding: "auto" };
    for (const [method, to, content] of [
      ["PUT", "", {}],
      ["DELETE", "", undefined],
      ["DELETE", "/contents", undefined],
      ["POST", "/get", get],
    ] as const) {
      expect(await outcome(admin, method, `${path}/${queue}${to}`, content)).toEqual({ status: 400, body: locked });
    }
    expect(await admin.read(`${path}/${queue}?columns=exclusive`)).toEqual({ exclusive: true });
  });

  it("asks for permissions as AMQP does", async () => {
    expect((await limited.put(`${path}/mine-1`, {})).status).toBe(201);
    const deadLetters = { arguments: { "x-dead-letter-exchange": "amq.fanout" } };
    expect(await outcome(limited, "PUT", `${path}/mine-2`, deadLetters)).toEqual(accessRefused);
    expect(await outcome(limited, "PUT", `${path}/theirs`, {})).toEqual(accessRefused);
    expect(await outcome(limited, "DELETE", `${path}/theirs`)).toEqual(accessRefused);
    expect(await outcome(limited, "DELETE", `${path}/theirs/contents`)).toEqual(accessRefused);
    expect(await outcome(limited, "POST", `${path}/theirs/get`)).toEqual(accessRefused);
    expect((await limited.get(`${path}/mine-1`)).status).toBe(200);
    expect((await limited.delete(`${path}/mine-1`)).status).toBe(204);
  });

  it("is closed to those who may not use the vhost", async () => {
    const refused = { status: 401, body: notAuthorised("User not authorised to access virtual host") };
    for (const [method, to] of [
      ["GET", path],
      ["GET", `${path}/x`],
      ["PUT", `${path}/x`],
      ["DELETE", `${path}/x`],
      ["DELETE", `${path}/x/contents`],
      ["POST", `${path}/x/get`],
      ["GET", `${path}/x/bindings`],
    ] as const) {
      expect(await outcome(outsider, method, to)).toEqual(refused);
    }
    expect(await outsider.read("/queues")).toEqual([]);
  });

  it.each([
    [{ durable: "maybe" }, "'durable' should be a boolean"],
    [{ arguments: [1] }, "'arguments' should be an object"],
    [
      { arguments: { "x-message-ttl": -1 } },
      "invalid arg 'x-message-ttl' for queue 'bad' in vhost '/': {value_negative,-1}",
    ],
    [{ arguments: { "x-message-ttl": "1" } }, expect.stringContaining('"expected integer, got longstr"')],
    [{ arguments: { "x-queue-type": "stream" } }, expect.stringContaining("invalid arg 'x-queue-type'")],
    [{ arguments: { [`x-${"y".repeat(255)}`]: 1 } }, "field name of 257 bytes: 255 are allowed"],
    [{ node: "rabbit@elsewhere" }, "no node 'rabbit@elsewhere'"],
    ["durable=true", "not_json"],
  ])("refuses %j and declares nothing", async (content, reason) => {
    expect(await outcome(admin, "PUT", `${path}/bad`, content)).toEqual({ status: 400, body: badRequest(reason) });
    expect((await admin.get(`${path}/bad`)).status).toBe(404);
  });

  it("refuses names that are reserved or too long", async () => {
    expect(await outcome(admin, "PUT", `${path}/amq.mine`)).toEqual(accessRefused);
    expect(await outcome(admin, "PUT", `${path}/${"ü".repeat(128)}`)).toEqual({
      status: 400,
      body: badRequest("queue name of 256 bytes: 255 are allowed"),
    });
  });

  it("knows no queues of a vhost that does not exist", async () => {
    for (const [method, to] of [
      ["GET", "/queues/nowhere"],
      ["PUT", "/queues/nowhere/x"],
      ["GET", "/queues/nowhere/q"],
      ["DELETE", "/queues/nowhere/q"],
      ["POST", "/queues/nowhere/q/get"],
    ] as const) {
      const body = method === "PUT" ? vhostNotFound : notFound;
      expect(await outcome(admin, method, to)).toEqual({ status: 404, body });
    }
  });
});

describe("a list", () => {
  const names = ["b", "a", "C", "d"].map((letter) => unique(`paged-${letter}`));

  beforeAll(async () => {
    await admin.must("PUT", "/vhosts/paged");
    for (const name of names) await admin.must("PUT", `/queues/paged/${name}`);
    await admin.must("PUT", "/queues/paged/other");
  });

  const sorted = [...names].sort();

  it("comes in pages", async () => {
    const answer = await admin.read("/queues/paged?page=2&page_size=2&name=paged&columns=name");
    expect(answer).toEqual({
      filtered_count: 4,
      item_count: 2,
      items: sorted.slice(2).map((name) => ({ name })),
      page: 2,
      page_count: 2,
      page_size: 2,
      total_count: 5,
    });
  });

  it("is filtered by a part of the name or a pattern, whatever its case", async () => {
    const named = async (filter: string) => Object(await admin.read(`/queues/paged?page=1&${filter}`)).filtered_count;
    expect(await named("name=PAGED-c")).toBe(1);
    expect(await named("name=paged-.-&use_regex=true")).toBe(4);
    expect(await named("name=%5Etest-paged-[AB]&use_regex=true")).toBe(2);
    expect(await named("name=paged-.-")).toBe(0);
    expect(await named("name=")).toBe(5);
  });

  it("is sorted as the query says", async () => {
    const list = await admin.read("/queues/paged?sort=name&sort_reverse=true&columns=name");
    const all = [...sorted, "other"].sort().reverse();
    expect(list).toEqual(all.map((name) => ({ name })));
  });

  it("is sorted by vhost and name, also among what is alike in what it is sorted by", async () => {
    await admin.must("PUT", "/vhosts/a-first");
    for (const name of ["z", "B", "c"]) await admin.must("PUT", `/queues/a-first/${name}`);
    const all = [
      ...["B", "c", "z"].map((name) => ({ vhost: "a-first", name })),
      ...[...sorted, "other"].sort().map((name) => ({ vhost: "paged", name })),
    ];
    for (const query of [
      "",
      "&sort=messages",
      "&sort=vhost",
      "&sort=message_bytes_ram",
      "&disable_stats=true&sort=durable",
    ]) {
      const rows: unknown[] = Object(await admin.read(`/queues?columns=vhost,name${query}`));
      expect(rows.filter((row) => ["a-first", "paged"].includes(Object(row).vhost))).toEqual(all);
    }
    await admin.must("DELETE", "/vhosts/a-first");
  });

  it.each([
    ["page=0", "invalid_pagination_parameters", "Invalid pagination parameters: page number 0, page size undefined"],
    [
      "page=1&page_size=501",
      "invalid_pagination_parameters",
      "Invalid pagination parameters: page number 1, page size 501",
    ],
    ["page=99", "page_out_of_range", "Page out of range, page: 99 page size: 100, len: 5"],
    ["page=abc", "bad_request", "Pagination parameters are invalid"],
    ["page=1&name=(&use_regex=true", "bad_request", expect.stringContaining("invalid regular expression")],
  ])("refuses %s", async (query, error, reason) => {
    expect(await outcome(admin, "GET", `/queues/paged?${query}`)).toEqual({ status: 400, body: { error, reason } });
  });

  it("may be empty on its first page", async () => {
    expect(await admin.read("/queues/paged?page=1&name=nothing-like-it")).toMatchObject({ items: [], page_count: 1 });
  });
});
