import type { Measured } from "../measured.ts";
import {
  type ChannelMetric,
  type ChurnMetric,
  channelMetrics,
  churnMetrics,
  type ExchangeMetric,
  exchangeMetrics,
  type NodeMetric,
  nodeMetrics,
  type QueueMetric,
  queueMetrics,
  type TrafficMetric,
  trafficMetrics,
} from "../metric-names.ts";
import type { Metrics } from "../metrics.ts";
import { change } from "../sample-ring.ts";
import type { Query } from "./paging.ts";
import { badRequest } from "./refusal.ts";
import type { Row } from "./rows.ts";

/** Most samples of one series that a request may ask for. */
const samplesMax = 500;

const levels = ["messages", "messages_ready", "messages_unacknowledged"] as const satisfies readonly QueueMetric[];
/** What only a publisher's side counts: a queue never hears of them. */
const ofPublishers = ["confirm", "return_unroutable", "drop_unroutable"] as const satisfies readonly QueueMetric[];
/** As in RabbitMQ, the sum over a vhost is not told. */
const ofDisks = ["disk_reads", "disk_writes"] as const satisfies readonly QueueMetric[];
const brokerTotals = without(queueMetrics, levels);
const vhostTotals = without(brokerTotals, ofDisks);
const queueTotals = without(brokerTotals, ofPublishers);

function without<N extends string>(names: readonly N[], others: readonly N[]): readonly N[] {
  return names.filter((name) => !others.includes(name));
}

/** How many messages there are, with how fast that changes. */
export function lengthRow(measured: Measured<QueueMetric>, query: Query): Row {
  return counted(measured, levels, rangeOf(query, "lengths"));
}

/** `message_stats` of a queue; nothing at all before something happened. */
export function queueStats(measured: Measured<QueueMetric>, query: Query): { message_stats?: Row } {
  return messageStats(measured, queueTotals, query);
}

/** The same of a vhost. */
export function vhostStats(measured: Measured<QueueMetric>, query: Query): { message_stats?: Row } {
  return messageStats(measured, vhostTotals, query);
}

/** The same of the broker. */
export function brokerStats(measured: Measured<QueueMetric>, query: Query): { message_stats?: Row } {
  return messageStats(measured, brokerTotals, query);
}

/** `message_stats` of an exchange. */
export function exchangeStats(measured: Measured<ExchangeMetric>, query: Query): { message_stats?: Row } {
  return messageStats(measured, exchangeMetrics, query);
}

/** `message_stats` of a channel: of publishes if it has any, and of deliveries if it has any. */
export function channelStats(measured: Measured<ChannelMetric>, query: Query): { message_stats?: Row } {
  const groups = [channelMetrics.slice(0, 4), channelMetrics.slice(4)];
  const used = groups.filter((names) => names.some((name) => measured.value(name) > 0));
  return messageStats(measured, used.flat(), query);
}

/** Bytes from and to a client, or those of a vhost. */
export function trafficRow(measured: Measured<TrafficMetric>, query: Query): Row {
  return counted(measured, trafficMetrics, rangeOf(query, "data_rates"));
}

/** `churn_rates` of the broker. */
export function churnRow(measured: Measured<ChurnMetric>, query: Query): Row {
  return counted(measured, churnMetrics, rangeOf(query, "churn_rates"));
}

/** What the node uses, of the names that are given. */
export function nodeRow(measured: Measured<NodeMetric>, names: readonly NodeMetric[], query: Query): Row {
  return counted(measured, names, rangeOf(query, "node_stats"));
}

/** `message_latency` of the broker: how long messages took, over the time that is asked for; nothing unless it is. */
export function latencyRow(metrics: Metrics, query: Query): { message_latency?: Row } {
  const range = rangeOf(query, "latency");
  return range === undefined ? {} : { message_latency: { ...metrics.ofLatency(range.age * 1000, range.step * 1000) } };
}

function messageStats<N extends string>(
  measured: Measured<N>,
  names: readonly N[],
  query: Query,
): { message_stats?: Row } {
  if (names.every((name) => measured.value(name) === 0)) return {};
  return { message_stats: counted(measured, names, rangeOf(query, "msg_rates")) };
}

/** Which part of a series is asked for, in seconds. */
interface Range {
  readonly age: number;
  readonly step: number;
}

/** The parameters of the query that say which part of which series is asked for. */
const rangeParameters = {
  lengths: ["lengths_age", "lengths_incr"],
  msg_rates: ["msg_rates_age", "msg_rates_incr"],
  data_rates: ["data_rates_age", "data_rates_incr"],
  churn_rates: ["churn_rates_age", "churn_rates_incr"],
  node_stats: ["node_stats_age", "node_stats_incr"],
  latency: ["latency_age", "latency_incr"],
} as const;

function rangeOf(query: Query, of: keyof typeof rangeParameters): Range | undefined {
  const [ageName, stepName] = rangeParameters[of];
  if (query[ageName] === undefined) return undefined;
  const age = Number(query[ageName]);
  const step = Number(query[stepName]);
  if (!Number.isInteger(age) || !Number.isInteger(step) || age < 0 || step <= 0) return undefined;
  if (age / step > samplesMax) throw badRequest(`Invalid range parameters: age ${age}, incr ${step}`);
  return { age, step };
}

/** Made once: as a key of a row, a text that was just put together costs more than the row. */
const detailsNames = new Map(
  [queueMetrics, channelMetrics, exchangeMetrics, trafficMetrics, churnMetrics, nodeMetrics]
    .flat<(readonly string[])[]>()
    .map((name) => [name, `${name}_details`]),
);

/** Each value with its rate in `_details`. */
function counted<N extends string>(measured: Measured<N>, names: readonly N[], range: Range | undefined): Row {
  const row: Record<string, unknown> = {};
  for (const name of names) {
    row[name] = measured.value(name);
    row[detailsNames.get(name) ?? ""] = details(measured, name, range);
  }
  return row;
}

function details<N extends string>(measured: Measured<N>, name: N, range: Range | undefined): Row {
  const rate = measured.rate(name);
  if (range === undefined) return { rate };
  const samples = measured.series(name, range.age * 1000, range.step * 1000);
  const [newest] = samples;
  const oldest = samples.at(-1);
  const avg = samples.reduce((sum, { sample }) => sum + sample, 0) / Math.max(samples.length, 1);
  const avg_rate = newest === undefined || oldest === undefined ? 0 : change(newest, oldest);
  return { rate, samples, avg, avg_rate };
}
