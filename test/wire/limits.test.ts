import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { Authority } from "../support/certificates.ts";
import { type LimitedBroker, startLimited } from "../support/limited-broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";
import { WireClient } from "../support/wire-client.ts";
import { type Fields, Tagged } from "../support/wire-codec.ts";

/** What a client may pile up, the setting that ends it, and what the client that goes beyond it is told. */
interface Limit {
  readonly what: string;
  readonly setting: string;
  /** Goes up to the limit, which must work, and one beyond. Returns who is refused. */
  readonly exceed: (broker: LimitedBroker) => Promise<WireClient>;
  readonly text: string;
}

/** A table in a table, so many times. */
function nested(depth: number): Fields {
  return depth === 0 ? {} : { inner: nested(depth - 1) };
}

async function withChannels(broker: LimitedBroker, count: number): Promise<WireClient> {
  const client = await WireClient.open(broker);
  for (let number = 1; number <= count; number++) await client.openChannel(number);
  return client;
}

/** A connection that says nothing. */
async function silentClient(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket.resume().on("error", () => {});
}

/** Gives the lines of a configuration with a port for TLS. */
async function withCertificate(use: (lines: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "tsbroker-limits-"));
  try {
    const { certfile, keyfile } = new Authority(directory, "ca").issue("server", { subject: "/CN=server" });
    const files = `ssl_options.certfile = ${certfile}\nssl_options.keyfile = ${keyfile}`;
    await use(`listeners.ssl.default = 127.0.0.1:0\n${files}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function publishWith(broker: LimitedBroker, fits: Fields, exceeds: Fields): Promise<WireClient> {
  const client = await withChannels(broker, 1);
  await client.call(1, "confirm.select");
  client.publish(1, { "routing-key": "nobody" }, "", { headers: fits });
  await client.expect("basic.ack");
  client.publish(1, { "routing-key": "nobody" }, "", { headers: exceeds });
  return client;
}

const limits: Limit[] = [
  {
    what: "connections",
    setting: "connection_max = 2",
    exceed: async (broker) => {
      for (let i = 0; i < 2; i++) await WireClient.open(broker);
      const client = await WireClient.connect(broker);
      await client.tune();
      client.sendMethod(0, "connection.open", { "virtual-host": "/" });
      return client;
    },
    text: "NOT_ALLOWED - connection refused: node connection limit (2) is reached",
  },
  {
    what: "channels of a connection",
    setting: "channel_max = 2",
    exceed: async (broker) => {
      const client = await withChannels(broker, 2);
      client.sendMethod(3, "channel.open");
      return client;
    },
    text: "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)",
  },
  {
    what: "channels",
    setting: "channel_max_per_node = 3",
    exceed: async (broker) => {
      await withChannels(broker, 2);
      const client = await withChannels(broker, 1);
      client.sendMethod(2, "channel.open");
      return client;
    },
    text: "NOT_ALLOWED - number of channels opened on node '<node>' has reached the maximum allowed limit of (3)",
  },
  {
    what: "consumers of a channel",
    setting: "consumer_max_per_channel = 2",
    exceed: async (broker) => {
      const client = await withChannels(broker, 1);
      await client.call(1, "queue.declare", { queue: "q" });
      for (let i = 0; i < 2; i++) await client.call(1, "basic.consume", { queue: "q" });
      client.sendMethod(1, "basic.consume", { queue: "q" });
      return client;
    },
    text: "NOT_ALLOWED - reached maximum (2) of consumers per channel",
  },
  {
    what: "queues",
    setting: "cluster_queue_limit = 2",
    exceed: async (broker) => {
      const client = await withChannels(broker, 1);
      for (const queue of ["a", "b", "b"]) await client.call(1, "queue.declare", { queue });
      client.sendMethod(1, "queue.declare", { queue: "c" });
      return client;
    },
    text: "PRECONDITION_FAILED - cannot declare queue 'c': queue limit in cluster (2) is reached",
  },
  {
    what: "exchanges, with the nine that the default virtual host has",
    setting: "cluster_exchange_limit = 10",
    exceed: async (broker) => {
      const client = await withChannels(broker, 1);
      for (const exchange of ["a", "a"]) await client.call(1, "exchange.declare", { exchange, type: "direct" });
      client.sendMethod(1, "exchange.declare", { exchange: "b", type: "direct" });
      return client;
    },
    text: "PRECONDITION_FAILED - cannot declare exchange 'b' in vhost '/': exchange limit of 10 is reached",
  },
  {
    what: "the size of a frame",
    setting: "frame_max = 4096",
    exceed: async (broker) => {
      const client = await withChannels(broker, 1);
      client.sendFrame(3, 1, Buffer.alloc(8192));
      return client;
    },
    text: "FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,8192,4088}",
  },
  {
    what: "the size of a frame before the login",
    setting: "initial_frame_max = 4096",
    exceed: async (broker) => {
      const client = await WireClient.connect(broker);
      client.sendProtocolHeader();
      await client.expect("connection.start");
      client.sendFrame(1, 0, Buffer.alloc(6000));
      return client;
    },
    text: "FRAME_ERROR - type 1, all octets = <<>>: {frame_too_large,6000,4088}",
  },
  {
    what: "the size of a message",
    setting: "max_message_size = 10",
    exceed: async (broker) => {
      const client = await withChannels(broker, 1);
      client.publish(1, {}, "0123456789");
      client.publish(1, {}, "0123456789a");
      return client;
    },
    text: "PRECONDITION_FAILED - message size 11 is larger than configured max size 10",
  },
  {
    what: "the size of the headers of a message",
    setting: "header_max_size = 512",
    exceed: (broker) => publishWith(broker, { h: "x".repeat(400) }, { h: "x".repeat(600) }),
    text: "PRECONDITION_FAILED - headers of 611 bytes are larger than configured max size 512",
  },
  {
    what: "the depth of the headers of a message",
    setting: "header_depth_max = 3",
    exceed: (broker) => publishWith(broker, nested(3), nested(4)),
    text: "PRECONDITION_FAILED - headers are nested deeper than configured max depth 3",
  },
  {
    what: "the arrays in the headers of a message",
    setting: "header_depth_max = 1",
    exceed: (broker) => publishWith(broker, { a: new Tagged("A", []) }, { a: new Tagged("A", [new Tagged("A", [])]) }),
    text: "PRECONDITION_FAILED - headers are nested deeper than configured max depth 1",
  },
  {
    what: "content that is not complete",
    setting: "unfinished_max_size = 1MiB",
    exceed: async (broker) => {
      const client = await withChannels(broker, 2);
      for (const channel of [1, 2]) {
        client.sendMethod(channel, "basic.publish", {});
        client.sendContentHeader(channel, 1024 * 1024);
        for (let i = 0; i < 7; i++) client.sendBody(channel, Buffer.alloc(131_000));
      }
      return client;
    },
    text: "RESOURCE_ERROR - messages that are not complete take more than 1048576 bytes",
  },
];

async function withBroker(setting: string, act: (limited: LimitedBroker) => Promise<void>): Promise<void> {
  const limited = await startLimited(setting);
  try {
    await act(limited);
  } finally {
    for (const connection of [...limited.broker.core.connections.list()]) connection.drop();
    await limited.broker.stop("test");
  }
}

describe("a limit on", () => {
  it.each(limits)("$what: $setting", ({ setting, exceed, text }) =>
    withBroker(setting, async (limited) => {
      const client = await exceed(limited);
      const { name, fields } = await client.nextMethod("a close");
      expect(name).toMatch(/^(channel|connection)\.close$/);
      expect(String(fields["reply-text"]).replace(/rabbit@[^']+/, "<node>")).toBe(text);
    }),
  );

  it("content that is not complete counts only what is there: messages that follow each other fit", () =>
    withBroker("unfinished_max_size = 1MiB", async (limited) => {
      const client = await withChannels(limited, 1);
      await client.call(1, "confirm.select");
      for (let tag = 1; tag <= 4; tag++) {
        client.publish(1, {}, Buffer.alloc(700_000));
        await client.expect("basic.ack");
      }
    }));

  it("memory stops a publisher in the middle of a message", () =>
    withBroker("", async (limited) => {
      const { alarms } = limited.broker.core;
      const client = await withChannels(limited, 1);
      await client.call(1, "confirm.select");
      alarms.put("low on memory", "test", true);
      client.sendMethod(1, "basic.publish", {});
      client.sendContentHeader(1, 300_000);
      client.sendBody(1, Buffer.alloc(100_000));
      expect(await client.expect("connection.blocked")).toEqual({ reason: "low on memory" });
      for (let i = 0; i < 2; i++) client.sendBody(1, Buffer.alloc(100_000));
      alarms.put("low on memory", "test", false);
      await client.expect("connection.unblocked");
      await client.expect("basic.ack");
    }));

  it("vhosts", () =>
    withBroker("vhost_max = 2", async (limited) => {
      const api = asGuest(limited);
      expect((await api.put("/vhosts/second")).status).toBe(201);
      expect((await api.put("/vhosts/second")).status).toBe(204);
      const refused = await api.put("/vhosts/third");
      expect(refused.status).toBe(400);
      expect(Object(refused.body).reason).toContain("cannot create vhost 'third': vhost limit of 2 is reached");
    }));

  it("what definitions bring, of which then nothing is taken", () =>
    withBroker("cluster_queue_limit = 1", async (limited) => {
      const api = asGuest(limited);
      const queue = { vhost: "/", durable: true, auto_delete: false, arguments: {} };
      const queues = ["a", "b"].map((name) => ({ ...queue, name }));
      const refused = await api.post("/definitions", { queues });
      expect(refused.status).toBe(400);
      expect(Object(refused.body).reason).toContain("queue limit in cluster (1) is reached");
      expect(await api.read("/queues")).toEqual([]);
    }));

  it("connections that have not logged in: more are closed, those that did are served, and room is made", () =>
    withBroker("handshake_max = 2\nhandshake_timeout = 300000", async (limited) => {
      const known = await withChannels(limited, 1);
      const silent = [await WireClient.connect(limited), await WireClient.connect(limited)];
      await eventually(() => expect(limited.broker.core.connections.handshakes).toBe(2));
      const refused = await WireClient.connect(limited);
      expect(await refused.next("the end")).toEqual({ type: "closed" });
      await known.call(1, "queue.declare", { queue: "q" });
      silent[0]?.destroy();
      await eventually(async () => await WireClient.open(limited));
    }));

  it("handshakes of TLS count among them, until they are over", () =>
    withCertificate((certificate) =>
      withBroker(`handshake_max = 3\nssl_handshake_timeout = 300000\n${certificate}`, async (limited) => {
        const { connections } = limited.broker.core;
        const port = limited.broker.ports.amqps ?? 0;
        const silent = [await silentClient(port), await silentClient(port), await silentClient(port)];
        await eventually(() => expect(connections.handshakes).toBe(3));
        for (const refused of [await silentClient(port), await silentClient(limited.port)]) {
          await once(refused, "close");
        }
        // One goes, and one says what is not TLS: there is room for two more.
        silent[0]?.destroy();
        silent[1]?.write("AMQP\0\0\x09\x01 and more that is no TLS");
        await eventually(() => expect(connections.handshakes).toBe(1));
        const secured = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
        await once(secured, "secureConnect");
        await WireClient.open(limited);
        // With TLS behind it, it is as far as anyone who has connected without.
        await eventually(() => expect(connections.handshakes).toBe(2));
        secured.destroy();
        await eventually(() => expect(connections.handshakes).toBe(1));
      }),
    ));

  it("the time of a handshake", () =>
    withBroker("handshake_timeout = 50", async (limited) => {
      const silent = await WireClient.connect(limited);
      expect(await silent.next("the end")).toEqual({ type: "closed" });
      const half = await WireClient.connect(limited);
      half.sendProtocolHeader();
      await half.expect("connection.start");
      expect(await half.next("the end")).toEqual({ type: "closed" });
    }));

  it("silence, by the heartbeat that was agreed on", () =>
    withBroker("heartbeat = 1", async (limited) => {
      const client = await WireClient.connect(limited);
      const { tune } = await client.tune({ heartbeat: 1 });
      expect(tune["heartbeat"]).toBe(1);
      client.sendMethod(0, "connection.open", { "virtual-host": "/" });
      await client.expect("connection.open-ok");
      expect(await client.next("the end")).toEqual({ type: "closed" });
    }));

  it("wrong passwords", () =>
    withBroker("login_backoff.failures = 2\nlogin_backoff.max = 300000", async (limited) => {
      for (let i = 0; i < 2; i++) await expect(WireClient.open(limited, { password: "no" })).rejects.toThrow("403");
      await expect(WireClient.open(limited)).rejects.toThrow("403");
    }));

  it("bytes that wait for a client which does not read: it is not read from", () =>
    withBroker("unsent_max_size = 64KiB", async (limited) => {
      const client = await withChannels(limited, 1);
      client.detach().pause();
      const body = Buffer.alloc(64 * 1024);
      const send = () => client.publish(1, { "routing-key": "nobody", mandatory: true }, body);
      const [connection] = limited.broker.core.connections.list();
      await eventually(() => {
        send();
        expect(connection?.details().state).toBe("flow");
      });
      const { bytesPending } = connection?.details() ?? {};
      expect(bytesPending).toBeGreaterThan(64 * 1024);
      // One read may bring that much on top.
      expect(bytesPending).toBeLessThan(64 * 1024 * 8);
      client.destroy();
    }));

  it("bytes of direct replies that wait for a client which does not read: further ones are dropped", () =>
    withBroker("unsent_reply_max_size = 64KiB", async (limited) => {
      const asking = await withChannels(limited, 1);
      await asking.call(1, "queue.declare", { queue: "requests" });
      await asking.call(1, "basic.consume", { queue: "amq.rabbitmq.reply-to", "no-ack": true });
      asking.publish(1, { "routing-key": "requests" }, "?", { "reply-to": "amq.rabbitmq.reply-to" });
      const answering = await withChannels(limited, 1);
      await answering.call(1, "confirm.select");
      answering.sendMethod(1, "basic.get", { queue: "requests", "no-ack": true });
      await answering.expect("basic.get-ok");
      const { properties } = await answering.nextContent();
      asking.detach().pause();
      const [connection] = limited.broker.core.connections.list();
      let pending = 0;
      for (let i = 0; i < 200; i++) {
        answering.publish(1, { "routing-key": properties["reply-to"] }, Buffer.alloc(256 * 1024));
        await answering.expect("basic.ack");
        pending = Math.max(pending, connection?.details().bytesPending ?? 0);
      }
      expect(pending).toBeGreaterThan(64 * 1024);
      expect(pending).toBeLessThan(1024 * 1024);
      asking.destroy();
    }));
});
