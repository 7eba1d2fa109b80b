import type { ChannelCounters } from "./channel-counters.ts";
import type { Churn } from "./churn.ts";
import type { Clock, Timer } from "./clock.ts";
import type { ConnectionRegistry, ConnectionView } from "./connections.ts";
import { type Histogram, secondsBounds } from "./histogram.ts";
import { countsOf, type LatencyPoint, latencySeries } from "./latency-series.ts";
import { Measured } from "./measured.ts";
import {
  type ChannelMetric,
  type ChurnMetric,
  channelMetrics,
  churnMetrics,
  type ExchangeMetric,
  exchangeMetrics,
  type QueueMetric,
  queueMetrics,
  type TrafficMetric,
  trafficMetrics,
} from "./metric-names.ts";
import type { MessageLatency } from "./queue/message-latency.ts";
import type { Queue } from "./queue/queue.ts";
import type { QueueCounters } from "./queue/queue-counters.ts";
import type { ExchangeCounters } from "./route.ts";
import { historyMs, SampleHistory } from "./sample-history.ts";
import { SampleRing, type Samples, samplesIn } from "./sample-ring.ts";
import type { Vhost } from "./vhost.ts";
import type { Vhosts } from "./vhosts.ts";
import { Watch } from "./watch.ts";

/** Of one thing samples are kept for so long; of vhosts, the broker and the queues that are followed for a day. */
const minuteMs = 60_000;
/** Queues that are followed: those that were active first, and those that somebody looked at last. */
const followedMax = 100;

/** Where samples are taken. */
export interface MetricsSources {
  readonly clock: Clock;
  readonly vhosts: Vhosts;
  readonly connections: ConnectionRegistry;
  readonly churn: Churn;
  readonly latency: MessageLatency;
}

/** The samples of everything that is looked at. */
class AllSamples {
  readonly queues: Watch<Queue>;
  readonly exchanges: Watch<ExchangeCounters>;
  readonly channels: Watch<ChannelCounters>;
  readonly connections: Watch<ConnectionView>;
  readonly vhosts = new WeakMap<Vhost, SampleHistory>();
  readonly traffic: Watch<Vhost>;
  readonly churn: Watch<Churn>;
  readonly latency: SampleHistory;
  /** The one that was looked at last is the last. */
  readonly followed = new Map<Queue, SampleHistory>();

  constructor(intervalMs: number) {
    this.queues = ofMinute(queueMetrics.length, intervalMs, at.disk_reads);
    this.exchanges = ofMinute(exchangeMetrics.length, intervalMs);
    this.channels = ofMinute(channelMetrics.length, intervalMs);
    this.connections = ofMinute(trafficMetrics.length, intervalMs);
    this.traffic = ofDay(trafficMetrics.length, intervalMs);
    this.churn = ofDay(churnMetrics.length, intervalMs);
    this.latency = SampleHistory.of(2 * (secondsBounds.length + 1), intervalMs);
  }
}

function ofMinute<T extends object>(columns: number, intervalMs: number, usedColumns = columns): Watch<T> {
  const samplesMax = samplesIn(minuteMs, intervalMs);
  return new Watch(columns, samplesMax, () => new SampleRing(columns, samplesMax), usedColumns);
}

function ofDay<T extends object>(columns: number, intervalMs: number): Watch<T> {
  return new Watch(columns, samplesIn(historyMs, intervalMs), () => SampleHistory.of(columns, intervalMs));
}

/** Looks at the counters of everything that has some every few seconds, so that rates can be told. */
export class Metrics {
  readonly #sources: MetricsSources;
  readonly #intervalMs: number;
  #samples: AllSamples;
  readonly #row = new Float64Array(queueMetrics.length);
  readonly #sum = new Float64Array(queueMetrics.length);
  #sampledAt: number;
  /** Told after each time that samples were taken. */
  readonly listeners = new Set<() => void>();
  #timer: Timer | undefined;

