import type { ConfirmChannel, GetMessage } from "amqplib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { drain, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { addUser, asGuest, badRequest, type ManagementClient, notAuthorised, notFound } from "../support/management.ts";

// One segment is more than the memory for queues, so that what is not next is soon out of it.
const broker = useBroker({ args: ["--queue-memory", "1MiB"] });
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let reader: ManagementClient;
let channel: ConfirmChannel;

beforeAll(async () => {
  reader = await addUser(broker, "reader", ["management"]);
  await admin.must("PUT", "/permissions/%2F/reader", { configure: "", write: "^ok-", read: "^(ok-|test-)" });
});

beforeEach(async () => {
  channel = await amqp.confirmChannel();
});

interface Item {
  readonly id: string;
  readonly position: number;
  readonly payload: string;
  readonly state: string;
  readonly redelivered: boolean;
}

interface Page {
  readonly items: readonly Item[];
  readonly next_offset: number | null;
  readonly messages: number;
}

async function browse(queue: string, query = ""): Promise<Page> {
  return Object(await admin.read(`/queues/%2F/${queue}/messages?${query}`));
}

async function payloads(queue: string, query = ""): Promise<string[]> {
  return (await browse(queue, query)).items.map(({ payload }) => payload);
}

async function fill(queue: string, bodies: readonly string[], persistent = true): Promise<void> {
  for (const [i, body] of bodies.entries()) {
    channel.sendToQueue(queue, Buffer.from(body), {
      persistent,
      headers: { n: i, parity: i % 2 === 0 ? "even" : "odd" },
    });
    if (i % 1000 === 999) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
}

async function mustGet(queue: string): Promise<GetMessage> {
  const message = await channel.get(queue);
  if (message === false) throw new Error("no message");
  return message;
}

const letters = ["a", "b", "c", "d", "e"];

describe("looking into a queue", () => {
  it("shows what is ready and what is unacked, in the order of delivery, and changes nothing", async () => {
    const queue = await amqp.queue(channel);
    await fill(queue, letters);
    const unacked = await mustGet(queue);
    const { items, next_offset, messages } = await browse(queue);
    expect({ next_offset, messages }).toEqual({ next_offset: null, messages: 5 });
    expect(items[0]).toEqual({
      id: expect.stringMatching(/^\d+$/),
      position: 0,
      state: "unacked",
      payload_bytes: 1,
      redelivered: false,
      exchange: "",
      routing_key: queue,
      properties: { headers: { n: 0, parity: "even" }, delivery_mode: 2 },
      payload: "a",
      payload_encoding: "string",
    });
    expect(items.map(({ payload, state }) => payload + state[0])).toEqual(["au", "br", "cr", "dr", "er"]);
    channel.nack(unacked);
    const first = await mustGet(queue);
    expect([first.content.toString(), first.fields.redelivered]).toEqual(["a", true]);
    expect((await browse(queue)).items.map(({ redelivered }) => redelivered)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    channel.nack(first);
    expect(await drain(channel, queue)).toEqual(letters);
  });

  it("goes by pages, and finds by header and body", async () => {
    const queue = await amqp.queue(channel, { arguments: { "x-max-priority": 3 } });
    await fill(queue, letters);
    channel.sendToQueue(queue, Buffer.from("urgent"), { priority: 3 });
    await channel.waitForConfirms();
    expect(await payloads(queue)).toEqual(["urgent", ...letters]);
    const page = await browse(queue, "offset=2&limit=2");
    expect(page.items.map(({ payload, position }) => [payload, position])).toEqual([
      ["b", 2],
      ["c", 3],
    ]);
    expect(page.next_offset).toBe(4);
    expect(await browse(queue, "offset=4&limit=2")).toMatchObject({ next_offset: null });
    expect(await payloads(queue, "header=parity")).toEqual(letters);
    expect(await payloads(queue, "header=parity=odd")).toEqual(["b", "d"]);
    expect(await payloads(queue, "header=n=2")).toEqual(["c"]);
    expect(await payloads(queue, "body=rge")).toEqual(["urgent"]);
    expect(await payloads(queue, "body=c&header=parity=odd")).toEqual([]);
    expect((await browse(queue, "header=parity=odd&limit=1&offset=2")).items[0]).toMatchObject({
      payload: "b",
      position: 2,
    });
    expect(await payloads(queue, "offset=99")).toEqual([]);
  });

  it("shows bytes in base64, cuts bodies and says when a message expires", async () => {
    const queue = await amqp.queue(channel);
    channel.sendToQueue(queue, Buffer.of(0xff, 0xfe));
    channel.sendToQueue(queue, Buffer.from("long body"), { expiration: "600000" });
    await channel.waitForConfirms();
    expect((await browse(queue)).items[0]).toMatchObject({ payload: "//4=", payload_encoding: "base64" });
    const [, cut] = (await browse(queue, "truncate=4&encoding=base64")).items;
    expect(cut).toMatchObject({ payload: Buffer.from("long").toString("base64"), payload_bytes: 9 });
    expect(Object(cut).expires_at).toBeGreaterThan(Date.now());
  });

  it.each([
    ["durable, of persistent messages", true, true],
    ["transient, so that what is not at hand is in pages", false, false],
    ["durable, of transient messages", true, false],
  ])("reaches all of a long queue that is %s", { timeout: 60_000 }, async (_what, durable, persistent) => {
    const queue = await amqp.queue(channel, { durable });
    const count = 6000;
    await fill(
      queue,
      Array.from({ length: count }, (_, i) => `${i} ${"x".repeat(1000)}`),
      persistent,
    );
    const numbers: number[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page: Page = await browse(queue, `limit=500&truncate=6&offset=${offset}`);
      numbers.push(...page.items.map(({ payload }) => Number.parseInt(payload, 10)));
      offset = page.next_offset;
    }
    expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(await payloads(queue, "header=n=5000&truncate=4")).toEqual(["5000"]);
    const deleted = await admin.must("DELETE", `/queues/%2F/${queue}/messages?header=parity=odd`);
    expect(deleted.body).toEqual({ deleted: count / 2 });
    expect(await admin.read(`/queues/%2F/${queue}?columns=messages`)).toEqual({ messages: count / 2 });
    const rest = (await drain(channel, queue)).map((body) => Number.parseInt(body, 10));
    expect(rest).toEqual(Array.from({ length: count / 2 }, (_, i) => 2 * i));
  });

  it("is for those who may read the queue", async () => {
    await admin.must("PUT", "/queues/%2F/secret");
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", "?body=x"],
      ["DELETE", "/1"],
      ["POST", "/move"],
      ["POST", "/1/move"],
    ] as const) {
      const body = { routing_key: "x", body: "x" };
      const { status, body: answer } = await reader.request(
        method,
        `/queues/%2F/secret/messages${path}`,
        method === "POST" ? { body } : {},
      );
      expect({ path, status, answer }).toEqual({ path, status: 401, answer: notAuthorised("Access refused.") });
      const none = await admin.request(method, `/queues/%2F/none/messages${path}`, method === "POST" ? { body } : {});
      expect({ path, status: none.status, body: none.body }).toEqual({ path, status: 404, body: notFound });
    }
  });

  it.each([
    ["limit=x", "'limit' should be a number"],
    ["offset=-1", "'offset' should be a number"],
    ["encoding=hex", "Unsupported encoding. Please use auto or base64."],
    [`body=${"x".repeat(5000)}`, "'body' may have 4096 characters"],
  ])("refuses %s", async (query, reason) => {
    const queue = await amqp.queue(channel);
    const { status, body } = await admin.get(`/queues/%2F/${queue}/messages?${query}`);
    expect({ status, body }).toEqual({ status: 400, body: badRequest(reason) });
  });
});

