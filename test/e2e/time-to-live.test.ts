import { describe, expect, it } from "vitest";
import { collect, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const hour = 3_600_000;

/** A queue for what expires elsewhere: its arrival is how a test sees an expiry. */
async function graveyard(channel: Awaited<ReturnType<typeof client.channel>>): Promise<[name: string, args: object]> {
  const dead = await client.queue(channel);
  return [dead, { deadLetterExchange: "", deadLetterRoutingKey: dead }];
}

describe("time to live", () => {
  it("of a queue takes away what waited too long", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { messageTtl: 50 });
    send(channel, queue, ["a", "b"]);
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(0));
    expect(await drain(channel, queue)).toEqual([]);
  });

  it("of a message takes that message away", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["short"], { expiration: "50" });
    send(channel, queue, ["long"], { expiration: String(hour) });
    send(channel, queue, ["eternal"]);
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(2));
    expect(await drain(channel, queue)).toEqual(["long", "eternal"]);
  });

  it("is the smaller of the queue's and the message's", async () => {
    const channel = await client.channel();
    const [dead, deadLetter] = await graveyard(channel);
    const shortQueue = await client.queue(channel, { messageTtl: 50, ...deadLetter });
    const longQueue = await client.queue(channel, { messageTtl: hour, ...deadLetter });
    send(channel, shortQueue, ["queue"], { expiration: String(hour) });
    send(channel, longQueue, ["message"], { expiration: "50" });
    send(channel, longQueue, ["neither"], { expiration: String(hour) });
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(2));
    expect((await drain(channel, dead)).toSorted()).toEqual(["message", "queue"]);
    expect(await drain(channel, longQueue)).toEqual(["neither"]);
  });

  it("of zero delivers to a consumer that is ready and to nobody else", async () => {
    const channel = await client.channel();
    const [dead, deadLetter] = await graveyard(channel);
    const queue = await client.queue(channel, { messageTtl: 0, ...deadLetter });
    send(channel, queue, ["too early"]);
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(1));
    const inbox = await collect(channel, queue);
    send(channel, queue, ["in time"]);
    await eventually(() => expect(inbox.bodies).toEqual(["in time"]));
    expect(await drain(channel, dead)).toEqual(["too early"]);
  });

  it("does not run out while a message is with a consumer", async () => {
    const channel = await client.channel();
    const [dead, deadLetter] = await graveyard(channel);
    const queue = await client.queue(channel, { messageTtl: 100, ...deadLetter });
    const worker = await client.channel();
    await worker.prefetch(1);
    const inbox = await collect(worker, queue, { noAck: false });
    send(channel, queue, ["held", "waiting"]);
    await eventually(() => expect(inbox.bodies).toEqual(["held"]));
    // The message behind it has expired by now, and the held one is as old.
    await eventually(async () => expect(await drain(channel, dead)).toEqual(["waiting"]));
    worker.ack(inbox.at(0));
    await worker.close();
    expect(await drain(channel, dead)).toEqual([]);
  });

  it("takes an overdue message away when it is given back", async () => {
    const channel = await client.channel();
    const [dead, deadLetter] = await graveyard(channel);
    const queue = await client.queue(channel, { messageTtl: 100, ...deadLetter });
    send(channel, queue, ["held", "waiting"]);
    const held = await channel.get(queue);
    await eventually(async () => expect(await drain(channel, dead)).toEqual(["waiting"]));
    if (held !== false) channel.nack(held, false, true);
    await eventually(async () => expect(await drain(channel, dead)).toEqual(["held"]));
  });

  it("holds for each queue on its own", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "fanout");
    const [short, long] = [await client.queue(channel, { messageTtl: 50 }), await client.queue(channel)];
    for (const queue of [short, long]) await channel.bindQueue(queue, exchange, "");
    channel.publish(exchange, "", Buffer.from("copy"));
    await eventually(async () => expect((await counts(channel, short)).messageCount).toBe(0));
    expect(await drain(channel, long)).toEqual(["copy"]);
  });

  it("runs out in time behind a message that lives longer", async (context) => {
    differs(context, "expiry behind the head");
    const channel = await client.channel();
    const [dead, deadLetter] = await graveyard(channel);
    const queue = await client.queue(channel, deadLetter);
    send(channel, queue, ["head"], { expiration: String(hour) });
    send(channel, queue, ["behind"], { expiration: "50" });
    await eventually(async () => expect(await drain(channel, dead)).toEqual(["behind"]));
    expect(await drain(channel, queue)).toEqual(["head"]);
  });
});
