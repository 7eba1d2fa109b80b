import { connect, credentials } from "amqplib";
import { describe, expect, it } from "vitest";
import { collect, counts, nextError, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually, within } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("a connection", () => {
  it("tells who the broker is and what it can do", async () => {
    const { serverProperties } = (await client.connect()).connection;
    expect(serverProperties).toMatchObject({
      product: expect.any(String),
      version: expect.stringMatching(/^\d+\.\d+/),
      platform: expect.any(String),
      capabilities: {
        publisher_confirms: true,
        exchange_exchange_bindings: true,
        "basic.nack": true,
        consumer_cancel_notify: true,
        "connection.blocked": true,
        consumer_priorities: true,
        authentication_failure_close: true,
        per_consumer_qos: true,
        direct_reply_to: true,
      },
    });
  });

  it("carries many channels that do not mix up", async () => {
    const connection = await client.connect();
    const inboxes = [];
    for (let index = 0; index < 100; index++) {
      const channel = await client.channel(connection);
      const { queue } = await channel.assertQueue("", { exclusive: true });
      inboxes.push(await collect(channel, queue));
      send(channel, queue, [String(index)]);
    }
    for (const [index, inbox] of inboxes.entries()) {
      await eventually(() => expect(inbox.bodies).toEqual([String(index)]));
    }
  });

  it("gives a channel's number to the next one after it closed", async () => {
    const connection = await connect(`${broker.url}?channelMax=2`);
    for (let round = 0; round < 5; round++) {
      const channels = [await connection.createChannel(), await connection.createChannel()];
      for (const channel of channels) await channel.close();
    }
    await connection.close();
  });

  it("survives the errors of its channels", async () => {
    const connection = await client.connect();
    const healthy = await client.channel(connection);
    const queue = await client.queue(healthy);
    const inbox = await collect(healthy, queue);
    for (let round = 0; round < 3; round++) {
      const channel = await client.channel(connection);
      await expect(channel.checkQueue(client.queueName())).rejects.toMatchObject({ code: 404 });
    }
    send(healthy, queue, ["still here"]);
    await eventually(() => expect(inbox.bodies).toEqual(["still here"]));
  });

  it("takes what it can with it when a channel is closed: consumers go, unacknowledged messages return", async () => {
    const connection = await client.connect();
    const [first, second] = [await client.channel(connection), await client.channel(connection)];
    const queue = await client.queue(first);
    const inbox = await collect(first, queue, { noAck: false });
    send(second, queue, ["a", "b"]);
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b"]));
    await first.close();
    expect(await counts(second, queue)).toEqual({ messageCount: 2, consumerCount: 0 });
  });

  it("with the wrong password is refused in words", async () => {
    const url = new URL(broker.url);
    url.password = "wrong";
    await expect(connect(url.href)).rejects.toThrow(
      "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.",
    );
  });

  it("may log in with AMQPLAIN", async () => {
    const connection = await connect(broker.url, { credentials: credentials.amqplain("guest", "guest") });
    await connection.createChannel();
    await connection.close();
  });

  it("to a virtual host that does not exist is refused", async () => {
    await expect(connect(`${broker.url}/nowhere`)).rejects.toThrow(/ConnectionClose/);
  });

  it("names the default virtual host as %2F", async () => {
    const queue = client.queueName();
    const channel = await client.channel(await client.connect("/%2F"));
    await channel.assertQueue(queue);
    await (await client.channel(await client.connect())).checkQueue(queue);
  });

  it("may change its secret", async () => {
    const connection = await client.connect();
    await connection.updateSecret(Buffer.from("new secret"), "rotation");
    await client.channel(connection);
  });

  it("of many clients at once is served", async () => {
    const connections = await Promise.all(Array.from({ length: 50 }, () => client.connect()));
    const channels = await Promise.all(connections.map((connection) => client.channel(connection)));
    const queue = await client.queue(await client.channel());
    for (const channel of channels) send(channel, queue, ["x"]);
    await eventually(async () => {
      expect((await counts(await client.channel(connections[0]), queue)).messageCount).toBe(50);
    });
  });
});

describe("a connection error", () => {
  it("reaches the client with its code and text", async () => {
    const connection = await client.connect();
    const channel = await client.channel(connection);
    const queue = await client.queue(channel);
    const failed = nextError(connection);
    await channel.consume(queue, () => {}, { consumerTag: "twice" });
    channel.consume(queue, () => {}, { consumerTag: "twice" }).catch(() => {});
    expect((await within(failed, "the connection's error")).message).toContain(
      "NOT_ALLOWED - attempt to reuse consumer tag 'twice'",
    );
  });
});
