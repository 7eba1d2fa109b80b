import { column, type Measured, type MetricName, metricNames } from "../metrics.ts";
import { change } from "../sample-ring.ts";
import type { Query } from "./paging.ts";
import { badRequest } from "./refusal.ts";
import type { Row } from "./rows.ts";

/** Most samples of one series that a request may ask for. */
const samplesMax = 500;

const levels = ["messages", "messages_ready", "messages_unacknowledged"] as const satisfies MetricName[];
const isLevel = (name: MetricName): boolean => levels.some((level) => level === name);
const totals = metricNames.filter((name) => !isLevel(name));
/** What only a publisher's side counts: a queue never hears of them. */
const ofPublishers: readonly MetricName[] = ["return_unroutable", "drop_unroutable"];

/** How many messages there are, with how fast that changes. */
export function lengthRow(measured: Measured, query: Query): Row {
  const { values } = measured;
  return {
    messages: values.messages,
    messages_ready: values.messages_ready,
    messages_unacknowledged: values.messages_unacknowledged,
    ...detailsOf(measured, levels, rangeOf(query, "lengths")),
  };
}

/** `message_stats` of a queue, a vhost or the broker; nothing at all before something happened. */
export function messageStats(measured: Measured, query: Query, of: "queue" | "vhost"): { message_stats?: Row } {
  if (totals.every((name) => measured.values[name] === 0)) return {};
  const names = of === "vhost" ? totals : totals.filter((name) => !ofPublishers.includes(name));
  const counted = Object.fromEntries(names.map((name) => [name, measured.values[name]]));
  return { message_stats: { ...counted, ...detailsOf(measured, names, rangeOf(query, "msg_rates")) } };
}

/** Which part of a series is asked for, in seconds. */
interface Range {
  readonly age: number;
  readonly step: number;
}

function rangeOf(query: Query, of: "lengths" | "msg_rates"): Range | undefined {
  const age = Number(query[`${of}_age`]);
  const step = Number(query[`${of}_incr`]);
  if (!Number.isInteger(age) || !Number.isInteger(step) || age < 0 || step <= 0) return undefined;
  if (age / step > samplesMax) throw badRequest(`Invalid range parameters: age ${age}, incr ${step}`);
  return { age, step };
}

function detailsOf(measured: Measured, names: readonly MetricName[], range: Range | undefined): Row {
  return Object.fromEntries(names.map((name) => [`${name}_details`, details(measured, name, range)]));
}

function details({ ring }: Measured, name: MetricName, range: Range | undefined): Row {
  const rate = ring?.rate(column(name)) ?? 0;
  if (range === undefined) return { rate };
  const samples = ring?.series(column(name), range.age * 1000, range.step * 1000) ?? [];
  const [newest] = samples;
  const oldest = samples.at(-1);
  const avg = samples.reduce((sum, { sample }) => sum + sample, 0) / Math.max(samples.length, 1);
  const avg_rate = newest === undefined || oldest === undefined ? 0 : change(newest, oldest);
  return { rate, samples, avg, avg_rate };
}
