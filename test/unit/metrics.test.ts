import { beforeEach, describe, expect, it } from "vitest";
import { emptyTable } from "../../src/field-table.ts";
import { JsonObject } from "../../src/json-object.ts";
import type { Measured } from "../../src/measured.ts";
import { type QueueMetric, queueMetrics } from "../../src/metric-names.ts";
import { Metrics } from "../../src/metrics.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { Message } from "../../src/record.ts";
import { buildRecord } from "../../src/record-builder.ts";
import { declareQueue, removeQueue } from "../../src/topology.ts";
import type { Vhost } from "../../src/vhost.ts";
import { DrivenClock } from "../support/driven-clock.ts";
import { TestHost } from "../support/vhosts.ts";

const sampleMs = 5000;
const message = { exchange: "", routingKey: "q", properties: JsonObject.empty, headers: undefined, body: Buffer.of(1) };

let clock: DrivenClock;
let vhost: Vhost;
let queue: Queue;
let metrics: Metrics;

beforeEach(() => {
  clock = new DrivenClock();
  const host = new TestHost(clock);
  host.vhosts.put("/", { description: "", tags: [], defaultQueueType: undefined, protectedFromDeletion: false });
  vhost = host.vhosts.get("/");
  queue = declare("q");
  metrics = new Metrics(host, sampleMs);
  metrics.start();
});

function declare(name: string): Queue {
  return declareQueue(vhost, {
    name,
    durable: false,
    exclusive: false,
    autoDelete: false,
    arguments: emptyTable,
    owner: {},
    serverNamed: false,
  });
}

function publish(count: number): void {
  for (let i = 0; i < count; i++) queue.enqueue(new Message().setOwned(buildRecord(message)), undefined, 0);
  vhost.counters.published += count;
}

const rateOf = (name: "publish" | "messages") => metrics.ofQueue(queue).rate(name);

/** All values by their names. */
function valuesOf(measured: Measured<QueueMetric>): Record<string, number> {
  return Object.fromEntries(queueMetrics.map((name) => [name, measured.value(name)]));
}

