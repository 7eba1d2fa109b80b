import { once } from "node:events";
import { connect } from "amqplib";
import { beforeEach, describe, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest } from "../support/management.ts";
import { eventually, within } from "../support/wait-for.ts";

const broker = useBroker({ logLevel: "info" });
const amqp = useAmqpClient(broker);
const brokerctl = new Brokerctl(broker, "in process");

beforeEach(needsOwnBroker);

describe("drain", () => {
  it("cancels consumers, lets them settle what they have, closes, and lets nobody in until revive", async () => {
    const connection = await amqp.connect();
    const channel = await amqp.confirmChannel(connection);
    const queue = await amqp.queue(channel, { durable: true });
    for (const body of ["a", "b"]) channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
    await channel.waitForConfirms();
    await channel.prefetch(1);
    const received: unknown[] = [];
    await channel.consume(queue, (message) => received.push(message));
    await eventually(() => expect(received).toHaveLength(1));

    const closed = once(connection, "close");
    const drained = brokerctl.out("-q", "drain");
    await eventually(() => expect(received).toEqual([expect.anything(), null]));
    await expect(connect(broker.url)).rejects.toThrow(/ECONNREFUSED/);
    expect((await asGuest(broker).get("/health/checks/is-in-service")).status).toBe(503);
    expect((await asGuest(broker).get("/health/checks/ready-to-serve-clients")).status).toBe(503);
    channel.ackAll();
    await within(closed, "the end of the connection");
    await drained;

    await brokerctl.out("-q", "revive");
    const again = await amqp.channel();
    expect((await again.checkQueue(queue)).messageCount).toBe(1);
    expect((await asGuest(broker).get("/health/checks/is-in-service")).status).toBe(200);
  });

  it("does not wait for ever for clients that settle nothing", async () => {
    const connection = await amqp.connect();
    const channel = await amqp.channel(connection);
    const queue = await amqp.queue(channel);
    channel.sendToQueue(queue, Buffer.from("kept"));
    await eventually(async () => expect(await channel.get(queue)).toBeTruthy());
    const closed = once(connection, "close");
    await brokerctl.out("-q", "drain", "--wait-ms", "50");
    await within(closed, "the end of the connection");
    await brokerctl.out("-q", "revive");
  });
});

describe("reload", () => {
  it("reads the configuration again", async () => {
    await brokerctl.out("-q", "reload");
    await eventually(() => expect(broker.log()).toContain("were read again"));
  });
});
