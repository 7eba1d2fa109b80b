import { type ChannelModel, connect } from "amqplib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
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
  const address = `${broker.host}:${broker.port}/${encodeURIComponent(vhost)}`;
  const connection = await connect(`amqp://${username}:${password}@${address}`);
  connections.push(connection);
  return await connection.createChannel();
}

/** One request to the HTTP API, as the administrator. Returns the status. */
async function api(method: string, path: string, content?: object): Promise<number> {
  const [username, password] = parity ? ["guest", "guest"] : [first.username, first.password];
  const response = await fetch(`${broker.managementUrl}/api/${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
      "content-type": "application/json",
    },
    body: content === undefined ? null : JSON.stringify(content),
  });
  return response.status;
}

const everything = { configure: ".*", write: ".*", read: ".*" };

/** Makes a virtual host that the user may use; false when the HTTP API cannot do that. */
async function addVhost(name: string): Promise<boolean> {
  const vhost = encodeURIComponent(name);
  const statuses = [await api("PUT", `vhosts/${vhost}`)];
  statuses.push(await api("PUT", `permissions/${vhost}/${first.username}`, everything));
  return statuses.every((status) => status < 300);
}

beforeAll(async () => {
  if (!parity) return;
  await api("PUT", `users/${first.username}`, { password: first.password, tags: "administrator" });
  await addVhost(first.vhost);
});

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});

afterAll(async () => {
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

  it("is closed to users without permissions for it", async () => {
    await expect(open("/")).rejects.toThrow(/ConnectionClose/);
  });
});

describe("two virtual hosts", () => {
  let made = false;

  beforeAll(async () => {
    made = await addVhost(second);
  });

  beforeEach((context) => context.skip(!made, "this broker's HTTP API makes no virtual hosts"));

  afterAll(async () => {
    if (made) await api("DELETE", `vhosts/${encodeURIComponent(second)}`);
  });

  it("have queues, exchanges and messages of their own", async () => {
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

  it("are told apart in the texts of errors", async () => {
    const channel = await open(second);
    channel.on("error", () => {});
    await expect(channel.checkQueue("missing")).rejects.toThrow(`NOT_FOUND - no queue 'missing' in vhost '${second}'`);
  });
});
