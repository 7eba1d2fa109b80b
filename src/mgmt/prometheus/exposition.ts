import { Slices } from "../slices.ts";
import { type BrokerMetric, counts, type Endpoint, globals, identity, ownMetrics } from "./broker-families.ts";
import { connectionFamilies } from "./connection-families.ts";
import { exchangeFamilies } from "./exchange-families.ts";
import type { Family, Labels, Metric, MetricsSource, Reading } from "./metric.ts";
import { nodeFamilies } from "./node-families.ts";
import { queueFamilies } from "./queue-families.ts";

/** Characters that are gathered before they are passed on. */
const chunkSize = 64 * 1024;

const families: readonly Family[] = [...nodeFamilies, ...queueFamilies, ...connectionFamilies, ...exchangeFamilies];

/** What is asked for: all of it summed up, all of it by object, or some families of some vhosts. */
export interface Query {
  readonly endpoint: Endpoint;
  /** Of families, when the endpoint is the detailed one. */
  readonly families: ReadonlySet<string>;
  /** Undefined for all. */
  readonly vhosts: ReadonlySet<string> | undefined;
}

/** The text that Prometheus reads, in pieces; between them the loop has its turns. */
export async function* exposition(from: MetricsSource, query: Query): AsyncIterable<string> {
  const slices = new Slices();
  let chunk = "";
  for (const line of lines(from, query)) {
    chunk += line;
    if (chunk.length >= chunkSize) {
      yield chunk;
      chunk = "";
    }
    if (slices.isOver) await slices.next();
  }
  yield chunk;
}

function* lines(from: MetricsSource, query: Query): Iterable<string> {
  const { endpoint, vhosts } = query;
  for (const family of families) {
    if (!isWanted(family, query)) continue;
    const readings = family.readings(from, vhosts);
    if (family.isPerObject === true && endpoint === "aggregated") yield* summedUp(family, readings);
    else yield* oneByOne(family, prefixOf(family, endpoint), readings);
  }
  if (endpoint !== "detailed") yield* ofBroker(from);
  for (const metric of identity(from, endpoint)) yield* brokerLines("rabbitmq_", metric);
}

/** What RabbitMQ leaves out unless it is asked for, as another family has it too. */
const alone = "queue_consumer_count";

function isWanted({ name, isOfCluster, isOnlyPerObject }: Family, query: Query): boolean {
  if (query.endpoint === "aggregated" && isOnlyPerObject === true) return false;
  if (query.endpoint !== "detailed") return isOfCluster !== true && name !== alone;
  return query.families.has(name) && !(name === alone && query.families.has("queue_metrics"));
}

function prefixOf({ isOfCluster }: Family, endpoint: Endpoint): string {
  if (isOfCluster === true) return "rabbitmq_cluster_";
  return endpoint === "detailed" ? "rabbitmq_detailed_" : "rabbitmq_";
}

function* ofBroker(from: MetricsSource): Iterable<string> {
  for (const metric of [...counts(from), ...globals(from)]) yield* brokerLines("rabbitmq_", metric);
  for (const metric of ownMetrics(from)) yield* brokerLines("tsbroker_", metric);
  const startedAt = from.host.startedAt / 1000;
  const started = {
    name: "start_time_seconds",
    type: "gauge",
    help: "Start time of the process since unix epoch in seconds.",
  } as const;
  yield* brokerLines("process_", { metric: started, samples: [{ labels: {}, value: startedAt }] });
}

/** Adds up a family while its readings are made, so that none is kept. What has no value anywhere has no line. */
function* summedUp(family: Family, readings: Iterable<Reading>): Iterable<string> {
  const sums = family.metrics.map(() => 0);
  const isKnown = family.metrics.map(() => true);
  for (const { values } of readings) {
    for (const [i, value] of values.entries()) {
      if (Number.isNaN(value)) isKnown[i] = false;
      else sums[i] = (sums[i] ?? 0) + value;
    }
    yield "";
  }
  for (const [i, metric] of family.metrics.entries()) {
    yield head("rabbitmq_", metric);
    if (isKnown[i] === true) yield line(`rabbitmq_${metric.name}`, "", sums[i] ?? 0);
  }
}

function* oneByOne(family: Family, prefix: string, readings: Iterable<Reading>): Iterable<string> {
  const rows: { readonly labels: string; readonly values: readonly number[] }[] = [];
  for (const { labels, values } of readings) {
    rows.push({ labels: labelText(labels), values });
    yield "";
  }
  for (const [i, metric] of family.metrics.entries()) {
    yield head(prefix, metric);
    for (const { labels, values } of rows) {
      const value = values[i] ?? Number.NaN;
      if (!Number.isNaN(value)) yield line(prefix + metric.name, labels, value);
    }
  }
}

function* brokerLines(prefix: string, { metric, samples }: BrokerMetric): Iterable<string> {
  yield head(prefix, metric);
  for (const { suffix = "", labels, value } of samples) {
    yield line(prefix + metric.name + suffix, labelText(labels), value);
  }
}

/** As RabbitMQ's, with the type first. */
function head(prefix: string, { name, type, help }: Metric): string {
  return `# TYPE ${prefix}${name} ${type}\n# HELP ${prefix}${name} ${help}\n`;
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels} ${value}\n`;
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function escaped(value: string): string {
  return /["\\\n]/.test(value) ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : value;
}
