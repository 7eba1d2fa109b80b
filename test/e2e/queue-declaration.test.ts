import { describe, expect, it } from "vitest";
import { collect, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

async function exists(queue: string): Promise<boolean> {
  const channel = await client.channel();
  return await channel.checkQueue(queue).then(
    () => true,
    () => false,
  );
}

describe("declaring a queue", () => {
  it("creates it once; the same declaration again changes nothing and tells its counts", async () => {
    const channel = await client.channel();
    const queue = client.queueName();
    expect(await channel.assertQueue(queue)).toEqual({ queue, messageCount: 0, consumerCount: 0 });
    send(channel, queue, ["1", "2"]);
    await channel.consume(queue, () => {}, { noAck: false, consumerTag: "holds both" });
    send(channel, queue, ["3"]);
    await channel.cancel("holds both");
    await (await client.channel()).assertQueue(queue);
    await channel.recover();
    await eventually(async () =>
      expect(await channel.assertQueue(queue)).toEqual({ queue, messageCount: 3, consumerCount: 0 }),
    );
  });

  it("refuses another durability, and leaves the queue as it was", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { durable: false });
    send(channel, queue, ["kept"]);
    const other = await client.channel();
    await expect(other.assertQueue(queue, { durable: true })).rejects.toMatchObject({ code: 406 });
    expect(await drain(channel, queue)).toEqual(["kept"]);
  });

  it("compares the arguments it knows by value, whatever the width of a number", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { messageTtl: 60_000, arguments: { "my-note": "one" } });
    await channel.assertQueue(queue, { messageTtl: 60_000, arguments: { "my-note": "another" } });
    await channel.assertQueue(queue, { arguments: { "x-message-ttl": { "!": "long", value: 60_000 } } });
    const other = await client.channel();
    await expect(other.assertQueue(queue, { messageTtl: 60_001 })).rejects.toThrow("inequivalent arg 'x-message-ttl'");
  });

  it("makes up a name when none is given, and remembers it for the channel", async () => {
    const channel = await client.channel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    expect(queue).toMatch(/^amq\.gen-[A-Za-z0-9_-]{22}$/);
    await channel.bindQueue("", "amq.direct", queue);
    channel.publish("amq.direct", queue, Buffer.from("found"));
    const inbox = await collect(channel, "");
    await eventually(() => expect(inbox.bodies).toEqual(["found"]));
  });

  it("passively only asks whether it is there", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { durable: true, messageTtl: 60_000 });
    expect(await channel.checkQueue(queue)).toEqual({ queue, messageCount: 0, consumerCount: 0 });
    await expect(channel.checkQueue(client.queueName())).rejects.toMatchObject({ code: 404 });
  });

  it("takes names with any characters", async () => {
    const channel = await client.channel();
    const queue = `${client.queueName()} ñ/€ 'quoted' %2F`;
    await channel.assertQueue(queue, { exclusive: true });
    send(channel, queue, ["x"]);
    expect(await drain(channel, queue)).toEqual(["x"]);
    await channel.deleteQueue(queue);
  });
});

describe("deleting a queue", () => {
  it("tells how many messages went with it, and is no error when there is none", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2"]);
    await channel.waitForConfirms();
    expect(await channel.deleteQueue(queue)).toEqual({ messageCount: 2 });
    expect(await channel.deleteQueue(queue)).toEqual({ messageCount: 0 });
  });

  it("if unused or if empty spares it otherwise", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1"]);
    await channel.waitForConfirms();
    await expect((await client.channel()).deleteQueue(queue, { ifEmpty: true })).rejects.toThrow(/not empty/);
    await channel.deleteQueue(queue, { ifUnused: true });
    await channel.assertQueue(queue);
    await channel.consume(queue, () => {});
    await expect((await client.channel()).deleteQueue(queue, { ifUnused: true })).rejects.toThrow(/in use/);
    await channel.deleteQueue(queue, { ifEmpty: true });
    expect(await exists(queue)).toBe(false);
  });
});

describe("purging a queue", () => {
  it("takes away what is ready and nothing that a consumer holds", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel);
    await channel.prefetch(1);
    const inbox = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["held", "1", "2"]);
    await channel.waitForConfirms();
    await eventually(() => expect(inbox.bodies).toEqual(["held"]));
    expect(await channel.purgeQueue(queue)).toEqual({ messageCount: 2 });
    await channel.close();
    expect(await drain(await client.channel(), queue)).toEqual(["held"]);
  });
});

describe("an auto-delete queue", () => {
  it("goes with its last consumer, and not before its first", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { autoDelete: true });
    send(channel, queue, ["waiting"]);
    expect((await counts(channel, queue)).consumerCount).toBe(0);
    const first = await collect(channel, queue);
    const second = await collect(await client.channel(), queue);
    await channel.cancel(first.tag);
    expect(await exists(queue)).toBe(true);
    await eventually(() => expect(first.bodies).toEqual(["waiting"]));
    const last = await client.connect();
    const third = await collect(await client.channel(last), queue);
    expect(third.bodies).toEqual([]);
    client.cut(last);
    expect(second.cancelled).toBe(false);
    await eventually(async () => expect((await counts(channel, queue)).consumerCount).toBe(1));
  });

  it("goes when the channel or connection of its last consumer ends", async () => {
    const byChannel = await client.channel();
    const first = await client.queue(byChannel, { autoDelete: true });
    await collect(byChannel, first);
    await byChannel.close();
    expect(await exists(first)).toBe(false);

    const connection = await client.connect();
    const channel = await client.channel(connection);
    const second = await client.queue(channel, { autoDelete: true });
    await collect(channel, second);
    client.cut(connection);
    await eventually(async () => expect(await exists(second)).toBe(false));
  });
});