  /** Looks every `intervalMs`. */
  constructor(sources: MetricsSources, intervalMs: number) {
    this.#sources = sources;
    this.#intervalMs = intervalMs;
    this.#samples = new AllSamples(intervalMs);
    this.#sampledAt = sources.clock.now();
  }

  /** Samples from now on, until {@link stop}. */
  start(): void {
    const { clock } = this.#sources;
    const now = clock.now();
    this.#sample(now);
    this.#timer = clock.setTimer(now + this.#intervalMs, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Forgets all samples. */
  forget(): void {
    this.#samples = new AllSamples(this.#intervalMs);
  }

  ofQueue(queue: Queue): Measured<QueueMetric> {
    readQueue(queue, this.#row);
    const samples = this.#samples.followed.get(queue) ?? this.#samples.queues.ringOf(queue);
    return new Measured(queueMetrics, this.#row.slice(), samples);
  }

  /** Since when nothing has happened to a queue, as of the last samples; undefined while something does. */
  idleSince(queue: Queue): number | undefined {
    const since = Math.max(queue.usedAt, this.#samples.queues.usedAt(queue) ?? 0);
    return since < this.#sampledAt ? since : undefined;
  }

  /** Keeps a day's history of a queue from now on. Of many, those that were asked for last are kept. */
  follow(queue: Queue): void {
    const { followed, queues } = this.#samples;
    const history = followed.get(queue) ?? historyFrom(queues.ringOf(queue), this.#intervalMs);
    followed.delete(queue);
    followed.set(queue, history);
    const [oldest] = followed.keys();
    if (followed.size > followedMax && oldest !== undefined) followed.delete(oldest);
  }

  /** The sum over some vhosts. */
  ofVhosts(vhosts: readonly Vhost[]): Measured<QueueMetric> {
    const total = new Float64Array(queueMetrics.length);
    for (const vhost of vhosts) {
      this.#readVhost(vhost);
      addTo(total, this.#sum);
    }
    const histories = vhosts.flatMap((vhost) => this.#samples.vhosts.get(vhost) ?? []);
    return new Measured(queueMetrics, total, SampleHistory.sum(histories));
  }

  ofExchange(counters: ExchangeCounters): Measured<ExchangeMetric> {
    return new Measured(exchangeMetrics, exchangeRow(counters), this.#samples.exchanges.ringOf(counters));
  }

  ofChannel(counters: ChannelCounters): Measured<ChannelMetric> {
    return new Measured(channelMetrics, channelRow(counters), this.#samples.channels.ringOf(counters));
  }

  ofConnection(connection: ConnectionView): Measured<TrafficMetric> {
    return new Measured(trafficMetrics, connectionRow(connection), this.#samples.connections.ringOf(connection));
  }

  /** Bytes from and to the clients of a vhost, those that have gone included. */
  trafficOf(vhost: Vhost): Measured<TrafficMetric> {
    const row = Float64Array.of(vhost.counters.received, vhost.counters.sent);
    for (const connection of this.#sources.connections.list()) {
      if (connection.vhost === vhost.name) addTo(row, connectionRow(connection));
    }
    return new Measured(trafficMetrics, row, this.#samples.traffic.ringOf(vhost));
  }

  ofChurn(): Measured<ChurnMetric> {
    const { churn } = this.#sources;
    return new Measured(churnMetrics, churnRow(churn), this.#samples.churn.ringOf(churn));
  }

  /** How long messages took until they were delivered, and until they were acked. */
  ofLatency(ageMs: number, stepMs: number): { readonly delivered: LatencyPoint[]; readonly acked: LatencyPoint[] } {
    const { delivered, acked } = this.#sources.latency;
    const seriesAt = (column: number, histogram: Histogram) =>
      latencySeries(this.#samples.latency, histogram, column, ageMs, stepMs);
    return { delivered: seriesAt(0, delivered), acked: seriesAt(delivered.bounds.length + 1, acked) };
  }

  #sample(now: number): void {
    const { vhosts, churn, latency } = this.#sources;
    for (const vhost of vhosts.list()) this.#sampleVhost(vhost, now);
    for (const queue of this.#samples.followed.keys()) if (queue.deleted) this.#samples.followed.delete(queue);
    this.#sampleConnections(now);
    this.#samples.churn.note(churn, churnRow(churn), now, this.#sampledAt);
    this.#samples.latency.add(now, countsOf([latency.delivered, latency.acked]));
    this.#sampledAt = now;
    for (const listener of this.listeners) listener();
  }

  #sampleVhost(vhost: Vhost, now: number): void {
    this.#readVhost(vhost, (queue) => this.#sampleQueue(queue, now));
    const history = this.#samples.vhosts.get(vhost) ?? SampleHistory.of(queueMetrics.length, this.#intervalMs);
    this.#samples.vhosts.set(vhost, history);
    history.add(now, this.#sum);
    for (const counters of vhost.exchangeCounters()) {
      this.#samples.exchanges.note(counters, exchangeRow(counters), now, this.#sampledAt);
    }
  }

  #sampleConnections(now: number): void {
    const traffic = new Map<string, Float64Array>();
    for (const connection of this.#sources.connections.list()) {
      if (connection.vhost === undefined) continue;
      const row = connectionRow(connection);
      this.#samples.connections.note(connection, row, now, this.#sampledAt);
      const sum = traffic.get(connection.vhost) ?? new Float64Array(trafficMetrics.length);
      addTo(sum, row);
      traffic.set(connection.vhost, sum);
      for (const { counters } of connection.channels()) {
        this.#samples.channels.note(counters, channelRow(counters), now, this.#sampledAt);
      }
    }
    for (const vhost of this.#sources.vhosts.list()) {
      const row = Float64Array.of(vhost.counters.received, vhost.counters.sent);
      addTo(row, traffic.get(vhost.name) ?? new Float64Array(trafficMetrics.length));
      this.#samples.traffic.note(vhost, row, now, this.#sampledAt);
    }
  }

  /** Leaves the sum of a vhost in #sum, and each of its queues in #row when `visit` is called with it. */
  #readVhost(vhost: Vhost, visit?: (queue: Queue) => void): void {
    const { counters, retired } = vhost;
    readCounters(retired.classic, this.#sum);
    readCounters(retired.quorum, this.#row);
    addTo(this.#sum, this.#row);
    for (const queue of vhost.queues.values()) {
      readQueue(queue, this.#row);
      visit?.(queue);
      addTo(this.#sum, this.#row);
    }
    // A message that goes to three queues is published once.
    this.#sum[at.publish] = counters.published;
    this.#sum[at.confirm] = counters.confirmed;
    this.#sum[at.return_unroutable] = counters.returned;
    this.#sum[at.drop_unroutable] = counters.dropped;
  }

  /** Takes a sample of a queue whose values are in #row. */
  #sampleQueue(queue: Queue, now: number): void {
    this.#samples.followed.get(queue)?.add(now, this.#row);
    if (this.#samples.queues.isWatched(queue)) this.#samples.queues.sample(queue, this.#row, now);
    else if (isActive(queue.counters)) {
      this.#samples.queues.start(queue, this.#row, now, this.#sampledAt, beforeItsFirst(queue));
      if (this.#samples.followed.size < followedMax) this.follow(queue);
    }
  }
}

/** Where the values of queues and vhosts are in a row. */
const at = {
  publish: queueMetrics.indexOf("publish"),
  confirm: queueMetrics.indexOf("confirm"),
  return_unroutable: queueMetrics.indexOf("return_unroutable"),
  drop_unroutable: queueMetrics.indexOf("drop_unroutable"),
  disk_reads: queueMetrics.indexOf("disk_reads"),
  disk_writes: queueMetrics.indexOf("disk_writes"),
  messages_ready: queueMetrics.indexOf("messages_ready"),
  messages_unacknowledged: queueMetrics.indexOf("messages_unacknowledged"),
  messages: queueMetrics.indexOf("messages"),
} as const;

/** The values of a queue whose first messages came or went since the last sample: what it counts of them was all zero. */
function beforeItsFirst({ counters, ready, unacked }: Queue): Float64Array {
  const gone = counters.acked + counters.deliveredNoAck + counters.gotNoAck;
  const messages = Math.max(0, ready + unacked - counters.published + gone);
  const before = new Float64Array(queueMetrics.length);
  before[at.messages] = before[at.messages_ready] = messages;
  // What was read ahead of them was so at some time before.
  before[at.disk_reads] = counters.diskReads;
  return before;
}

/** A history that begins with the samples there are. */
function historyFrom(ring: Samples | undefined, intervalMs: number): SampleHistory {
  const history = SampleHistory.of(queueMetrics.length, intervalMs);
  if (ring === undefined) return history;
  const columns = queueMetrics.map((_, column) => ring.series(column, minuteMs + intervalMs, intervalMs));
  for (const [back, { timestamp }] of [...(columns[0] ?? []).entries()].reverse()) {
    history.add(
      timestamp,
      Float64Array.from(columns, (samples) => samples[back]?.sample ?? 0),
    );
  }
  return history;
}

function isActive({ published, delivered, deliveredNoAck, got, gotNoAck, gotEmpty }: QueueCounters): boolean {
  return published + delivered + deliveredNoAck + got + gotNoAck + gotEmpty > 0;
}

function readQueue(queue: Queue, row: Float64Array): void {
  readCounters(queue.counters, row);
  row[at.messages_ready] = queue.ready;
  row[at.messages_unacknowledged] = queue.unacked;
  row[at.messages] = queue.ready + queue.unacked;
}

/** In the order of {@link queueMetrics}, which begins with what happens to messages. */
function readCounters(counters: QueueCounters, row: Float64Array): void {
  row.fill(0);
  row[0] = counters.published;
  row[1] = counters.delivered;
  row[2] = counters.deliveredNoAck;
  row[3] = counters.got;
  row[4] = counters.gotNoAck;
  row[5] = counters.gotEmpty;
  row[6] = counters.delivered + counters.deliveredNoAck + counters.got + counters.gotNoAck;
  row[7] = counters.redelivered;
  row[8] = counters.acked;
  row[at.disk_reads] = counters.diskReads;
  row[at.disk_writes] = counters.diskWrites;
}

/** In the order of {@link channelMetrics}. */
function channelRow(counters: ChannelCounters): Float64Array {
  const { published, confirmed, returned, dropped, delivered, deliveredNoAck, got, gotNoAck, gotEmpty } = counters;
  const taken = delivered + deliveredNoAck + got + gotNoAck;
  const from = [delivered, deliveredNoAck, got, gotNoAck, gotEmpty, taken, counters.redelivered, counters.acked];
  return Float64Array.of(published, confirmed, returned, dropped, ...from);
}

function exchangeRow({ publishedIn, publishedOut }: ExchangeCounters): Float64Array {
  return Float64Array.of(publishedIn, publishedOut);
}

function connectionRow(connection: ConnectionView): Float64Array {
  return Float64Array.of(connection.bytesReceived, connection.bytesSent);
}

/** In the order of {@link churnMetrics}. */
function churnRow(churn: Churn): Float64Array {
  const { connectionsCreated, connectionsClosed, channelsCreated, channelsClosed } = churn;
  const { queuesDeclared, queuesCreated, queuesDeleted } = churn;
  const ofClients = [connectionsCreated, connectionsClosed, channelsCreated, channelsClosed];
  return Float64Array.of(...ofClients, queuesDeclared, queuesCreated, queuesDeleted);
}

function addTo(total: Float64Array, row: Float64Array): void {
  for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (row[i] ?? 0);
}
