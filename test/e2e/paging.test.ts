import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Channel, ConfirmChannel } from "amqplib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, type TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

/** A backlog of some 12 segments, where one is more than the memory for queues. */
const count = 12_000;
const filling = "x".repeat(1000);

let broker: TestBroker;
let client: AmqpClient;
let channel: ConfirmChannel;

beforeEach(async (context) => {
  needsOwnBroker(context);
  broker = await startBroker({ args: ["--queue-memory", "1MiB"] });
  client = new AmqpClient(broker);
  channel = await client.confirmChannel();
});

afterEach(async () => {
  await client?.cleanUp();
  await broker?.stop();
});

function pages(): number {
  return readdirSync(join(broker.dataDir, "pages")).length;
}

async function pile(queue: string, persistent: (i: number) => boolean): Promise<void> {
  for (let i = 0; i < count; i++) {
    channel.sendToQueue(queue, Buffer.from(`${i} ${filling}`), { persistent: persistent(i) });
    if (i % 1000 === 999) await channel.waitForConfirms();
  }
}

/** The numbers of all messages in the queue, in the order they are delivered. */
async function numbers(from: Channel, queue: string, expected: number): Promise<number[]> {
  const received: number[] = [];
  await from.prefetch(500);
  await from.consume(queue, (message) => {
    if (message === null) return;
    received.push(Number.parseInt(message.content.toString(), 10));
    from.ack(message);
  });
  await eventually(() => expect(received.length).toBe(expected), 20_000);
  return received;
}

const all = Array.from({ length: count }, (_, i) => i);

describe("a backlog larger than the memory for queues", () => {
  it.each([
    { of: "a transient queue", durable: false },
    { of: "a durable queue", durable: true },
  ])("of transient messages in $of comes out whole and in order, and leaves no page behind", async ({ durable }) => {
    const queue = await client.queue(channel, { durable });
    await pile(queue, () => false);
    await eventually(() => expect(pages()).toBeGreaterThan(5));
    const row = Object(await asGuest(broker).read(`/queues/%2F/${queue}`));
    expect(row.messages_paged_out).toBeGreaterThan(5000);
    expect(row).toMatchObject({ messages_ready_ram: row.messages_ram, messages_unacknowledged_ram: 0 });
    expect(row.messages_ram + row.messages_paged_out).toBe(count);
    const written = row.message_stats.disk_writes;
    expect(row.message_stats.disk_reads).toBe(0);
    expect(written).toBeGreaterThanOrEqual(row.messages_paged_out);
    expect(written).toBeLessThanOrEqual(count);
    expect((await channel.checkQueue(queue)).messageCount).toBe(count);
    expect(await numbers(channel, queue, count)).toEqual(all);
    await eventually(() => expect(pages()).toBe(0));
    const { message_stats: stats } = Object(await asGuest(broker).read(`/queues/%2F/${queue}`));
    expect(stats.disk_reads).toBeGreaterThanOrEqual(row.messages_paged_out);
    expect(stats.disk_reads).toBeLessThanOrEqual(stats.disk_writes);
  });

  it("of persistent and transient messages in turn comes out whole and in order", async () => {
    const queue = await client.queue(channel, { durable: true });
    await pile(queue, (i) => i % 3 === 0);
    await eventually(() => expect(pages()).toBeGreaterThan(5));
    const bodies = all.map((i) => `${i} ${filling}`.length);
    const stored = bodies.filter((_, i) => i % 3 === 0);
    const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
    const row = Object(await asGuest(broker).read(`/queues/%2F/${queue}`));
    expect(row).toMatchObject({ message_bytes: sum(bodies), message_bytes_persistent: sum(stored) });
    expect(row.messages_persistent).toBe(stored.length);
    expect(row.message_bytes_ram + row.message_bytes_paged_out).toBe(sum(bodies));
    // All bodies are as long but for the digits of their number.
    const perMessage = row.message_bytes_paged_out / row.messages_paged_out;
    expect(Math.abs(perMessage - sum(bodies) / count)).toBeLessThan(2);
    expect(await numbers(channel, queue, count)).toEqual(all);
  });

  it("of persistent messages needs no pages, and is whole after a crash", async () => {
    const queue = await client.queue(channel, { durable: true });
    await pile(queue, () => true);
    expect(pages()).toBe(0);
    await broker.kill9();
    await broker.restart();
    client = new AmqpClient(broker);
    expect(await numbers(await client.channel(), queue, count)).toEqual(all);
  });

  it("keeps the persistent ones of both kinds over a crash", async () => {
    const queue = await client.queue(channel, { durable: true });
    await pile(queue, (i) => i % 3 === 0);
    await broker.kill9();
    await broker.restart();
    client = new AmqpClient(broker);
    const kept = all.filter((i) => i % 3 === 0);
    const row = Object(await asGuest(broker).read(`/queues/%2F/${queue}`));
    expect(row).toMatchObject({ messages: kept.length, messages_persistent: kept.length });
    expect(row.message_bytes_persistent).toBe(row.message_bytes);
    expect(await numbers(await client.channel(), queue, kept.length)).toEqual(kept);
  });

  it("is purged, pages and all", async () => {
    const queue = await client.queue(channel, { durable: false });
    await pile(queue, () => false);
    await eventually(() => expect(pages()).toBeGreaterThan(5));
    expect((await channel.purgeQueue(queue)).messageCount).toBe(count);
    await eventually(() => expect(pages()).toBe(0));
    expect(await channel.get(queue)).toBe(false);
  });

  it("is deleted, pages and all", async () => {
    const queue = await client.queue(channel, { durable: false });
    await pile(queue, () => false);
    await eventually(() => expect(pages()).toBeGreaterThan(5));
    expect((await channel.deleteQueue(queue)).messageCount).toBe(count);
    await eventually(() => expect(pages()).toBe(0));
  });

  it("expires when it is due, wherever it is", async () => {
    const dead = await client.queue(channel, { durable: false });
    const queue = await client.queue(channel, {
      durable: false,
      messageTtl: 4000,
      deadLetterExchange: "",
      deadLetterRoutingKey: dead,
    });
    await pile(queue, () => false);
    await eventually(() => expect(pages()).toBeGreaterThan(5));
    await eventually(async () => expect((await channel.checkQueue(dead)).messageCount).toBe(count), 20_000);
    expect((await channel.checkQueue(queue)).messageCount).toBe(0);
  });

  it("says so when a page is gone, and serves the rest", async () => {
    const queue = await client.queue(channel, { durable: false });
    await pile(queue, () => false);
    await eventually(() => expect(pages()).toBeGreaterThan(5));
    const [page = ""] = readdirSync(join(broker.dataDir, "pages"));
    rmSync(join(broker.dataDir, "pages", page));
    const last = `${count - 1}`;
    const received: string[] = [];
    await channel.prefetch(500);
    await channel.consume(queue, (message) => {
      received.push(message?.content.toString().split(" ")[0] ?? "");
      if (message !== null) channel.ack(message);
    });
    await eventually(() => expect(received.at(-1)).toBe(last));
    expect(received.length).toBeLessThan(count);
    expect(new Set(received).size).toBe(received.length);
    await eventually(() => expect(broker.log()).toContain("transient messages were lost"));
    await eventually(async () => expect((await channel.checkQueue(queue)).messageCount).toBe(0));
  });

  it("gives back what was put back first", async () => {
    const queue = await client.queue(channel, { durable: false });
    await pile(queue, () => false);
    const first = await channel.get(queue);
    if (first === false) throw new Error("the queue is empty");
    channel.nack(first);
    expect(await numbers(channel, queue, count)).toEqual(all);
  });
});
