import { connect } from "node:net";
import { logText } from "../../src/log-text.ts";
import { command, flag, text } from "../command.ts";
import { ArgumentError, CommandError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";
import { ApiError, path } from "../management-client.ts";
import { alarmTexts, type Listener, listenersOf, listenerText, nodeOf } from "../node-facts.ts";
import { wholeNumber } from "../whole-number.ts";

const group = "Status and health checks";

const alarms = command({
  name: "alarms",
  group,
  summary: "tells which alarms are set",
  run: async (context) => {
    const node = await context.node();
    context.output.banner(`Asking node ${node} to report any known resource alarms ...`);
    const set = alarmTexts(await nodeOf(context));
    const none = `Node ${node} reported no alarms, local or clusterwide`;
    const lines = set.length === 0 ? [none] : set;
    context.output.document(`${lines.join("\n")}\n`, { result: "ok", node, alarms: set });
  },
});

/** `check_alarms` and `check_local_alarms`: with one node they are the same. */
function alarmCheck(name: string, none: string) {
  return command({
    name,
    group,
    summary: "fails while an alarm is set",
    run: async (context) => {
      const node = await context.node();
      context.output.banner(`Asking node ${node} to report any local resource alarms ...`);
      const set = alarmTexts(await nodeOf(context));
      if (set.length > 0) throw failed(set.join("\n"));
      context.output.message(`Node ${node} reported ${none}`);
    },
  });
}

const listeners = command({
  name: "listeners",
  group,
  summary: "lists the ports the broker listens on",
  run: async (context) => {
    const node = await context.node();
    context.output.banner(`Asking node ${node} to report its protocol listeners ...`);
    const found = await listenersOf(context);
    const text = found.map((listener) => `${listenerText(listener)}\n`).join("");
    context.output.document(text, { result: "ok", node, listeners: found });
  },
});

const checkRunning = command({
  name: "check_running",
  group,
  summary: "fails unless the broker serves clients; needs no login",
  run: async (context) => {
    context.output.banner(`Checking if RabbitMQ is running on ${context.api.url} ...`);
    if (!(await isServing(context))) throw failed(notRunning(context));
    context.output.message(`RabbitMQ on ${context.api.url} is fully booted and running`);
  },
});

const isRunning = command({
  name: "is_running",
  group,
  summary: "tells whether the broker serves clients; needs no login",
  run: async (context) => {
    context.output.banner(`Asking ${context.api.url} for its status ...`);
    const running = await isServing(context);
    const text = running ? `RabbitMQ on ${context.api.url} is fully booted and running` : notRunning(context);
    context.output.document(`${text}\n`, { running, result: "ok" });
  },
});

const isBooting = command({
  name: "is_booting",
  group,
  summary: "tells whether the broker is still starting: it serves HTTP once it has started",
  run: async (context) => {
    context.output.banner(`Asking ${context.api.url} for its boot status ...`);
    await context.api.request("GET", "/auth", { anonymous: true });
    const text = `RabbitMQ on ${context.api.url} is fully booted (check with is_running), stopped or has not started booting yet`;
    context.output.document(`${text}\n`, { booting: false, result: "ok" });
  },
});

const checkPortConnectivity = command({
  name: "check_port_connectivity",
  group,
  summary: "fails unless every port the broker listens on can be connected to from here",
  options: { address: text("--address <host>", "where to connect to, instead of the host of --url") },
  run: async (context, _, { address = new URL(context.api.url).hostname }) => {
    const node = await context.node();
    context.output.banner(`Testing TCP connections to all active listeners on node ${node} ...`);
    const found = await listenersOf(context);
    const refused: Listener[] = [];
    for (const listener of found) {
      if (!(await accepts(address.replace(/^\[|\]$/g, ""), listener.port, context.deadline))) refused.push(listener);
    }
    if (refused.length > 0) throw failed(`Connection failed to ${portsOf(refused)} on ${address}`);
    context.output.message(`Successfully connected to ports ${portsOf(found)} on node ${node}.`);
  },
});

const checkPortListener = command({
  name: "check_port_listener",
  group,
  summary: "fails unless the broker listens on a port",
  arguments: { "<port>": "the port" },
  run: async (context, { port }) => {
    if (!/^\d{1,5}$/.test(port)) throw new ArgumentError(`Bad argument: '${port}' is no port`, exitCode.dataError);
    const node = await context.node();
    context.output.banner(`Asking node ${node} if there's an active listener on port ${port} ...`);
    const found = await listenersOf(context);
    if (!found.some((listener) => listener.port === Number(port))) {
      const others = `Found listeners that use the following ports: ${portsOf(found)}`;
      throw failed(`No listener for port ${port} is active on node ${node}. ${others}`);
    }
    context.output.message(`A listener for port ${port} is running on node ${node}.`);
  },
});

/** Other names of protocols. */
const protocolNames: Readonly<Record<string, string>> = { amqp091: "amqp", "amqp0.9.1": "amqp", "amqp-0-9-1": "amqp" };

const checkProtocolListener = command({
  name: "check_protocol_listener",
  group,
  summary: "fails unless the broker speaks a protocol",
  arguments: { "<protocol>": "amqp, http, ..." },
  run: async (context, { protocol }) => {
    const node = await context.node();
    context.output.banner(`Asking node ${node} if there's an active listener for protocol ${protocol} ...`);
    const active = (await listenersOf(context)).map((listener) => listener.protocol);
    if (!active.includes(protocolNames[protocol] ?? protocol)) {
      const others = `Found listeners for the following protocols: ${[...new Set(active)].sort().join(", ")}`;
      throw failed(`No listener for protocol ${protocol} is active on node ${node}. ${others}`);
    }
    context.output.message(`A listener for protocol ${protocol} is running on node ${node}.`);
  },
});

const checkVirtualHosts = command({
  name: "check_virtual_hosts",
  group,
  summary: "fails unless all virtual hosts are up",
  run: async (context) => {
    const node = await context.node();
    context.output.banner(`Checking if all vhosts are running on node ${node} ...`);
    await context.api.get("/health/checks/virtual-hosts");
    context.output.message(`Node ${node} reported all vhosts as running`);
  },
});

const checkCertificateExpiration = command({
  name: "check_certificate_expiration",
  group,
  summary: "fails when a certificate of the broker expires soon",
  options: {
    within: wholeNumber("within", 4, "how soon"),
    unit: text("--unit <unit>", "days, weeks, months or years (weeks)"),
  },
  run: async (context, _, { within, unit = "weeks" }) => {
    context.output.banner(`Checking certificate expiration on node ${await context.node()} ...`);
    await context.api.get(path`/health/checks/certificate-expiration/${String(within)}/${unit}`);
    context.output.message(`No certificates are expiring within ${within} ${unit}.`);
  },
});

const logLocation = command({
  name: "log_location",
  group,
  summary: "tells where the log goes",
  options: { all: flag("-a, --all", "accepted for RabbitMQ's sake") },
  run: async (context) => {
    context.output.banner(`Log file location(s) on node ${await context.node()} ...`);
    const { log_files: files } = await nodeOf(context);
    const names = Array.isArray(files) ? files.map(String) : [];
    context.output.document(names.map((name) => `${name}\n`).join(""), { log_files: names });
  },
});

const logTail = command({
  name: "log_tail",
  group,
  summary: "prints the last lines of the log, of which the broker keeps a thousand",
  options: { number: { ...wholeNumber("number", 50, "how many"), flags: "-N, --number <number>" } },
  run: async (context, _, { number }) => {
    context.output.banner(`Last ${number} log lines on node ${await context.node()} ...`);
    const lines = (await context.api.list("/log")).slice(-number || Number.POSITIVE_INFINITY);
    const text = lines.map((line) => logText(JSON.stringify(line), false, true)).join("");
    context.output.document(text, lines);
  },
});

/** A check of RabbitMQ 4, by its path below /health/checks. */
function newerCheck(name: string, { check, says }: { readonly check: string; readonly says: string }) {
  return command({
    name,
    group,
    summary: `succeeds: ${says}`,
    arguments: { "[pattern]": "accepted for RabbitMQ's sake" },
    options: { acrossAllVhosts: flag("--across-all-vhosts", "accepted for RabbitMQ's sake") },
    run: async (context) => {
      await context.api.get(`/health/checks/${check}`);
      context.output.message(`Node ${await context.node()} reported: ${says}`);
    },
  });
}

const newerChecks = [
  newerCheck("check_if_metadata_store_is_initialized", {
    check: "metadata-store/initialized",
    says: "definitions are loaded",
  }),
  newerCheck("check_if_metadata_store_is_initialized_with_data", {
    check: "metadata-store/initialized/with-data",
    says: "definitions are loaded, and are there",
  }),
  newerCheck("check_for_quorum_queues_without_an_elected_leader", {
    check: "quorum-queues-without-elected-leaders/all-vhosts",
    says: "every quorum queue has a leader",
  }),
];

const nodeHealthCheck = command({
  name: "node_health_check",
  group,
  summary: "does nothing, as in RabbitMQ: use check_running or check_alarms",
  run: ({ output }) => output.message("This command is DEPRECATED and is a no-op: use check_running or check_alarms"),
});

/** Checks of what only clusters can lose. */
function criticalCheck(name: string, what: string) {
  return command({
    name,
    group,
    summary: "succeeds: there is one node, and no other that could miss it",
    run: async (context) => {
      const node = await context.node();
      context.output.banner(`Checking if node ${node} is critical for ${what} ...`);
      const text = "seems to be the only one in a single node cluster, the check does not apply";
      context.output.message(`Node ${node} ${text}`);
    },
  });
}

async function isServing({ api }: Context): Promise<boolean> {
  try {
    await api.request("GET", "/health/checks/ready-to-serve-clients", { anonymous: true });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 503) return false;
    throw error;
  }
}

function notRunning({ api }: Context): string {
  return `RabbitMQ on ${api.url} is not running or has not fully booted yet (check with is_booting)`;
}

function failed(text: string): CommandError {
  return new CommandError(exitCode.unavailable, text);
}

function portsOf(listeners: readonly Listener[]): string {
  return listeners.map(({ port }) => port).join(", ");
}

/** Whether a TCP connection comes about. */
function accepts(host: string, port: number, deadline: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal: deadline }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", (error) => (deadline.aborted ? reject(error) : resolve(false)));
  });
}

/** The commands that scripts check a broker with. */
export const healthCommands = [
  alarms,
  alarmCheck("check_alarms", "no alarms, local or clusterwide"),
  alarmCheck("check_local_alarms", "no local alarms"),
  listeners,
  checkRunning,
  isRunning,
  isBooting,
  checkPortConnectivity,
  checkPortListener,
  checkProtocolListener,
  checkVirtualHosts,
  criticalCheck("check_if_node_is_quorum_critical", "quorum of any quorum queues"),
  criticalCheck("check_if_node_is_mirror_sync_critical", "data safety of any classic mirrored queues"),
  checkCertificateExpiration,
  ...newerChecks,
  logLocation,
  logTail,
  nodeHealthCheck,
];
