import { type ChannelModel, connect } from "amqplib";
import { beforeAll, describe, expect, it } from "vitest";
import { collect, forcedClose, send, unique, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { addUser, asGuest, type ManagementClient, notAuthorised, notFound } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let ann: ManagementClient;
let monitor: ManagementClient;
let outsider: ManagementClient;

beforeAll(async () => {
  ann = await addUser(broker, "ann", ["management"], "/");
  monitor = await addUser(broker, "monitor", ["monitoring"]);
  outsider = await addUser(broker, "outsider", ["management"]);
});

const theirs = { status: 401, body: notAuthorised("User not authorised to access object") };

async function outcome(client: ManagementClient, method: string, to: string) {
  const { status, body } = await client.request(method, to);
  return { status, body };
}

/** Connects and returns the name that the broker gave the connection. */
async function open(username = "guest"): Promise<{ connection: ChannelModel; name: string; path: string }> {
  const clientName = unique("client");
  const password = username === "guest" ? "guest" : `${username}-pw`;
  const url = `amqp://${username}:${password}@${broker.host}:${broker.port}`;
  const connection = await connect(url, { clientProperties: { connection_name: clientName } });
  amqp.keep(connection);
  const rows = Object(await admin.read("/connections"));
  const { name } = rows.find((row: { user_provided_name: string }) => row.user_provided_name === clientName);
  return { connection, name, path: encodeURIComponent(name) };
}

describe("/api/connections", () => {
  it("shows a connection with what the client said of itself", async () => {
    const { connection, name, path } = await open();
    await connection.createChannel();
    const row = await admin.read(`/connections/${path}`);
    expect(row).toMatchObject({
      name,
      user_provided_name: expect.stringMatching(/^test-client-/),
      user: "guest",
      vhost: "/",
      protocol: "AMQP 0-9-1",
      type: "network",
      state: "running",
      channels: 1,
      peer_host: "127.0.0.1",
      host: "127.0.0.1",
      port: broker.port,
      ssl: false,
      auth_mechanism: "PLAIN",
      client_properties: { product: "amqplib", capabilities: { publisher_confirms: true } },
      connected_at: expect.any(Number),
      recv_oct: expect.any(Number),
      send_oct: expect.any(Number),
    });
    expect(Object(row).recv_oct).toBeGreaterThan(0);
    expect(Object(row).send_oct).toBeGreaterThan(0);
    expect(name).toBe(`127.0.0.1:${Object(row).peer_port} -> 127.0.0.1:${broker.port}`);
  });

  it("closes a connection, with the reason that a header gives", async () => {
    for (const [headers, text] of [
      [{ "x-reason": "because I say so" }, "CONNECTION_FORCED - because I say so"],
      [{}, "CONNECTION_FORCED - Closed via management plugin"],
    ] as const) {
      const { connection, path } = await open();
      const closed = forcedClose(connection);
      expect((await admin.request("DELETE", `/connections/${path}`, { headers })).status).toBe(204);
      expect(await closed).toContain(text);
      await eventually(async () => expect((await admin.get(`/connections/${path}`)).status).toBe(404));
    }
    expect(await outcome(admin, "DELETE", "/connections/none")).toEqual({ status: 404, body: notFound });
  });

  it("shows users their own, and lets them close those", async () => {
    const { connection, name, path } = await open("ann");
    const other = await open();
    expect(await ann.read("/connections?columns=name")).toEqual([{ name }]);
    expect((await ann.get(`/connections/${path}`)).status).toBe(200);
    for (const method of ["GET", "DELETE"]) {
      expect(await outcome(ann, method, `/connections/${other.path}`)).toEqual(theirs);
      expect(await outcome(ann, method, "/connections/username/guest")).toEqual(theirs);
    }
    expect(await outcome(ann, "GET", `/connections/${other.path}/channels`)).toEqual(theirs);
    const closed = forcedClose(connection);
    expect((await ann.delete(`/connections/${path}`)).status).toBe(204);
    expect(await closed).toContain("CONNECTION_FORCED");
  });

  it("shows monitors everyone's, but does not let them close those", async () => {
    const { path, name } = await open();
    expect(await monitor.read("/connections?columns=name")).toContainEqual({ name });
    expect((await monitor.get(`/connections/${path}`)).status).toBe(200);
    expect(await outcome(monitor, "DELETE", `/connections/${path}`)).toEqual(theirs);
  });

  it("lists and closes all connections of a user", async () => {
    const { connection, name } = await open("ann");
    expect(await admin.read("/connections/username/ann")).toEqual([
      { name, vhost: "/", user: "ann", node: expect.any(String) },
    ]);
    expect(await admin.read("/connections/username/nobody")).toEqual([]);
    const closed = forcedClose(connection);
    expect((await admin.delete("/connections/username/ann")).status).toBe(204);
    expect(await closed).toContain("Closed via management plugin");
    expect((await admin.delete("/connections/username/ann")).status).toBe(204);
  });

  it("is listed by vhost for those who may use it", async () => {
    const { name } = await open();
    expect(await admin.read("/vhosts/%2F/connections?columns=name")).toContainEqual({ name });
    for (const list of ["connections", "channels"]) {
      expect(await outcome(outsider, "GET", `/vhosts/%2F/${list}`)).toEqual({
        status: 401,
        body: notAuthorised("User not authorised to access virtual host"),
      });
      expect((await admin.get(`/vhosts/nowhere/${list}`)).status).toBe(404);
    }
  });
});

describe("/api/channels", () => {
  it("shows a channel and how it is set up", async () => {
    const { connection, name, path } = await open();
    const channel = await connection.createConfirmChannel();
    await channel.prefetch(7);
    await channel.prefetch(9, true);
    const row = {
      name: `${name} (1)`,
      number: 1,
      user: "guest",
      vhost: "/",
      state: "running",
      confirm: true,
      transactional: false,
      prefetch_count: 7,
      global_prefetch_count: 9,
      consumer_count: 0,
      messages_unacknowledged: 0,
      messages_unconfirmed: 0,
      connection_details: { name, peer_host: "127.0.0.1" },
    };
    const one = `/channels/${encodeURIComponent(`${name} (1)`)}`;
    expect(await admin.read(one)).toMatchObject({ ...row, consumer_details: [], publishes: [], deliveries: [] });
    for (const list of ["/channels", `/connections/${path}/channels`, "/vhosts/%2F/channels"]) {
      expect(await admin.read(list)).toContainEqual(expect.objectContaining({ name: row.name, confirm: true }));
    }
    expect(await outcome(ann, "GET", one)).toEqual(theirs);
    expect(await ann.read("/channels")).toEqual([]);
    expect(await outcome(admin, "GET", "/channels/none")).toEqual({ status: 404, body: notFound });
  });
});

describe("/api/consumers", () => {
  it("shows consumers with their queue and channel", async () => {
    const { connection, name } = await open();
    const channel = await connection.createChannel();
    const queue = await amqp.queue(channel);
    await channel.prefetch(1);
    const inbox = await collect(channel, queue, { noAck: false, priority: 5 });
    send(channel, queue, ["one", "two"]);
    await eventually(() => expect(inbox.bodies).toEqual(["one"]));
    const row = {
      consumer_tag: inbox.tag,
      queue: { name: queue, vhost: "/" },
      ack_required: true,
      exclusive: false,
      active: true,
      activity_status: "up",
      prefetch_count: 1,
      arguments: { "x-priority": 5 },
      channel_details: {
        name: `${name} (1)`,
        number: 1,
        connection_name: name,
        node: expect.any(String),
        user: "guest",
        peer_host: "127.0.0.1",
        peer_port: expect.any(Number),
      },
    };
    for (const list of ["/consumers", "/consumers/%2F"]) expect(await admin.read(list)).toContainEqual(row);
    expect(await admin.read(`/queues/%2F/${queue}`)).toMatchObject({ consumers: 1, consumer_details: [row] });
    const one = `/channels/${encodeURIComponent(`${name} (1)`)}`;
    expect(await admin.read(one)).toMatchObject({ messages_unacknowledged: 1, consumer_details: [row] });
    expect(await ann.read("/consumers")).toEqual([]);
    expect((await outsider.get("/consumers/%2F")).status).toBe(401);
  });

  it("says which of several is the active one", async () => {
    const channel = await amqp.channel();
    const queue = await amqp.queue(channel, { arguments: { "x-single-active-consumer": true } });
    const [first, second] = [await collect(channel, queue), await collect(channel, queue)];
    expect(await admin.read(`/queues/%2F/${queue}`)).toMatchObject({ single_active_consumer_tag: first.tag });
    const rows = await admin.read("/consumers?columns=consumer_tag,active,activity_status");
    expect(rows).toContainEqual({ consumer_tag: first.tag, active: true, activity_status: "single_active" });
    expect(rows).toContainEqual({ consumer_tag: second.tag, active: false, activity_status: "waiting" });
  });
});

describe("addresses, on a broker that listens for IPv6 and IPv4 alike", () => {
  const dual = useBroker({ args: ["--host", "::"], logLevel: "info" });

  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["[::1]", "::1"],
  ])("are written as RabbitMQ writes them: %s", async (shown, plain) => {
    const connection = await connect(`amqp://guest:guest@${shown}:${dual.port}`);
    try {
      const [row] = Object(await asGuest(dual).read("/connections"));
      expect(row).toMatchObject({ peer_host: plain, host: plain });
      expect(row.name).toBe(`${shown}:${row.peer_port} -> ${shown}:${dual.port}`);
      await eventually(() => expect(dual.log()).toContain(`"connection":"${row.name}"`));
    } finally {
      await connection.close();
      await eventually(async () => expect(await asGuest(dual).read("/connections")).toEqual([]));
    }
  });
});