describe("metrics", () => {
  it("tell totals at once and rates once they were looked at", () => {
    publish(10);
    expect(valuesOf(metrics.ofQueue(queue))).toMatchObject({ publish: 10, messages: 10, messages_ready: 10, ack: 0 });
    expect(metrics.ofQueue(queue).samples).toBe(0);
    clock.advance(sampleMs);
    expect([rateOf("publish"), rateOf("messages")]).toEqual([2, 2]);
    clock.advance(sampleMs);
    expect([rateOf("publish"), rateOf("messages")]).toEqual([0, 0]);
  });

  it("remember a minute of a queue that is in use and not followed, and nothing of one that is not", () => {
    for (let n = 0; n < 100; n++) metrics.follow(declare(`followed-${n}`));
    publish(1);
    clock.advance(sampleMs);
    for (let i = 0; i < 20; i++) {
      publish(1);
      clock.advance(sampleMs);
    }
    expect(metrics.ofQueue(queue).samples).toBe(13);
    clock.advance(13 * sampleMs);
    expect(metrics.ofQueue(queue).samples).toBe(0);
    publish(5);
    clock.advance(sampleMs);
    expect(rateOf("publish")).toBe(1);
  });

  it("count for a vhost what its queues count, and those that are gone", () => {
    publish(3);
    const other = declare("other");
    vhost.counters.dropped++;
    expect(valuesOf(metrics.ofVhosts([vhost]))).toMatchObject({ publish: 3, messages: 3, drop_unroutable: 1 });
    queue.counters.acked = 2;
    removeQueue(vhost, queue);
    other.counters.acked = 1;
    expect(valuesOf(metrics.ofVhosts([vhost]))).toMatchObject({ publish: 3, messages: 0, ack: 3 });
    clock.advance(sampleMs);
    expect(metrics.ofVhosts([vhost]).rate("ack")).toBe(3 / 5);
    clock.advance(700 * sampleMs);
    expect(metrics.ofVhosts([vhost]).samples).toBe(121);
  });

  it("tell of exchanges, and of queues that come and go", () => {
    const counters = vhost.countersOf(vhost.getExchange(""));
    counters.publishedIn += 10;
    counters.publishedOut += 20;
    clock.advance(sampleMs);
    const exchange = metrics.ofExchange(counters);
    expect([exchange.value("publish_in"), exchange.rate("publish_in"), exchange.rate("publish_out")]).toEqual([
      10, 2, 4,
    ]);
    declare("q");
    removeQueue(vhost, queue);
    const churn = metrics.ofChurn();
    const names = ["queue_declared", "queue_created", "queue_deleted"] as const;
    expect(names.map((name) => churn.value(name))).toEqual([2, 1, 1]);
  });

  it("are looked at until they are stopped", () => {
    expect(clock.nextDue).toBe(clock.now() + sampleMs);
    metrics.stop();
    expect(clock.nextDue).toBeUndefined();
  });

  it("are looked at as often as is wanted, and go back as far", () => {
    metrics.stop();
    const host = new TestHost(clock);
    host.vhosts.put("/", { description: "", tags: [], defaultQueueType: undefined, protectedFromDeletion: false });
    vhost = host.vhosts.get("/");
    queue = declare("q");
    metrics = new Metrics(host, 60_000);
    metrics.start();
    publish(60);
    clock.advance(59_000);
    expect(rateOf("publish")).toBe(0);
    clock.advance(1000);
    expect(rateOf("publish")).toBe(1);
    clock.advance(10 * 60_000);
    expect(metrics.ofQueue(queue).series("publish", 600_000, 60_000)).toHaveLength(11);
  });

  it("keep a day of queues that were active, and of those that somebody looks at", () => {
    publish(10);
    clock.advance(sampleMs);
    for (let minutes = 0; minutes < 120; minutes++) clock.advance(60_000);
    const ages = (of: Queue) => metrics.ofQueue(of).series("messages", 86_400_000, 600_000).length;
    expect(ages(queue)).toBeGreaterThanOrEqual(12);
    const idle = declare("idle");
    metrics.follow(idle);
    for (let minutes = 0; minutes < 60; minutes++) clock.advance(60_000);
    expect(ages(idle)).toBeGreaterThanOrEqual(6);
  });

  it("follow a hundred queues, and drop the one that was looked at longest ago", () => {
    const queues = Array.from({ length: 101 }, (_, n) => declare(`followed-${n}`));
    for (const one of queues) metrics.follow(one);
    clock.advance(sampleMs);
    expect(queues.map((one) => metrics.ofQueue(one).samples)).toEqual([0, ...queues.slice(1).map(() => 1)]);
  });

  it("tell how fast messages go to disk, and nothing of what was read before a queue was used", () => {
    queue.counters.diskReads = 100;
    clock.advance(sampleMs);
    publish(10);
    queue.counters.diskWrites = 10;
    clock.advance(sampleMs);
    const measured = metrics.ofQueue(queue);
    expect(valuesOf(measured)).toMatchObject({ disk_reads: 100, disk_writes: 10 });
    expect([measured.rate("disk_reads"), measured.rate("disk_writes")]).toEqual([0, 2]);
    queue.counters.diskReads = 150;
    clock.advance(sampleMs);
    expect(metrics.ofQueue(queue).rate("disk_reads")).toBe(10);
    expect(metrics.ofVhosts([vhost]).rate("disk_reads")).toBe(10);
  });

  it("take a queue for idle while its messages are only looked at", () => {
    publish(1);
    clock.advance(sampleMs);
    const used = clock.now();
    clock.advance(sampleMs);
    queue.counters.diskReads = 5;
    clock.advance(sampleMs);
    expect(metrics.ofQueue(queue).rate("disk_reads")).toBe(1);
    expect(metrics.idleSince(queue)).toBe(used);
  });

  it("tell since when a queue is idle", () => {
    const since = clock.now();
    expect(metrics.idleSince(queue)).toBeUndefined();
    clock.advance(sampleMs);
    expect(metrics.idleSince(queue)).toBe(since);
    publish(1);
    clock.advance(sampleMs);
    const published = clock.now();
    expect(metrics.idleSince(queue)).toBeUndefined();
    clock.advance(3 * sampleMs);
    expect(metrics.idleSince(queue)).toBe(published);
    queue.touch();
    expect(metrics.idleSince(queue)).toBeUndefined();
  });
});
