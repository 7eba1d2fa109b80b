import { beforeEach, describe, expect, it } from "vitest";
import { collect, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const timeout = { "x-consumer-timeout": 100 };

/** RabbitMQ closes the channel or cancels the consumer instead. */
beforeEach((context) => needsOwnBroker(context));

describe("an acknowledgement timeout", () => {
  it("releases the late message alone, to another consumer", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { arguments: timeout });
    await channel.prefetch(2);
    const hangs = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["1", "2"]);
    await eventually(() => expect(hangs.bodies).toEqual(["1", "2"]));
    channel.ack(hangs.at(1));
    const works = await collect(await client.channel(), queue, { noAck: false });
    await eventually(() => expect(works.bodies).toEqual(["1"]));
    expect(works.at(0).fields.redelivered).toBe(true);
    // The channel of the one that hangs is as it was.
    expect(await counts(channel, queue)).toEqual({ messageCount: 0, consumerCount: 2 });
    expect(hangs.cancelled).toBe(false);
  });

  it("gives a consumer that hangs nothing more until it settles what it was late with, which has no other effect", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { arguments: timeout });
    await channel.prefetch(1);
    const hangs = await collect(channel, queue, { noAck: false });
    send(channel, queue, ["1", "2"]);
    const other = await client.channel();
    await eventually(async () => expect((await counts(other, queue)).messageCount).toBe(2));
    expect(hangs.bodies).toEqual(["1"]);
    channel.ack(hangs.at(0));
    await eventually(() => expect(hangs.bodies).toEqual(["1", "1"]));
    channel.ack(hangs.at(1));
    await eventually(() => expect(hangs.bodies).toEqual(["1", "1", "2"]));
    channel.ackAll();
    await eventually(async () => expect(await counts(other, queue)).toEqual({ messageCount: 0, consumerCount: 1 }));
  });

  it("may be a consumer's own, and basic.get has that of the queue", async () => {
    const channel = await client.channel();
    const [plain, timed] = [await client.queue(channel), await client.queue(channel, { arguments: timeout })];
    const inbox = await collect(channel, plain, { noAck: false, arguments: timeout });
    send(channel, plain, ["consumed"]);
    send(channel, timed, ["got"]);
    await channel.get(timed);
    await eventually(() => expect(inbox.bodies).toEqual(["consumed"]));
    await channel.cancel(inbox.tag);
    const other = await client.channel();
    await eventually(async () => expect(await drain(other, plain)).toEqual(["consumed"]));
    await eventually(async () => expect(await drain(other, timed)).toEqual(["got"]));
  });

  it("counts as a delivery that failed", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const limit = { "x-delivery-limit": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead };
    const queue = await client.queue(channel, { arguments: { ...timeout, ...limit } });
    send(channel, queue, ["slow"]);
    const inboxes = [await collect(channel, queue, { noAck: false }), await collect(channel, queue, { noAck: false })];
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(1));
    expect(inboxes.flatMap((inbox) => inbox.bodies)).toEqual(["slow", "slow"]);
  });

  it("is off unless it is asked for", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["long"]);
    const inbox = await collect(channel, queue, { noAck: false });
    await eventually(() => expect(inbox.bodies).toEqual(["long"]));
    expect(inbox.at(0).fields.redelivered).toBe(false);
  });
});

describe("the acknowledgement timeout of the configuration", () => {
  const timed = useBroker({ args: ["--consumer-timeout-ms", "100"] });
  const timedClient = useAmqpClient(timed);

  it("is for every queue that says nothing else", async () => {
    const channel = await timedClient.channel();
    const [queue, patient] = [
      await timedClient.queue(channel),
      await timedClient.queue(channel, { arguments: { "x-consumer-timeout": 600_000 } }),
    ];
    for (const each of [queue, patient]) {
      send(channel, each, ["1"]);
      await eventually(async () => expect(await channel.get(each)).not.toBe(false));
    }
    const other = await timedClient.channel();
    await eventually(async () => expect(await drain(other, queue)).toEqual(["1"]));
    expect(await drain(other, patient)).toEqual([]);
  });
});
