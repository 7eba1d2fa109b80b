import { writeJson } from "../../src/exact-json.ts";
import { rabbitmqVersion, version } from "../../src/version.ts";
import { isRecord } from "../cells.ts";
import { type CommandOption, command } from "../command.ts";
import { ArgumentError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";
import { path, type Row } from "../management-client.ts";
import {
  alarmTexts,
  inUnit,
  type Listener,
  listenersOf,
  listenerText,
  memoryOf,
  nodeOf,
  unitBytes,
} from "../node-facts.ts";

const unit: CommandOption<string> = {
  flags: "--unit <unit>",
  summary: "bytes, KB, MB, GB or TB (GB)",
  read: (given) => {
    const name = typeof given === "string" ? given.toLowerCase() : "gb";
    if (Object.hasOwn(unitBytes, name)) return name;
    const known = Object.keys(unitBytes).join(", ");
    throw new ArgumentError(`unit '${given}' is not supported. Please use one of: ${known}`, exitCode.dataError);
  },
};

const status = command({
  name: "status",
  group: "Status and health checks",
  summary: "tells how the broker is: version, memory, disk, alarms, listeners",
  options: { unit },
  run: async (context, _, options) => {
    context.output.banner(`Status of node ${await context.node()} ...`);
    await printStatus(context, options.unit);
  },
});

/** Everything `status` needs. */
interface StatusFacts {
  readonly overview: Row;
  readonly node: Row;
  readonly memory: readonly (readonly [part: string, bytes: number])[];
  readonly listeners: readonly Listener[];
  readonly vhosts: number;
}

async function printStatus(context: Context, unitName: string): Promise<void> {
  const facts: StatusFacts = {
    overview: await context.api.item("/overview"),
    node: await nodeOf(context),
    memory: await memoryOf(context),
    listeners: await listenersOf(context),
    vhosts: (await context.api.list("/vhosts?disable_stats=true")).length,
  };
  context.output.document(sections(statusSections(facts, unitName)), statusDocument(facts));
}

function statusSections(facts: StatusFacts, unitName: string): Record<string, readonly string[]> {
  const { overview, node, memory, listeners } = facts;
  const used = Number(node["mem_used"]);
  return {
    Runtime: [
      `OS PID: ${node["os_pid"]}`,
      `Uptime (seconds): ${Math.floor(Number(node["uptime"]) / 1000)}`,
      `Is under maintenance?: ${node["being_drained"]}`,
      `RabbitMQ version: ${overview["rabbitmq_version"]}`,
      `Node name: ${node["name"]}`,
      `Product: ${overview["product_name"]} ${overview["product_version"]}`,
    ],
    "Data directory": [`Node data directory: ${node["db_dir"]}`],
    "Config files": listOf(node["config_files"]).map((file) => ` * ${file}`),
    "Log file(s)": listOf(node["log_files"]).map((file) => ` * ${file}`),
    Alarms: alarmTexts(node),
    Memory: [
      `Total memory used: ${inUnit(used, unitName)}`,
      `Calculation strategy: ${node["mem_calculation_strategy"]}`,
      ...memory.map(([part, bytes]) => `${part}: ${inUnit(bytes, unitName)} (${percentage(bytes, used)} %)`),
    ],
    "File Descriptors": [`Total: ${node["fd_used"] ?? "unknown"}`, `Sockets: ${node["sockets_used"]}`],
    "Free Disk Space": [`Free disk space: ${inUnit(Number(node["disk_free"]), unitName)}`],
    Totals: Object.entries(totals(facts)).map(([what, count]) => `${capitalised(what)}: ${count}`),
    Listeners: listeners.map(listenerText),
  };
}

function statusDocument(facts: StatusFacts): object {
  const { overview, node, memory, listeners } = facts;
  return {
    active_plugins: [],
    alarms: alarmTexts(node),
    config_files: node["config_files"],
    data_directory: node["db_dir"],
    disk_free: node["disk_free"],
    file_descriptors: { total_used: node["fd_used"], sockets_used: node["sockets_used"] },
    is_under_maintenance: node["being_drained"],
    listeners,
    log_files: node["log_files"],
    memory: { ...Object.fromEntries(memory), strategy: "rss", total: { rss: node["mem_used"] } },
    pid: Number(node["os_pid"]),
    product_name: overview["product_name"],
    product_version: overview["product_version"],
    rabbitmq_version: overview["rabbitmq_version"],
    totals: totals(facts),
    uptime: Math.floor(Number(node["uptime"]) / 1000),
    vm_memory_calculation_strategy: node["mem_calculation_strategy"],
  };
}

function totals({ overview, vhosts }: StatusFacts): Record<string, unknown> {
  const counts = isRecord(overview["object_totals"]) ? overview["object_totals"] : {};
  return { connection_count: counts["connections"], queue_count: counts["queues"], virtual_host_count: vhosts };
}

const clusterStatus = command({
  name: "cluster_status",
  group: "Status and health checks",
  summary: "tells of the cluster, which is always one node",
  run: async (context) => {
    context.output.banner(`Cluster status of node ${await context.node()} ...`);
    await printClusterStatus(context);
  },
});

async function printClusterStatus(context: Context): Promise<void> {
  const overview = await context.api.item("/overview");
  const node = await nodeOf(context);
  const listeners = await listenersOf(context);
  const name = String(node["name"]);
  const flags = await context.api.list("/feature-flags");
  const maintenance = node["being_drained"] === true ? "under maintenance" : "not under maintenance";
  const text = sections({
    Basics: [`Cluster name: ${overview["cluster_name"]}`],
    "Disk Nodes": [name],
    "Running Nodes": [name],
    Versions: [`${name}: ${overview["product_name"]} ${overview["product_version"]}`],
    "Maintenance status": [`Node: ${name}, status: ${maintenance}`],
    Alarms: alarmTexts(node),
    "Network Partitions": [],
    Listeners: listeners.map((listener) => `Node: ${listener.node}, ${listenerText(listener).replace("I", "i")}`),
    "Feature flags": flags.map((flag) => `Flag: ${flag["name"]}, state: ${flag["state"]}`),
  });
  context.output.document(text, {
    alarms: alarmTexts(node),
    cluster_name: overview["cluster_name"],
    disk_nodes: [name],
    feature_flags: flags,
    listeners: { [name]: listeners },
    maintenance_status: { [name]: maintenance },
    partitions: {},
    ram_nodes: [],
    running_nodes: [name],
    versions: { [name]: { rabbitmq_version: overview["rabbitmq_version"] } },
  });
}

const memoryBreakdown = command({
  name: "memory_breakdown",
  group: "Status and health checks",
  summary: "tells what memory is used for",
  options: { unit },
  run: async (context, _, options) => {
    context.output.banner(`Reporting memory breakdown on node ${await context.node()}...`);
    const parts = await memoryOf(context);
    const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
    const lines = parts.map(
      ([part, bytes]) => `${part}: ${inUnit(bytes, options.unit)} (${percentage(bytes, total)}%)\n`,
    );
    const document = parts.map(([part, bytes]) => [part, { bytes, percentage: percentage(bytes, total) }] as const);
    context.output.document(lines.join(""), Object.fromEntries(document));
  },
});

const report = command({
  name: "report",
  group: "Status and health checks",
  summary: "prints all that support may ask for: status and what there is in every virtual host",
  run: async (context) => {
    const { api, output } = context;
    output.banner(`Reporting server status of node ${await context.node()} ...\n`);
    await printStatus(context, "gb");
    output.raw("\n");
    await printClusterStatus(context);
    for (const list of ["connections", "channels"]) section(context, list, await api.list(`/${list}`));
    for (const { name } of await api.list("/vhosts?disable_stats=true")) {
      const vhost = String(name);
      for (const list of ["queues", "exchanges", "bindings", "consumers", "policies"]) {
        section(context, `${list} of vhost ${vhost}`, await api.list(`/${list}${path`/${vhost}`}`));
      }
    }
  },
});

/** One line of JSON for each: complete, and good to search in. */
function section({ output }: Context, title: string, rows: readonly Row[]): void {
  output.raw(`\n${capitalised(title)}\n\n${rows.map((row) => `${writeJson(row)}\n`).join("")}`);
}

const serverVersion = command({
  name: "server_version",
  group: "Status and health checks",
  summary: "prints which RabbitMQ the broker is like; status has its own version",
  run: async (context) => {
    context.output.banner(`Asking node ${await context.node()} for its RabbitMQ version...`);
    const { rabbitmq_version } = await context.api.item("/overview");
    context.output.document(`${rabbitmq_version}\n`, { result: "ok", value: rabbitmq_version });
  },
});

const ownVersion = command({
  name: "version",
  group: "Help",
  summary: "prints the version of this tool",
  run: ({ output, program }) => {
    // Scripts that call it rabbitmqctl want to know which rabbitmqctl it is like.
    const told = program === "brokerctl" ? version : rabbitmqVersion;
    output.document(`${told}\n`, { version: told });
  },
});

/** Sections with their titles, one below the other. */
function sections(content: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(content)
    .map(([title, lines]) => `${title}\n\n${(lines.length === 0 ? ["(none)"] : lines).join("\n")}\n`)
    .join("\n");
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function percentage(bytes: number, total: number): number {
  return total === 0 ? 0 : Math.round((bytes / total) * 1e4) / 100;
}

/** `queue_count` as `Queue count`. */
function capitalised(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The commands that tell how the broker is. */
export const statusCommands = [status, clusterStatus, memoryBreakdown, report, serverVersion, ownVersion];
