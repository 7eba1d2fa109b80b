import { readdir, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { nodeName } from "../node-name.ts";
import { version } from "../version.ts";
import type { ManagementHost } from "./host.ts";
import type { Row } from "./rows.ts";

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

const authMechanisms: readonly Row[] = [
  { name: "PLAIN", description: "SASL PLAIN authentication mechanism", enabled: true },
  { name: "AMQPLAIN", description: "QPid AMQPLAIN mechanism", enabled: true },
];

/** The one node, as far as the system tells of it. */
export async function nodeView(host: ManagementHost): Promise<Row> {
  const { alarms, config, clock, startedAt, connections } = host;
  return {
    name: nodeName,
    type: "disc",
    running: true,
    being_drained: false,
    rates_mode: "basic",
    os_pid: String(process.pid),
    uptime: clock.now() - startedAt,
    processors: availableParallelism(),
    mem_used: process.memoryUsage.rss(),
    mem_alarm: alarms.isSet("low on memory"),
    mem_calculation_strategy: "rss",
    disk_free_alarm: alarms.isSet("low on disk"),
    ...(await diskRow(config.dataDir)),
    ...(await descriptorRow()),
    sockets_used: connections.size,
    db_dir: config.dataDir,
    log_files: ["<stdout>"],
    exchange_types: exchangeTypeRows,
    auth_mechanisms: authMechanisms,
    applications: [{ name: "tsbroker", description: "tsbroker", version }],
    contexts: contextRows(host),
    enabled_plugins: [],
    partitions: [],
    cluster_links: [],
  };
}

/** What is free where the data is; nothing where the system does not tell. */
async function diskRow(directory: string): Promise<Row> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return { disk_free: bavail * bsize };
  } catch {
    return {};
  }
}

/** Open file descriptors, on systems that list them as files. */
async function descriptorRow(): Promise<Row> {
  try {
    return { fd_used: (await readdir("/proc/self/fd")).length };
  } catch {
    return {};
  }
}

/** Where the broker listens. */
export function listenerRows({ listeners }: ManagementHost): Row[] {
  return listeners.map(({ protocol, host, port }) => ({
    node: nodeName,
    protocol,
    ip_address: host ?? "::",
    port,
    tls: false,
    socket_opts: [],
  }));
}

/** Where this API is served. */
export function contextRows({ listeners }: ManagementHost): Row[] {
  return listeners
    .filter(({ protocol }) => protocol === "http")
    .map(({ host, port }) => ({
      node: nodeName,
      description: "Management",
      path: "/",
      ip: host ?? "::",
      port: String(port),
    }));
}
