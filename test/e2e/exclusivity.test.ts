import { describe, expect, it } from "vitest";
import { collect, nextError, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("an exclusive queue", () => {
  it("belongs to its connection: every channel of it, and no other connection", async () => {
    const connection = await client.connect();
    const owner = await client.channel(connection);
    const queue = await client.queue(owner, { exclusive: true });
    const sibling = await client.channel(connection);
    await sibling.checkQueue(queue);
    await sibling.consume(queue, () => {});

    const stranger = await client.channel();
    const refused = nextError(stranger);
    await expect(stranger.checkQueue(queue)).rejects.toThrow(/RESOURCE_LOCKED/);
    expect(await refused).toMatchObject({ code: 405 });
  });

  it("takes messages from everybody", async () => {
    const owner = await client.channel();
    const queue = await client.queue(owner, { exclusive: true });
    const inbox = await collect(owner, queue);
    send(await client.channel(), queue, ["from outside"]);
    await eventually(() => expect(inbox.bodies).toEqual(["from outside"]));
  });

  it("is gone once its connection has closed", async () => {
    const connection = await client.connect();
    const queue = await client.queue(await client.channel(connection), { exclusive: true });
    await connection.close();
    await expect((await client.channel()).checkQueue(queue)).rejects.toThrow(/NOT_FOUND/);
  });

  it("is gone after its connection broke", async () => {
    const connection = await client.connect();
    const queue = await client.queue(await client.channel(connection), { exclusive: true });
    client.cut(connection);
    await eventually(async () => {
      const channel = await client.channel();
      await expect(channel.checkQueue(queue)).rejects.toThrow(/NOT_FOUND/);
    });
  });

  it("outlives the channel that declared it", async () => {
    const connection = await client.connect();
    const channel = await client.channel(connection);
    const queue = await client.queue(channel, { exclusive: true });
    await channel.close();
    await (await client.channel(connection)).checkQueue(queue);
  });
});

describe("an exclusive consumer", () => {
  it("keeps every other one out until it is cancelled", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const { consumerTag } = await channel.consume(queue, () => {}, { exclusive: true });
    const refused = /ACCESS_REFUSED - queue '.*' in vhost '\/' in exclusive use/;
    await expect((await client.channel()).consume(queue, () => {})).rejects.toThrow(refused);
    await channel.cancel(consumerTag);
    await (await client.channel()).consume(queue, () => {});
    await expect((await client.channel()).consume(queue, () => {}, { exclusive: true })).rejects.toThrow(refused);
  });

  it("does not stand in the way of basic.get", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(1);
    const inbox = await collect(channel, queue, { exclusive: true, noAck: false });
    send(channel, queue, ["consumed", "got"]);
    await eventually(() => expect(inbox.bodies).toEqual(["consumed"]));
    const other = await client.channel();
    expect(await other.get(queue, { noAck: true })).toMatchObject({ content: Buffer.from("got") });
    channel.ack(inbox.at(0));
  });
});

describe("a single active consumer", () => {
  it("gets everything until it leaves, then the next in line does", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { arguments: { "x-single-active-consumer": true } });
    const active = await collect(channel, queue);
    const waiting = await collect(await client.channel(), queue);
    send(channel, queue, ["1", "2"]);
    await eventually(() => expect(active.bodies).toEqual(["1", "2"]));
    await channel.cancel(active.tag);
    send(channel, queue, ["3"]);
    await eventually(() => expect(waiting.bodies).toEqual(["3"]));
    expect(active.bodies).toEqual(["1", "2"]);
  });
});

describe("a consumer's priority", () => {
  it("gives messages to the highest while it has room, then to the others", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const [lowChannel, highChannel] = [await client.channel(), await client.channel()];
    const low = await collect(lowChannel, queue, { noAck: false, priority: -1 });
    await highChannel.prefetch(2);
    const high = await collect(highChannel, queue, { noAck: false, priority: 5 });
    send(channel, queue, ["1", "2", "3"]);
    await eventually(() => expect(low.bodies).toEqual(["3"]));
    expect(high.bodies).toEqual(["1", "2"]);
  });
});

describe("a consumer", () => {
  it("is told when its queue is deleted", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const inbox = await collect(channel, queue);
    await (await client.channel()).deleteQueue(queue);
    await eventually(() => expect(inbox.cancelled).toBe(true));
    await channel.assertQueue(queue);
  });

  it("is told when its queue is deleted by its own channel", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const inbox = await collect(channel, queue);
    await channel.deleteQueue(queue);
    await eventually(() => expect(inbox.cancelled).toBe(true));
  });

  it("gets nothing more after it was cancelled, and what it holds stays its own", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const inbox = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["held"]);
    await eventually(() => expect(inbox.bodies).toEqual(["held"]));
    await channel.cancel(inbox.tag);
    send(channel, queue, ["later"]);
    const later = await channel.get(queue, { noAck: true });
    expect(later).toMatchObject({ content: Buffer.from("later") });
    channel.ack(inbox.at(0));
    expect(await channel.get(queue)).toBe(false);
    expect(inbox.bodies).toEqual(["held"]);
  });
});
