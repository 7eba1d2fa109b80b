import type { GetMessage } from "amqplib";
import { describe, expect, it } from "vitest";
import { body, collect, counts, drain, nextError, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

type Channel = Awaited<ReturnType<typeof client.channel>>;

async function get(channel: Channel, queue: string): Promise<GetMessage> {
  const message = await channel.get(queue);
  if (message === false) throw new Error(`${queue} is empty`);
  return message;
}

describe("basic.get", () => {
  it("takes one message and tells how many are left", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2", "3"]);
    const message = await get(channel, queue);
    expect(body(message)).toBe("1");
    expect(message.fields).toMatchObject({ messageCount: 2, redelivered: false, exchange: "", routingKey: queue });
    channel.ack(message);
    expect(await counts(channel, queue)).toEqual({ messageCount: 2, consumerCount: 0 });
  });

  it("says so when the queue is empty", async () => {
    const channel = await client.channel();
    expect(await channel.get(await client.queue(channel))).toBe(false);
  });

  it("keeps what is not acknowledged for the next one when the channel closes", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2"]);
    await get(channel, queue);
    await channel.close();
    const other = await client.channel();
    const message = await get(other, queue);
    expect(body(message)).toBe("1");
    expect(message.fields.redelivered).toBe(true);
    expect((await get(other, queue)).fields.redelivered).toBe(false);
  });

  it("takes a message for good with noAck", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1"]);
    await channel.get(queue, { noAck: true });
    await channel.close();
    expect(await drain(await client.channel(), queue)).toEqual([]);
  });
});

describe("a message that is given back", () => {
  it("returns to its original place", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2", "3", "4"]);
    const [first, second, third] = [await get(channel, queue), await get(channel, queue), await get(channel, queue)];
    channel.nack(second, false, true);
    channel.reject(first, true);
    channel.ack(third);
    const again = await get(channel, queue);
    expect(body(again)).toBe("1");
    expect(again.fields.redelivered).toBe(true);
    channel.nack(again, false, true);
    expect(await drain(channel, queue)).toEqual(["1", "2", "4"]);
  });

  it("is gone when it is refused without requeue", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2", "3"]);
    channel.reject(await get(channel, queue), false);
    channel.nack(await get(channel, queue), false, false);
    expect(await drain(channel, queue)).toEqual(["3"]);
  });

  it("comes back with all the others of a multiple nack, in order", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2", "3"]);
    await get(channel, queue);
    const second = await get(channel, queue);
    const third = await get(channel, queue);
    channel.nack(second, true, true);
    expect(await drain(channel, queue)).toEqual(["1", "2"]);
    channel.ack(third);
  });

  it("goes to another consumer as soon as it is there", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const inbox = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["task"]);
    await eventually(() => expect(inbox.bodies).toEqual(["task"]));
    const other = await collect(await client.channel(), queue);
    await channel.cancel(inbox.tag);
    channel.nackAll(true);
    await eventually(() => expect(other.bodies).toEqual(["task"]));
    expect(other.at(0).fields.redelivered).toBe(true);
  });

  it("comes again to the only consumer, over and over", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    let refusals = 0;
    await channel.consume(queue, (message) => {
      if (message === null) return;
      if (refusals++ < 50) channel.nack(message, false, true);
      else channel.ack(message);
    });
    send(channel, queue, ["stubborn"]);
    await eventually(() => expect(refusals).toBe(51));
    await channel.close();
    expect(await drain(await client.channel(), queue)).toEqual([]);
  });

  it("comes again to the same channel after basic.recover", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2"]);
    const inbox = await collect(channel, queue, { noAck: false });
    await eventually(() => expect(inbox.bodies).toEqual(["1", "2"]));
    channel.ack(inbox.at(0));
    await channel.recover();
    await eventually(() => expect(inbox.bodies).toEqual(["1", "2", "2"]));
    expect(inbox.at(2).fields).toMatchObject({ redelivered: true, deliveryTag: 3 });
    channel.ackAll();
    await channel.close();
    expect(await drain(await client.channel(), queue)).toEqual([]);
  });
});

describe("acknowledgements", () => {
  it("count delivery tags from one on each channel, over consumers and gets alike", async () => {
    const channel = await client.channel();
    const [first, second] = [await client.queue(channel), await client.queue(channel)];
    send(channel, first, ["a"]);
    send(channel, second, ["b", "c"]);
    const inbox = await collect(channel, first, { noAck: false });
    await eventually(() => expect(inbox.messages).toHaveLength(1));
    const tags = [inbox.at(0), await get(channel, second), await get(channel, second)];
    expect(tags.map((message) => message.fields.deliveryTag)).toEqual([1, 2, 3]);
    channel.ackAll();
    await channel.close();
    const other = await client.channel();
    for (const queue of [first, second]) expect(await drain(other, queue)).toEqual([]);
  });

  it("may come in any order", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2", "3", "4", "5"]);
    const inbox = await collect(channel, queue, { noAck: false });
    await eventually(() => expect(inbox.messages).toHaveLength(5));
    for (const index of [4, 0, 2]) channel.ack(inbox.at(index));
    await channel.close();
    expect(await drain(await client.channel(), queue)).toEqual(["2", "4"]);
  });

  it("close the channel when they name a tag twice, and everything it holds goes back", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["1", "2"]);
    const [first] = [await get(channel, queue), await get(channel, queue)];
    const refused = nextError(channel);
    channel.ack(first);
    channel.ack(first);
    expect(await refused).toMatchObject({ code: 406 });
    const other = await client.channel();
    await eventually(async () => expect((await counts(other, queue)).messageCount).toBe(1));
    expect(await drain(other, queue)).toEqual(["2"]);
  });
});