describe("deleting messages", () => {
  it("takes the one that is named, wherever it stands, unless a consumer has it", async () => {
    const queue = await amqp.queue(channel);
    await fill(queue, letters);
    const path = `/queues/%2F/${queue}/messages`;
    const ids = (await browse(queue)).items.map(({ id }) => id);
    const first = await mustGet(queue);
    expect((await admin.delete(`${path}/${ids[2]}`)).status).toBe(204);
    expect((await admin.delete(`${path}/${ids[2]}`)).body).toEqual(notFound);
    expect((await admin.delete(`${path}/${ids[0]}`)).body).toEqual(
      badRequest(`message ${ids[0]} is unacked: its consumer has it`),
    );
    for (const id of ["x", "0", "99999999999999999999", "-1"])
      expect((await admin.delete(`${path}/${id}`)).status).toBe(404);
    channel.nack(first);
    expect(await drain(channel, queue)).toEqual(["a", "b", "d", "e"]);
  });

  it("wants to be told which, and leaves no dead letters", async () => {
    const [queue, dead] = [await amqp.queue(channel), await amqp.queue(channel)];
    const letters = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead };
    const source = await amqp.queue(channel, { arguments: letters });
    await fill(source, ["x", "y"]);
    const { body } = await admin.delete(`/queues/%2F/${queue}/messages`);
    expect(body).toEqual(badRequest("'header', 'property' or 'body' should say which messages, or 'all' be true"));
    expect((await admin.must("DELETE", `/queues/%2F/${source}/messages?body=x`)).body).toEqual({ deleted: 1 });
    expect([await drain(channel, source), await drain(channel, dead)]).toEqual([["y"], []]);
  });
});

