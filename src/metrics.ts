import type { Clock, Timer } from "./clock.ts";
import type { Queue, QueueCounters } from "./queue/queue.ts";
import { SampleRing } from "./sample-ring.ts";
import type { Vhost } from "./vhost.ts";
import type { Vhosts } from "./vhosts.ts";

/** What is measured of queues and vhosts, under RabbitMQ's names. The last three are levels, the others only grow. */
export const metricNames = [
  "publish",
  "deliver",
  "deliver_no_ack",
  "get",
  "get_no_ack",
  "deliver_get",
  "redeliver",
  "ack",
  "return_unroutable",
  "drop_unroutable",
  "messages_ready",
  "messages_unacknowledged",
  "messages",
] as const;

export type MetricName = (typeof metricNames)[number];

/** Totals since the broker started, and what they were before. */
export interface Measured {
  readonly values: Readonly<Record<MetricName, number>>;
  readonly ring: SampleRing | undefined;
}

const sampleEveryMs = 5000;
/** A minute of a queue, ten minutes of a vhost. */
const queueSamplesMax = 13;
const vhostSamplesMax = 121;

/** A queue that has seen messages. Once it is idle for as long as its ring is, only the last sample is kept. */
interface Watched {
  last: Float64Array;
  lastAt: number;
  ring: SampleRing | undefined;
  idle: number;
}

/** Looks at the counters of queues and vhosts every few seconds, so that rates can be told. */
export class Metrics {
  readonly #clock: Clock;
  readonly #vhosts: Vhosts;
  readonly #queues = new WeakMap<Queue, Watched>();
  readonly #rings = new WeakMap<Vhost, SampleRing>();
  readonly #row = new Float64Array(metricNames.length);
  readonly #sum = new Float64Array(metricNames.length);
  #sampledAt: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, vhosts: Vhosts) {
    this.#clock = clock;
    this.#vhosts = vhosts;
    this.#sampledAt = clock.now();
  }

  /** Samples from now on, until {@link stop}. */
  start(): void {
    const now = this.#clock.now();
    this.#sample(now);
    this.#timer = this.#clock.setTimer(now + sampleEveryMs, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  ofQueue(queue: Queue): Measured {
    readQueue(queue, this.#row);
    return { values: named(this.#row), ring: this.#queues.get(queue)?.ring };
  }

  /** The sum over some vhosts. */
  ofVhosts(vhosts: readonly Vhost[]): Measured {
    const total = new Float64Array(metricNames.length);
    for (const vhost of vhosts) {
      this.#readVhost(vhost);
      addTo(total, this.#sum);
    }
    const rings = vhosts.flatMap((vhost) => this.#rings.get(vhost) ?? []);
    return { values: named(total), ring: SampleRing.sum(rings) };
  }

  #sample(now: number): void {
    for (const vhost of this.#vhosts.list()) {
      this.#readVhost(vhost, (queue) => this.#watch(queue, now));
      const ring = this.#rings.get(vhost) ?? new SampleRing(metricNames.length, vhostSamplesMax);
      this.#rings.set(vhost, ring);
      ring.add(now, this.#sum);
    }
    this.#sampledAt = now;
  }

  /** Leaves the sum of a vhost in #sum, and each of its queues in #row when `visit` is called with it. */
  #readVhost(vhost: Vhost, visit?: (queue: Queue) => void): void {
    const { counters, retired } = vhost;
    readCounters(retired, this.#sum);
    for (const queue of vhost.queues.values()) {
      readQueue(queue, this.#row);
      visit?.(queue);
      addTo(this.#sum, this.#row);
    }
    // A message that goes to three queues is published once.
    this.#sum[column("publish")] = counters.published;
    this.#sum[column("return_unroutable")] = counters.returned;
    this.#sum[column("drop_unroutable")] = counters.dropped;
  }

  /** Notes the values of a queue that are in #row. */
  #watch(queue: Queue, now: number): void {
    const watched = this.#queues.get(queue);
    if (watched === undefined) {
      if (isActive(queue.counters)) this.#queues.set(queue, this.#startWatching(queue, now));
      return;
    }
    const changed = watched.last.some((value, i) => value !== this.#row[i]);
    watched.idle = changed ? 0 : watched.idle + 1;
    if (changed) watched.ring ??= ringFrom(watched.lastAt, watched.last);
    watched.ring?.add(now, this.#row);
    if (watched.idle >= queueSamplesMax) watched.ring = undefined;
    watched.last.set(this.#row);
    watched.lastAt = now;
  }

  /** Its first messages came or went since the last sample: before, its counters were all zero. */
  #startWatching({ counters, ready, unacked }: Queue, now: number): Watched {
    const gone = counters.acked + counters.deliveredNoAck + counters.gotNoAck;
    const messages = Math.max(0, ready + unacked - counters.published + gone);
    const before = new Float64Array(metricNames.length);
    before[column("messages")] = before[column("messages_ready")] = messages;
    const ring = ringFrom(this.#sampledAt, before);
    ring.add(now, this.#row);
    return { last: this.#row.slice(), lastAt: now, ring, idle: 0 };
  }
}

/** Where a metric is in a row. */
export function column(name: MetricName): number {
  return metricNames.indexOf(name);
}

function ringFrom(time: number, row: Float64Array): SampleRing {
  const ring = new SampleRing(metricNames.length, queueSamplesMax);
  ring.add(time, row);
  return ring;
}

function isActive({ published, delivered, deliveredNoAck, got, gotNoAck }: QueueCounters): boolean {
  return published + delivered + deliveredNoAck + got + gotNoAck > 0;
}

function readQueue(queue: Queue, row: Float64Array): void {
  readCounters(queue.counters, row);
  row[column("messages_ready")] = queue.ready;
  row[column("messages_unacknowledged")] = queue.unacked;
  row[column("messages")] = queue.ready + queue.unacked;
}

/** In the order of {@link metricNames}. */
function readCounters(counters: QueueCounters, row: Float64Array): void {
  const { published, delivered, deliveredNoAck, got, gotNoAck, redelivered, acked } = counters;
  const taken = delivered + deliveredNoAck + got + gotNoAck;
  row.set([published, delivered, deliveredNoAck, got, gotNoAck, taken, redelivered, acked, 0, 0, 0, 0, 0]);
}

function addTo(total: Float64Array, row: Float64Array): void {
  for (const [i, value] of row.entries()) total[i] = (total[i] ?? 0) + value;
}

function named(row: Float64Array): Record<MetricName, number> {
  const value = (name: MetricName): number => row[column(name)] ?? 0;
  return {
    publish: value("publish"),
    deliver: value("deliver"),
    deliver_no_ack: value("deliver_no_ack"),
    get: value("get"),
    get_no_ack: value("get_no_ack"),
    deliver_get: value("deliver_get"),
    redeliver: value("redeliver"),
    ack: value("ack"),
    return_unroutable: value("return_unroutable"),
    drop_unroutable: value("drop_unroutable"),
    messages_ready: value("messages_ready"),
    messages_unacknowledged: value("messages_unacknowledged"),
    messages: value("messages"),
  };
}
