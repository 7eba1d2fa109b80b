import type { ConfirmChannel } from "amqplib";
import { beforeEach, describe, expect, it } from "vitest";
import { drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest } from "../support/management.ts";
import { freePort } from "../support/ports.ts";
import { scrape } from "../support/prometheus.ts";

const port = await freePort();
const broker = useBroker({ args: ["--prometheus-port", String(port)] });
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);

/** What is told of disks somewhere. */
interface Counts {
  readonly reads: unknown;
  readonly writes: unknown;
}

/** Of the broker and one queue, wherever it is told. */
async function told(queue: string): Promise<Record<string, Counts>> {
  const countsIn = async (path: string): Promise<Counts> => {
    const { disk_reads: reads, disk_writes: writes } = Object(Object(await admin.read(path)).message_stats);
    return { reads, writes };
  };
  const listed = await new Brokerctl(broker, "built").out("-s", "list_queues", "name", "disk_reads", "disk_writes");
  const [, reads, writes] =
    listed
      .split("\n")
      .map((line) => line.split("\t"))
      .find(([name]) => name === queue) ?? [];
  const metrics = await scrape(`http://127.0.0.1:${port}/metrics/per-object`);
  const labels = { vhost: "/", queue };
  return {
    queue: await countsIn(`/queues/%2F/${queue}`),
    listing: { reads: Number(reads), writes: Number(writes) },
    metrics: {
      reads: metrics.value("rabbitmq_queue_disk_reads_total", labels),
      writes: metrics.value("rabbitmq_queue_disk_writes_total", labels),
    },
    broker: await countsIn("/overview"),
  };
}

/** Where all places tell the same. */
function everywhere(reads: number, writes: number): Record<string, Counts> {
  const counts = { reads, writes };
  return { queue: counts, listing: counts, metrics: counts, broker: counts };
}

describe("messages read from and written to disk", () => {
  let channel: ConfirmChannel;

  beforeEach(async (context) => {
    needsOwnBroker(context);
    channel = await amqp.confirmChannel();
  });

  it("are those that were confirmed as persistent, and those that a start has left on disk", async () => {
    const queue = await amqp.queue(channel, { durable: true });
    send(channel, queue, ["kept", "too", "as well"], { persistent: true });
    send(channel, queue, ["passing"]);
    await channel.waitForConfirms();
    expect(await told(queue)).toEqual(everywhere(0, 3));
    await broker.restart();
    channel = await amqp.confirmChannel();
    expect(await drain(channel, queue)).toEqual(["kept", "too", "as well"]);
    expect(await told(queue)).toEqual(everywhere(3, 0));
    await channel.deleteQueue(queue);
    const { message_stats: stats } = Object(await admin.read("/overview"));
    expect(stats).toMatchObject({ disk_reads: 3, disk_reads_details: { rate: expect.any(Number) }, disk_writes: 0 });
  });

  it("are none of a queue that is not durable", async () => {
    const queue = await amqp.queue(channel, { durable: false });
    const before = Object(await admin.read("/overview")).message_stats;
    send(channel, queue, ["x"], { persistent: true });
    await channel.waitForConfirms();
    await drain(channel, queue);
    const { queue: ofQueue, listing, metrics, broker: ofBroker } = await told(queue);
    const none = { reads: 0, writes: 0 };
    expect({ ofQueue, listing, metrics }).toEqual({ ofQueue: none, listing: none, metrics: none });
    expect(ofBroker).toEqual({ reads: before.disk_reads, writes: before.disk_writes });
  });
});