describe("moving messages", () => {
  it("takes them as they are to another queue, once and for all", async (context) => {
    needsOwnBroker(context);
    const [from, to] = [amqp.queueName(), amqp.queueName()];
    for (const queue of [from, to]) await channel.assertQueue(queue, { durable: true });
    await fill(from, letters);
    const [, second] = (await browse(from)).items;
    const path = `/queues/%2F/${from}/messages`;
    const one = await admin.must("POST", `${path}/${second?.id}/move`, { routing_key: to });
    expect(one.body).toEqual({ moved: 1, unroutable: 0, rejected: 0 });
    const some = await admin.must("POST", `${path}/move`, {
      exchange: "amq.default",
      routing_key: to,
      header: "parity=even",
    });
    expect(some.body).toEqual({ moved: 3, unroutable: 0, rejected: 0 });
    await broker.kill9();
    await broker.restart();
    channel = await amqp.confirmChannel();
    expect((await browse(to)).items[0]).toMatchObject({
      payload: "b",
      exchange: "",
      routing_key: to,
      properties: { headers: { n: 1, parity: "odd" }, delivery_mode: 2 },
    });
    expect([await drain(channel, from), await drain(channel, to)]).toEqual([["d"], ["b", "a", "c", "e"]]);
  });

  it("leaves them where they are when nothing takes them", async () => {
    const from = await amqp.queue(channel);
    const full = await amqp.queue(channel, { arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } });
    await fill(from, ["a", "b"]);
    const move = async (body: object) => (await admin.must("POST", `/queues/%2F/${from}/messages/move`, body)).body;
    expect(await move({ routing_key: "nowhere", header: "n" })).toEqual({ moved: 0, unroutable: 2, rejected: 0 });
    expect(await move({ routing_key: full, header: "n" })).toEqual({ moved: 1, unroutable: 0, rejected: 1 });
    expect([await drain(channel, from), await drain(channel, full)]).toEqual([["b"], ["a"]]);
  });

  it("to the same queue puts them behind the others, once", async () => {
    const queue = await amqp.queue(channel);
    await fill(queue, letters);
    await admin.must("POST", `/queues/%2F/${queue}/messages/move`, { routing_key: queue, header: "parity=even" });
    expect(await drain(channel, queue)).toEqual(["b", "d", "a", "c", "e"]);
  });

  it("may mean all of them, which has to be said", async () => {
    const queue = await amqp.queue(channel);
    await fill(queue, letters);
    const path = `/queues/%2F/${queue}/messages`;
    const everything = { routing_key: queue, all: true };
    expect((await admin.must("POST", `${path}/move`, everything)).body).toEqual({
      moved: 5,
      unroutable: 0,
      rejected: 0,
    });
    expect((await browse(queue)).items.map(({ payload }) => payload)).toEqual(["a", "b", "c", "d", "e"]);
    const both = badRequest("'all' messages are meant, or those with this header or body");
    expect((await admin.post(`${path}/move`, { ...everything, body: "a" })).body).toEqual(both);
    expect((await admin.delete(`${path}?all=true&header=n`)).body).toEqual(both);
    expect((await admin.delete(`${path}?all=false`)).status).toBe(400);
    expect((await admin.must("DELETE", `${path}?all=true`)).body).toEqual({ deleted: 5 });
    expect(await drain(channel, queue)).toEqual([]);
  });

  it("needs to be told where to, and the right to write there", async () => {
    const queue = await amqp.queue(channel);
    await fill(queue, ["a"]);
    const path = `/queues/%2F/${queue}/messages/move`;
    expect((await admin.post(path, { body: "a" })).body).toEqual(
      badRequest("'exchange' or 'routing_key' should say where to"),
    );
    expect((await admin.post(path, { routing_key: "x" })).body).toEqual(
      badRequest("'header', 'property' or 'body' should say which messages, or 'all' be true"),
    );
    expect((await admin.post(path, { exchange: "none", body: "a" })).status).toBe(404);
    expect((await reader.post(path, { exchange: "amq.fanout", body: "a" })).body).toEqual(
      notAuthorised("Access refused."),
    );
    expect(await drain(channel, queue)).toEqual(["a"]);
  });
});
