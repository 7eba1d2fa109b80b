import type { ConfirmChannel, GetMessage, Options } from "amqplib";
import { beforeEach, describe, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { addUser, asGuest, notAuthorised } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
let channel: ConfirmChannel;
let work: string;
let dead: string;

beforeEach(async () => {
  channel = await amqp.confirmChannel();
  dead = await amqp.queue(channel);
  work = await amqp.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
});

/** Publishes to the queue and rejects it there. */
async function die(queue: string, body: string, type = "a"): Promise<void> {
  channel.sendToQueue(queue, Buffer.from(body), { persistent: true, type });
  await channel.waitForConfirms();
  channel.nack(await mustGet(queue), false, false);
}

async function mustGet(queue: string, options: Options.Get = {}): Promise<GetMessage> {
  const message = await channel.get(queue, options);
  if (message === false) throw new Error("no message");
  return message;
}

async function replay(body: object): Promise<unknown> {
  return (await admin.must("POST", `/queues/%2F/${dead}/messages/replay`, body)).body;
}

async function countOf(queue: string): Promise<number> {
  return (await channel.checkQueue(queue)).messageCount;
}

describe("replaying dead letters", () => {
  it("tells in a dry run where they would go, and moves nothing", async () => {
    await die(work, "one");
    await die(work, "two");
    channel.sendToQueue(dead, Buffer.from("alive"));
    await channel.waitForConfirms();
    await eventually(async () => expect(await countOf(dead)).toBe(3));
    expect(await replay({ dry_run: true })).toEqual({
      dry_run: true,
      destinations: [{ queue: work, reason: "rejected", messages: 2 }],
      moved: 0,
      unroutable: 0,
      rejected: 0,
      skipped: 1,
    });
    expect([await countOf(dead), await countOf(work)]).toEqual([3, 0]);
  });

  it("moves them back to the queue they died in first, and leaves what is none", async () => {
    await die(work, "one");
    channel.sendToQueue(dead, Buffer.from("alive"));
    await channel.waitForConfirms();
    await eventually(async () => expect(await countOf(dead)).toBe(2));
    expect(await replay({})).toMatchObject({ dry_run: false, moved: 1, skipped: 1 });
    const back = await mustGet(work, { noAck: true });
    expect(back.content.toString()).toBe("one");
    expect(back.properties.headers?.["x-first-death-queue"]).toBe(work);
    const left = await mustGet(dead, { noAck: true });
    expect(left.content.toString()).toBe("alive");
  });

  it("moves those only that fit a filter, and leaves those whose queue is gone", async () => {
    const other = await amqp.queue(channel, { deadLetterExchange: "", deadLetterRoutingKey: dead });
    await die(work, "one", "wanted");
    await die(work, "two", "other");
    await die(other, "three", "wanted");
    await eventually(async () => expect(await countOf(dead)).toBe(3));
    await channel.deleteQueue(other);
    expect(await replay({ property: "type=wanted" })).toMatchObject({ moved: 1, unroutable: 1, skipped: 0 });
    expect([await countOf(dead), await countOf(work)]).toEqual([2, 1]);
  });

  it("is for those only who may publish", async () => {
    const reader = await addUser(broker, "reader", ["management"]);
    await admin.must("PUT", "/permissions/%2F/reader", { configure: "", write: "^$x", read: ".*" });
    await die(work, "one");
    await eventually(async () => expect(await countOf(dead)).toBe(1));
    const { status, body } = await reader.post(`/queues/%2F/${dead}/messages/replay`, {});
    expect({ status, body }).toEqual({ status: 401, body: notAuthorised("Access refused.") });
    expect(await countOf(dead)).toBe(1);
  });
});
