import { type ChannelModel, connect } from "amqplib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { drain, send, unique } from "../support/amqp-client.ts";
import { parity, useBroker } from "../support/broker.ts";

const first = { vhost: "web_develop", username: "web", password: "secret" };
const second = unique("vhost/with a slash");

const broker = useBroker({
  env: {
    RABBITMQ_DEFAULT_VHOST: first.vhost,
    RABBITMQ_DEFAULT_USER: first.username,
    RABBITMQ_DEFAULT_PASS: first.password,
  },
});
const connections: ChannelModel[] = [];

async function open(vhost: string) {
  const { username, password } = first;
  const { hostname, port } = { hostname: broker.host, port: broker.port };
  const connection = await connect(`amqp://${username}:${password}@${hostname}:${port}/${encodeURIComponent(vhost)}`);
  connections.push(connection);
  return await connection.createChannel();
}

/** One request to the HTTP API, as the administrator. */
async function api(method: string, path: string, content?: object): Promise<void> {
  const [username, password] = parity ? ["guest", "guest"] : [first.username, first.password];
  const response = await fetch(`${broker.managementUrl}/api/${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
      "content-type": "application/json",
    },
    body: content === undefined ? null : JSON.stringify(content),
  });
  expect(`${method} ${path}: ${response.ok}`).toBe(`${method} ${path}: true`);
}

const everything = { configure: ".*", write: ".*", read: ".*" };

beforeAll(async () => {
  if (parity) {
    await api("PUT", `users/${first.username}`, { password: first.password, tags: "administrator" });
    await api("PUT", `vhosts/${first.vhost}`);
    await api("PUT", `permissions/${first.vhost}/${first.username}`, everything);
  }
  await api("PUT", `vhosts/${encodeURIComponent(second)}`);
  await api("PUT", `permissions/${encodeURIComponent(second)}/${first.username}`, everything);
});

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});

afterAll(async () => {
  await api("DELETE", `vhosts/${encodeURIComponent(second)}`);
  if (!parity) return;
  await api("DELETE", `vhosts/${first.vhost}`);
  await api("DELETE", `users/${first.username}`);
});

describe("a virtual host", () => {
  it("and its user can be named by the environment at the first start", async () => {
    const channel = await open(first.vhost);
    const { queue } = await channel.assertQueue("", { exclusive: true });
    for (const name of ["direct", "fanout", "topic", "headers", "match"]) await channel.checkExchange(`amq.${name}`);
    send(channel, queue, ["hello"]);
    expect(await drain(channel, queue)).toEqual(["hello"]);
  });

  it("has queues, exchanges and messages of its own", async () => {
    const [one, two] = [await open(first.vhost), await open(second)];
    const name = unique("same");
    await one.assertQueue(name, { durable: true });
    await two.assertQueue(name, { durable: false });
    await one.assertExchange(name, "fanout");
    await two.assertExchange(name, "direct");
    await one.bindQueue(name, name, "");
    send(one, name, ["in the first"]);
    one.publish(name, "", Buffer.from("in the first too"));
    two.publish(name, name, Buffer.from("bound nowhere"));
    expect(await drain(two, name)).toEqual([]);
    expect(await drain(one, name)).toEqual(["in the first", "in the first too"]);
  });

  it("is closed to users without permissions for it", async () => {
    await expect(open("/")).rejects.toThrow(/ConnectionClose/);
  });

  it("is named in the texts of errors", async () => {
    const channel = await open(second);
    channel.on("error", () => {});
    await expect(channel.checkQueue("missing")).rejects.toThrow(`NOT_FOUND - no queue 'missing' in vhost '${second}'`);
  });
});
