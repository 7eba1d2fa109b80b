import { readdir, readFile, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { nodeName } from "../node-name.ts";
import { version } from "../version.ts";
import type { ManagementHost } from "./host.ts";
import type { Query } from "./paging.ts";
import type { Row } from "./rows.ts";
import { churnRow } from "./stats.ts";

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

/** The one node, as far as the system tells of it. */
export async function nodeView(host: ManagementHost, httpConnections: number, query: Query): Promise<Row> {
  const { alarms, config, clock, startedAt, connections, metrics, resources } = host;
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
    context_switches: contextSwitches(),
    mem_used: process.memoryUsage.rss(),
    mem_limit: resources.memoryLimit,
    mem_alarm: alarms.isSet("low on memory"),
    mem_calculation_strategy: "rss",
    disk_free_limit: resources.diskFreeLimit,
    disk_free_alarm: alarms.isSet("low on disk"),
    ...(await diskRow(config.dataDir)),
    ...(await limitedRow()),
    sockets_used: connections.size + httpConnections,
    ...churnRow(metrics.ofChurn(), query),
    db_dir: config.dataDir,
    log_files: ["<stdout>"],
    exchange_types: exchangeTypeRows,
    auth_mechanisms: mechanismRows(config.authMechanisms),
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

/**
 * Open file descriptors, of which sockets are some, and threads, which are what comes nearest to processes; on systems
 * that tell of them in files.
 */
async function limitedRow(): Promise<Row> {
  try {
    const limits = await readFile("/proc/self/limits", "utf8");
    const files = softLimit(limits, "Max open files");
    return {
      fd_used: (await readdir("/proc/self/fd")).length,
      fd_total: files,
      sockets_total: files,
      proc_used: (await readdir("/proc/self/task")).length,
      proc_total: softLimit(limits, "Max processes"),
    };
  } catch {
    return {};
  }
}

/** One that is unlimited is as large as a number can be. */
function softLimit(limits: string, name: string): number {
  const [, value] = new RegExp(`^${name}\\s+(\\d+)`, "m").exec(limits) ?? [];
  return value === undefined ? Number.MAX_SAFE_INTEGER : Number(value);
}

function contextSwitches(): number {
  const { voluntaryContextSwitches, involuntaryContextSwitches } = process.resourceUsage();
  return voluntaryContextSwitches + involuntaryContextSwitches;
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

/** Where this API is served. */
export function contextRows({ listeners }: ManagementHost): Row[] {
  return listeners
    .filter(({ protocol }) => protocol === "http" || protocol === "https")
    .map(({ host, port, tls }) => ({
      node: nodeName,
      description: "Management",
      path: "/",
      ip: host ?? "::",
      port: String(port),
      ...(tls !== undefined && { ssl_opts: {} }),
    }));
}
