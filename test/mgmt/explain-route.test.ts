import { beforeAll, describe, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { addUser, asGuest, notFound } from "../support/management.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);

async function routeOf(exchange: string, routingKey: string, headers: object = {}): Promise<unknown> {
  const query = new URLSearchParams({ routing_key: routingKey, headers: JSON.stringify(headers) });
  return admin.read(`/exchanges/%2F/${exchange}/route?${query}`);
}

function queuesOf(answer: unknown): unknown {
  return Object(answer).queues;
}

beforeAll(async () => {
  for (const queue of ["all", "news", "sport", "left"]) await admin.must("PUT", `/queues/%2F/${queue}`);
  await admin.must("PUT", "/exchanges/%2F/entry", { type: "topic", arguments: { "alternate-exchange": "rest" } });
  await admin.must("PUT", "/exchanges/%2F/fan", { type: "fanout" });
  await admin.must("PUT", "/exchanges/%2F/rest", { type: "fanout" });
  await admin.must("POST", "/bindings/%2F/e/entry/q/news", { routing_key: "news.#" });
  await admin.must("POST", "/bindings/%2F/e/entry/q/news", { routing_key: "other" });
  await admin.must("POST", "/bindings/%2F/e/entry/e/fan", { routing_key: "*.now" });
  await admin.must("POST", "/bindings/%2F/e/fan/e/entry", { routing_key: "" });
  await admin.must("POST", "/bindings/%2F/e/fan/q/all", { routing_key: "" });
  await admin.must("POST", "/bindings/%2F/e/rest/q/left", { routing_key: "" });
});

describe("where a message would go", () => {
  it("is told with the bindings that lead there, through exchanges and round cycles", async () => {
    const by = (exchange: string, type: string, destination: string, key: string) => ({
      exchange,
      destination,
      destination_type: type,
      via: "binding",
      routing_key: key,
      arguments: {},
    });
    expect(await routeOf("entry", "news.now")).toEqual({
      queues: ["news", "all"],
      delayed: false,
      steps: expect.arrayContaining([
        by("entry", "queue", "news", "news.#"),
        by("entry", "exchange", "fan", "*.now"),
        by("fan", "queue", "all", ""),
      ]),
    });
  });

  it("is the alternate exchange when nothing is bound, and nowhere when there is none", async () => {
    const answer = Object(await routeOf("entry", "unknown"));
    expect(answer.queues).toEqual(["left"]);
    expect(answer.steps[0]).toMatchObject({ exchange: "entry", destination: "rest", via: "alternate exchange" });
    expect(await routeOf("amq.direct", "unknown")).toEqual({ queues: [], delayed: false, steps: [] });
  });

  it("is the queue of that name at the default exchange", async () => {
    expect(queuesOf(await routeOf("amq.default", "sport"))).toEqual(["sport"]);
    expect(queuesOf(await routeOf("amq.default", "none"))).toEqual([]);
  });

  it("depends on headers, CC and delays", async () => {
    await admin.must("POST", "/bindings/%2F/e/amq.headers/q/sport", { arguments: { "x-match": "all", kind: "goal" } });
    expect(queuesOf(await routeOf("amq.headers", "", { kind: "goal" }))).toEqual(["sport"]);
    expect(queuesOf(await routeOf("amq.headers", "", { kind: "foul" }))).toEqual([]);
    expect(queuesOf(await routeOf("amq.default", "sport", { CC: ["all"] }))).toEqual(["sport", "all"]);
    await admin.must("PUT", "/exchanges/%2F/later", {
      type: "x-delayed-message",
      arguments: { "x-delayed-type": "fanout" },
    });
    await admin.must("POST", "/bindings/%2F/e/later/q/all", { routing_key: "" });
    expect(await routeOf("later", "", { "x-delay": 1000 })).toMatchObject({ queues: ["all"], delayed: true });
  });

  it("agrees with where a message goes, and leaves no trace", async () => {
    const channel = await amqp.confirmChannel();
    await admin.must("PUT", "/exchanges/%2F/history", { type: "x-recent-history" });
    await routeOf("history", "");
    const late = await amqp.queue(channel);
    await channel.bindQueue(late, "history", "");
    expect(await channel.checkQueue(late)).toMatchObject({ messageCount: 0 });
    channel.publish("entry", "news.now", Buffer.from("x"));
    await channel.waitForConfirms();
    const counts = await Promise.all(["news", "all", "sport"].map((queue) => channel.checkQueue(queue)));
    expect(counts.map(({ messageCount }) => messageCount)).toEqual([1, 1, 0]);
  });

  it("is refused where there is no such exchange, with headers that are none, and to strangers", async () => {
    expect(await admin.get("/exchanges/%2F/nothing/route")).toMatchObject({ status: 404, body: notFound });
    expect((await admin.get("/exchanges/%2F/entry/route?headers=%5B1%5D")).status).toBe(400);
    const outsider = await addUser(broker, "outsider", ["management"]);
    expect((await outsider.get("/exchanges/%2F/entry/route")).status).toBe(401);
  });
});
