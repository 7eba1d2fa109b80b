import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { parity, TestBroker, useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest, everything, ManagementClient } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");
const peerUrl = process.env["RABBITMQ_PEER_URL"];

/** A broker that is to be left, and its two addresses. */
interface Old {
  readonly amqp: string;
  readonly http: string;
}

const vhost = unique("moved");

function managementOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `http://${hostname}:${Number(port) + 10_000}`;
}

function api({ http }: Old): ManagementClient {
  return new ManagementClient({ managementUrl: http }, `Basic ${Buffer.from("guest:guest").toString("base64")}`);
}

/** A vhost with an exchange, a policy, two queues, a user and some messages. */
async function fill(old: Old): Promise<void> {
  const admin = api(old);
  await admin.must("PUT", `/vhosts/${vhost}`);
  await admin.must("PUT", `/permissions/${vhost}/guest`, everything);
  await admin.must("PUT", `/exchanges/${vhost}/work`, { type: "topic", durable: true });
  await admin.must("PUT", `/queues/${vhost}/orders`, { durable: true, arguments: { "x-max-priority": 5 } });
  await admin.must("PUT", `/queues/${vhost}/safe`, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await admin.must("POST", `/bindings/${vhost}/e/work/q/orders`, { routing_key: "order.#" });
  await admin.must("PUT", `/policies/${vhost}/limit`, { pattern: "^safe$", definition: { "max-length": 9000 } });
  const connection = await connect(`${old.amqp}/${vhost}`);
  const channel = await connection.createConfirmChannel();
  const headers = { tenant: "acme", nested: { list: [1, "two"] } };
  for (let i = 0; i < 1200; i++) {
    channel.publish("work", `order.${i}`, Buffer.from(`order ${i}`), { persistent: true, messageId: `${i}`, headers });
  }
  for (let i = 0; i < 30; i++) channel.sendToQueue("safe", Buffer.from(`safe ${i}`), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
  // RabbitMQ's API knows of messages a moment later.
  await eventually(async () => {
    const rows = Object.values(Object(await admin.read(`/queues/${vhost}`)));
    expect(rows.map((row) => Object(row)["messages_ready"])).toEqual([1200, 30]);
  });
}

function moves(name: string, start: () => Promise<Old>, stop: (old: Old) => Promise<void>) {
  describe(`import --from ${name}`, () => {
    let old: Old;
    beforeAll(async () => {
      old = await start();
      await fill(old);
    });
    afterAll(() => stop(old));

    it("copies the definitions, moves the messages in their order, and checks the counts", async () => {
      const from = ["import", "-p", vhost, "--from", old.http.replace("//", "//guest:guest@"), "--from-amqp", old.amqp];
      const printed = await brokerctl.json(...from);
      expect(printed).toEqual([
        { vhost, name: "orders", messages: 1200, moved: 1200, arrived: 1200 },
        { vhost, name: "safe", messages: 30, moved: 30, arrived: 30 },
      ]);
      const admin = asGuest(broker);
      expect(await admin.read(`/queues/${vhost}/safe`)).toMatchObject({ type: "quorum", policy: "limit" });
      expect(await admin.read(`/bindings/${vhost}/e/work/q/orders`)).toMatchObject([{ routing_key: "order.#" }]);
      const connection = await connect(`${broker.url}/${vhost}`);
      const channel = await connection.createChannel();
      const bodies: string[] = [];
      for (let i = 0; i < 3; i++) {
        const message = await channel.get("orders", { noAck: true });
        if (message !== false) bodies.push(message.content.toString());
        expect(message).toMatchObject({
          properties: { deliveryMode: 2, messageId: `${i}`, headers: { tenant: "acme", nested: { list: [1, "two"] } } },
        });
      }
      expect(bodies).toEqual(["order 0", "order 1", "order 2"]);
      await connection.close();
      const there = await connect(`${old.amqp}/${vhost}`);
      expect((await (await there.createChannel()).checkQueue("orders")).messageCount).toBe(0);
      await there.close();
      await admin.must("DELETE", `/vhosts/${vhost}`);
    });
  });
}

describe("import --from", () => {
  it("says what is wrong with its arguments", async () => {
    expect(await brokerctl.run(["import", "x.json", "--from", "http://localhost:1"])).toMatchObject({ exitCode: 64 });
    expect(await brokerctl.run(["import", "--from", "localhost"])).toMatchObject({ exitCode: 65 });
    expect(await brokerctl.run(["import", "--from", "http://localhost:1"])).toMatchObject({ exitCode: 69 });
  });
});

/** What a broker with streams, a shovel and federation says of itself. */
const foreign = {
  rabbitmq_version: "4.1.0",
  queues: [
    { name: "tasks", vhost: "/", durable: true, auto_delete: false, arguments: {} },
    { name: "events", vhost: "/", durable: true, auto_delete: false, arguments: { "x-queue-type": "stream" } },
  ],
  bindings: ["tasks", "events"].map((destination) => ({
    ...{ source: "amq.topic", vhost: "/", destination, destination_type: "queue", routing_key: "#", arguments: {} },
  })),
  parameters: [{ component: "shovel", name: "away", vhost: "/", value: { "src-queue": "tasks" } }],
  policies: [
    { name: "far", vhost: "/", pattern: "^far", "apply-to": "all", definition: { "federation-upstream-set": "all" } },
    {
      ...{ name: "both", vhost: "/", pattern: "^tasks$", "apply-to": "queues" },
      definition: { "federation-upstream": "there", "max-length": 10, "max-age": "1h" },
    },
  ],
};

describe("import --from a RabbitMQ with more than there is here", () => {
  const server = createServer((_, response) => response.end(JSON.stringify(foreign)));
  beforeAll(() => once(server.listen(0, "127.0.0.1"), "listening"));
  afterAll(() => server.close());

  it("leaves that out and says so", async () => {
    const { port } = Object(server.address());
    const from = ["import", "--definitions-only", "--from", `http://guest:guest@127.0.0.1:${port}`];
    const { exitCode, stdout, stderr } = await brokerctl.run(from);
    expect(exitCode, stderr).toBe(0);
    const said = (stdout + stderr).split("\n").filter((line) => line.startsWith("left out"));
    expect(said).toEqual([
      "left out: stream events in /",
      "left out: parameter shovel away",
      "left out: rule federation-upstream-set of policy far in /",
      "left out: rule federation-upstream of policy both in /",
    ]);
    const admin = asGuest(broker);
    expect(await admin.read("/queues/%2F?columns=name,policy")).toEqual([{ name: "tasks", policy: "both" }]);
    expect(await admin.read("/policies/%2F")).toMatchObject([
      { name: "both", definition: { "max-length": 10, "max-age": "1h" } },
    ]);
    expect(await admin.read("/exchanges/%2F/amq.topic/bindings/source")).toMatchObject([{ destination: "tasks" }]);
  });
});

const second = new TestBroker();
moves(
  "another tsbroker",
  async () => {
    await second.start();
    return { amqp: second.url, http: second.managementUrl };
  },
  () => second.stop(),
);

if (peerUrl !== undefined && !parity) {
  moves(
    "a RabbitMQ",
    async () => ({ amqp: peerUrl, http: managementOf(peerUrl) }),
    async (old) => {
      await api(old).must("DELETE", `/vhosts/${vhost}`);
    },
  );
}
