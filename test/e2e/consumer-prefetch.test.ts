import { describe, expect, it } from "vitest";
import { body, collect, counts, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("basic.qos", () => {
  it("holds back deliveries beyond the prefetch count until one is acknowledged", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["a", "b", "c"]);
    await channel.prefetch(2);
    const inbox = await collect(channel, queue, { noAck: false });
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b"]));
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(1));
    channel.ack(inbox.at(0));
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c"]));
    channel.ackAll();
  });

  it("counts for each consumer of the channel on its own", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(1);
    const first = await collect(channel, queue, { noAck: false });
    const second = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["a", "b", "c"]);
    await eventually(() => expect([...first.bodies, ...second.bodies].toSorted()).toEqual(["a", "b"]));
    await eventually(async () => expect(await counts(channel, queue)).toEqual({ messageCount: 1, consumerCount: 2 }));
    channel.ackAll();
  });

  it("counts for all consumers of the channel together when it is global", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(2, true);
    const first = await collect(channel, queue, { noAck: false });
    const second = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["a", "b", "c", "d"]);
    const received = () => [...first.messages, ...second.messages];
    await eventually(() => expect(received()).toHaveLength(2));
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(2));
    const [held] = received();
    if (held !== undefined) channel.ack(held);
    await eventually(() => expect(received()).toHaveLength(3));
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(1));
    channel.ackAll();
  });

  it("lets both limits hold at once", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(1);
    await channel.prefetch(3, true);
    const inbox = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["a", "b"]);
    await eventually(() => expect(inbox.bodies).toEqual(["a"]));
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(1));
    channel.ackAll();
  });

  it("widens a global limit for consumers that are there already", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(1, true);
    const inbox = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["a", "b", "c", "d"]);
    await eventually(() => expect(inbox.bodies).toEqual(["a"]));
    await channel.prefetch(3, true);
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c"]));
    await channel.prefetch(0, true);
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c", "d"]));
    channel.ackAll();
  });

  it("narrows a global limit: nothing comes until enough is acknowledged", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(3, true);
    const inbox = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["a", "b", "c", "d", "e"]);
    await eventually(() => expect(inbox.messages).toHaveLength(3));
    await channel.prefetch(1, true);
    channel.ack(inbox.at(0));
    channel.ack(inbox.at(1));
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(2));
    channel.ack(inbox.at(2));
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c", "d"]));
    channel.ackAll();
  });

  it("widens and narrows the limit of consumers that are there already", async (context) => {
    differs(context, "live prefetch");
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(1);
    const inbox = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["a", "b", "c", "d"]);
    await eventually(() => expect(inbox.bodies).toEqual(["a"]));
    await channel.prefetch(3);
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c"]));
    await channel.prefetch(1);
    channel.ack(inbox.at(0));
    channel.ack(inbox.at(1));
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(1));
    channel.ack(inbox.at(2));
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c", "d"]));
    channel.ackAll();
  });

  it("does not limit consumers without acknowledgements, nor basic.get", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.prefetch(1);
    const inbox = await collect(channel, queue);
    send(channel, queue, ["a", "b", "c"]);
    await eventually(() => expect(inbox.bodies).toEqual(["a", "b", "c"]));
    await channel.cancel(inbox.tag);
    send(channel, queue, ["d", "e"]);
    const got = [await channel.get(queue), await channel.get(queue)];
    expect(got.map((message) => message !== false && body(message))).toEqual(["d", "e"]);
    channel.ackAll();
  });
});
