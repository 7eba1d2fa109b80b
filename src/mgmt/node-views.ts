import { availableParallelism } from "node:os";
import type { NodeMetric } from "../metric-names.ts";
import { nodeName } from "../node-name.ts";
import { version } from "../version.ts";
import type { ManagementHost } from "./host.ts";
import type { NodeLevels } from "./node-levels.ts";
import type { LimitedReadings, NodeReadings } from "./node-readings.ts";
import type { Query } from "./paging.ts";
import type { Row } from "./rows.ts";
import { churnRow, nodeRow } from "./stats.ts";

const typeDescriptions = {
  direct: "AMQP direct exchange, as per the AMQP specification",
  fanout: "AMQP fanout exchange, as per the AMQP specification",
  headers: "AMQP headers exchange, as per the AMQP specification",
  topic: "AMQP topic exchange, as per the AMQP specification",
} as const;

/** The types that exchanges can be declared with. */
export const exchangeTypeRows: readonly Row[] = Object.entries(typeDescriptions).map(([name, description]) => ({
  name,
  description,
  enabled: true,
}));

const mechanisms = {
  PLAIN: "SASL PLAIN authentication mechanism",
  AMQPLAIN: "QPid AMQPLAIN mechanism",
  EXTERNAL: "TLS peer verification-based authentication plugin. Used in combination with the EXTERNAL SASL mechanism.",
} as const;

function mechanismRows(configured: readonly string[]): Row[] {
  return Object.entries(mechanisms).map(([name, description]) => ({
    name,
    description,
    enabled: configured.includes(name),
  }));
}

/** What is told of the data directory where there is none, as of a log that is no file. */
const inMemory = "<memory>";

/** The one node, as far as the system tells of it. */
export async function nodeView(host: ManagementHost, levels: NodeLevels, query: Query): Promise<Row> {
  const { alarms, config, clock, startedAt, metrics, resources } = host;
  const { readings, measured } = await levels.read();
  return {
    name: nodeName,
    type: "disc",
    running: true,
    being_drained: host.operations.isDrained,
    rates_mode: "basic",
    os_pid: String(process.pid),
    uptime: clock.now() - startedAt,
    processors: availableParallelism(),
    run_queue: 0,
    ...nodeRow(measured, measuredNames(readings), query),
    mem_limit: resources.memoryLimit,
    mem_alarm: alarms.isSet("low on memory"),
    mem_calculation_strategy: "rss",
    disk_free_limit: resources.diskFreeLimit,
    disk_free_alarm: alarms.isSet("low on disk"),
    ...limitedRow(readings.limits),
    ...churnRow(metrics.ofChurn(), query),
    db_dir: host.dataDir ?? inMemory,
    config_files: config.files,
    log_files: host.logs.places,
    exchange_types: exchangeTypeRows,
    auth_mechanisms: mechanismRows(config.authMechanisms),
    applications: [{ name: "tsbroker", description: "tsbroker", version }],
    contexts: contextRows(host),
    enabled_plugins: [],
    partitions: [],
    cluster_links: [],
  };
}

/** What is measured where the system tells as much. */
function measuredNames({ limits, diskFree }: NodeReadings): NodeMetric[] {
  return [
    "mem_used",
    "sockets_used",
    "context_switches",
    ...(diskFree === undefined ? [] : (["disk_free"] as const)),
    ...(limits === undefined ? [] : (["fd_used", "proc_used"] as const)),
  ];
}

/** Nothing where the system does not tell. */
function limitedRow(limits: LimitedReadings | undefined): Row {
  if (limits === undefined) return {};
  const { filesMax, threadsMax } = limits;
  return { fd_total: filesMax, sockets_total: filesMax, proc_total: threadsMax };
}

/** Where the broker listens. */
export function listenerRows({ listeners }: ManagementHost): Row[] {
  return listeners.map(({ protocol, host, port, tls }) => ({
    node: nodeName,
    protocol,
    ip_address: host ?? "::",
    port,
    tls: tls !== undefined,
    socket_opts: { backlog: 511, nodelay: true },
  }));
}

/** Where this API is served, and what Prometheus reads. */
export function contextRows({ listeners }: ManagementHost): Row[] {
  return listeners
    .filter(({ protocol }) => protocol.startsWith("http"))
    .map(({ protocol, host, port, tls }) => ({
      node: nodeName,
      ...(protocol.endsWith("/prometheus") ? { description: "Prometheus", protocol } : { description: "Management" }),
      path: "/",
      ip: host ?? "::",
      port: String(port),
      ...(tls !== undefined && { ssl_opts: {} }),
    }));
}
