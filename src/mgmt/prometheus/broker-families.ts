import type { Histogram } from "../../histogram.ts";
import { nodeName } from "../../node-name.ts";
import { type QueueType, queueTypes } from "../../queue/arguments.ts";
import type { DeathReason } from "../../queue/dead-letter.ts";
import type { DeadLetterStrategy } from "../../queue/death-counts.ts";
import type { QueueCounters } from "../../queue/queue-counters.ts";
import type { TrafficTotals } from "../../traffic-totals.ts";
import { version } from "../../version.ts";
import { clientTotals } from "./connection-families.ts";
import { counter, gauge, type Labels, type Metric, type MetricsSource } from "./metric.ts";

/** A line of a metric: what is added to its name, its labels, its value. */
export interface Sample {
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** A metric of the broker as a whole, with its lines. Never by object. */
export interface BrokerMetric {
  readonly metric: Metric;
  readonly samples: readonly Sample[];
}

/** Which endpoint is asked; the dashboards of RabbitMQ 4 tell them apart. */
export type Endpoint = "aggregated" | "per-object" | "detailed";

const amqp: Labels = { protocol: "amqp091" };

function one(metric: Metric, value: number, labels: Labels = {}): BrokerMetric {
  return { metric, samples: [{ labels, value }] };
}

function info(name: string, help: string, value: number, labels: Labels = {}): BrokerMetric {
  return one({ name, type: "untyped", help }, value, labels);
}

/** Who this is. */
export function identity({ host }: MetricsSource, endpoint: Endpoint): readonly BrokerMetric[] {
  const { config, globalParameters } = host;
  return [
    info("build_info", "RabbitMQ & Erlang/OTP version info", 1, {
      rabbitmq_version: config.serverProperties.version,
      prometheus_plugin_version: version,
      prometheus_client_version: version,
      erlang_version: process.versions.node,
    }),
    info("identity_info", "RabbitMQ node & cluster identity info", 1, {
      rabbitmq_node: nodeName,
      rabbitmq_cluster: globalParameters.clusterName,
      rabbitmq_cluster_permanent_id: globalParameters.clusterName,
      rabbitmq_endpoint: endpoint,
    }),
  ];
}

/** How many there are of what, and whether something is wrong. */
export function counts(from: MetricsSource): readonly BrokerMetric[] {
  const { connections, vhosts, alarms } = from.host;
  const { channels, consumers } = clientTotals(from);
  let queues = 0;
  for (const vhost of vhosts.list()) queues += vhost.queues.size;
  const alarm = (name: string, help: string, isSet: boolean) =>
    info(`alarms_${name}`, `is 1 if ${help} alarm is in effect`, Number(isSet));
  return [
    alarm("file_descriptor_limit", "file descriptor limit", false),
    alarm("free_disk_space_watermark", "free disk space watermark", alarms.isSet("low on disk")),
    alarm("memory_used_watermark", "VM memory watermark", alarms.isSet("low on memory")),
    one(gauge("connections", "Connections currently open"), connections.size),
    one(gauge("channels", "Channels currently open"), channels),
    one(gauge("consumers", "Consumers currently connected"), consumers),
    one(gauge("queues", "Queues available"), queues),
  ];
}

/** What went through the broker since it started. */
export function globals(from: MetricsSource): readonly BrokerMetric[] {
  const { host } = from;
  const totals = host.vhosts.traffic();
  const { consumers, publishers } = clientTotals(from);
  return [
    one(gauge("global_consumers", "Current number of consumers"), consumers, amqp),
    one(gauge("global_publishers", "Current number of publishers"), publishers, amqp),
    ...publishes(totals),
    ...deliveries(totals),
    ...deaths(from),
    ...streamErrors(),
    histogram("message_size_bytes", "Size of messages received from publishers", host.messageSizes, amqp, sizeBound),
  ];
}

function publishes({ publishes: { published, toConfirm, confirmed, returned, dropped }, queues }: TrafficTotals) {
  const routed = queueTypes.reduce((sum, type) => sum + queues[type].published, 0);
  return [
    ofMessages("received_total", "received from publishers", published),
    ofMessages("received_confirm_total", "received from publishers expecting confirmations", toConfirm),
    ofMessages("routed_total", "routed to queues or streams", routed),
    ofMessages("confirmed_total", "confirmed to publishers", confirmed),
    ofMessages(
      "unroutable_dropped_total",
      "published as non-mandatory into an exchange and dropped as unroutable",
      dropped,
    ),
    ofMessages(
      "unroutable_returned_total",
      "published as mandatory into an exchange and returned to the publisher as unroutable",
      returned,
    ),
  ];
}

function ofMessages(name: string, what: string, value: number): BrokerMetric {
  return one(counter(`global_messages_${name}`, `Total number of messages ${what}`), value, amqp);
}

function deliveries({ queues }: TrafficTotals): readonly BrokerMetric[] {
  const byType = (name: string, help: string, value: (counters: QueueCounters) => number): BrokerMetric => ({
    metric: counter(`global_messages_${name}`, `Total number of ${help}`),
    samples: queueTypes.map((type) => ({
      labels: { ...amqp, queue_type: typeLabel(type) },
      value: value(queues[type]),
    })),
  });
  const delivered = "messages delivered to consumers";
  const byConsume = `${delivered} using basic.consume with`;
  const byGet = `${delivered} using basic.get with`;
  return [
    byType("acknowledged_total", "messages acknowledged by consumers", ({ acked }) => acked),
    byType(
      "delivered_consume_auto_ack_total",
      `${byConsume} automatic acknowledgment`,
      ({ deliveredNoAck }) => deliveredNoAck,
    ),
    byType(
      "delivered_consume_manual_ack_total",
      `${byConsume} manual acknowledgment`,
      (counters) => counters.delivered,
    ),
    byType("delivered_get_auto_ack_total", `${byGet} automatic acknowledgment`, ({ gotNoAck }) => gotNoAck),
    byType("delivered_get_manual_ack_total", `${byGet} manual acknowledgment`, ({ got }) => got),
    byType(
      "delivered_total",
      delivered,
      (counters) => counters.delivered + counters.deliveredNoAck + counters.got + counters.gotNoAck,
    ),
    byType("get_empty_total", "times basic.get operations fetched no message", ({ gotEmpty }) => gotEmpty),
    byType("redelivered_total", "messages redelivered to consumers", ({ redelivered }) => redelivered),
  ];
}

function typeLabel(type: QueueType): string {
  return `rabbit_${type}_queue`;
}

/** What can become of messages in queues of a type. */
const strategies: Readonly<Record<QueueType, readonly DeadLetterStrategy[]>> = {
  classic: ["at_most_once", "disabled"],
  quorum: ["at_least_once", "at_most_once", "disabled"],
};

function deaths({ host }: MetricsSource): readonly BrokerMetric[] {
  const died = (reason: DeathReason, help: string): BrokerMetric => ({
    metric: counter(`global_messages_dead_lettered_${reason}_total`, `Total number of messages dead-lettered ${help}`),
    samples: queueTypes.flatMap((type) =>
      strategies[type].map((strategy) => ({
        labels: { queue_type: typeLabel(type), dead_letter_strategy: strategy },
        value: host.deaths.of(type, strategy, reason),
      })),
    ),
  });
  return [
    one(
      counter(
        "global_messages_dead_lettered_confirmed_total",
        "Total number of messages dead-lettered and confirmed by target queues",
      ),
      host.deaths.of("quorum", "at_least_once", "confirmed"),
      { queue_type: typeLabel("quorum"), dead_letter_strategy: "at_least_once" },
    ),
    died("delivery_limit", "due to delivery-limit exceeded"),
    died("expired", "due to message TTL exceeded"),
    died("maxlen", "due to overflow drop-head or reject-publish-dlx"),
    died("rejected", "due to basic.reject or basic.nack"),
  ];
}

const streamErrorNames = [
  "access_refused",
  "authentication_failure",
  "frame_too_large",
  "internal_error",
  "precondition_failed",
  "publisher_does_not_exist",
  "sasl_authentication_failure_loopback",
  "sasl_challenge",
  "sasl_error",
  "sasl_mechanism_not_supported",
  "stream_already_exists",
  "stream_does_not_exist",
  "stream_not_available",
  "subscription_id_already_exists",
  "subscription_id_does_not_exist",
  "unknown_frame",
  "vhost_access_failure",
] as const;

/** Nobody speaks the stream protocol here, so nothing goes wrong with it; the dashboards ask. */
function streamErrors(): readonly BrokerMetric[] {
  return streamErrorNames.map((name) =>
    one(
      counter(`global_stream_error_${name}_total`, `Total number of commands failed with ${name.replaceAll("_", " ")}`),
      0,
      { protocol: "stream" },
    ),
  );
}

/** What RabbitMQ does not have: how long things take. */
export function ownMetrics({ host, delay }: MetricsSource): readonly BrokerMetric[] {
  const { seconds, messages } = host.store.commits;
  const { heapUsed, external } = process.memoryUsage();
  return [
    {
      metric: {
        name: "event_loop_delay_seconds",
        type: "summary",
        help: "How late the event loop was since the scrape before",
      },
      samples: [...delay.quantiles].map(([quantile, value]) => ({ labels: { quantile: String(quantile) }, value })),
    },
    one(gauge("event_loop_delay_max_seconds", "Longest delay of the event loop since the scrape before"), delay.max),
    one(gauge("damaged_messages", "Messages that cannot be read, or are not what was written"), damagedIn(host)),
    one(gauge("heap_used_bytes", "Memory of JavaScript objects"), heapUsed),
    one(gauge("buffer_bytes", "Memory outside of the heap, messages above all"), external),
    histogram("store_commit_seconds", "Time from handing a batch to the store until it is on disk", seconds),
    histogram("store_commit_messages", "Messages that were committed together", messages),
    histogram(
      "message_delivery_seconds",
      "Time from a message's arrival in a queue to its first delivery, of a sample of the messages",
      host.latency.delivered,
    ),
    histogram(
      "message_ack_seconds",
      "Time from a message's arrival in a queue to its acknowledgement, of a sample of the messages",
      host.latency.acked,
    ),
  ];
}

function histogram(
  name: string,
  help: string,
  values: Histogram,
  labels: Labels = {},
  boundText: (bound: number) => string = String,
): BrokerMetric {
  const cumulative = values.cumulative();
  const count = cumulative.at(-1) ?? 0;
  const buckets = cumulative.map((value, i) => {
    const bound = values.bounds[i];
    return { suffix: "_bucket", labels: { ...labels, le: bound === undefined ? "+Inf" : boundText(bound) }, value };
  });
  const sums = [
    { suffix: "_count", labels, value: count },
    { suffix: "_sum", labels, value: values.sum },
  ];
  return { metric: { name, type: "histogram", help }, samples: [...buckets, ...sums] };
}

/** The dashboards of RabbitMQ ask for `100.0` and for `1e+06`, as Erlang writes them. */
function sizeBound(bound: number): string {
  return bound < 1e6 ? bound.toFixed(1) : bound.toExponential().replace(/e\+(\d)$/, "e+0$1");
}

function damagedIn({ damages }: MetricsSource["host"]): number {
  return damages.list().reduce((sum, { messages }) => sum + messages, 0);
}
