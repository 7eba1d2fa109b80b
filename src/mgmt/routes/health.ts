import { nodeName } from "../../node-name.ts";
import type { Api } from "../api.ts";
import { type Answer, answer, type Call } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found, notFound } from "../refusal.ts";
import type { Row } from "../rows.ts";

const healthy = answer({ status: "ok" });

/** `/api/health/checks` and their elders: 200 while all is well, or 503 with the reason. */
export function healthRoutes(api: Api, host: ManagementHost): void {
  const check = (path: string, handler: (call: Call) => Answer) =>
    api.get(`/health/checks/${path}`, "management", handler);
  check("alarms", () => alarmAnswer(host, "There are alarms in effect in the cluster"));
  check("local-alarms", () => alarmAnswer(host, "There are alarms in effect on the node"));
  check("virtual-hosts", () => healthy);
  check("node-is-quorum-critical", () => answer({ status: "ok", reason: "single node cluster" }));
  check("node-is-mirror-sync-critical", () => answer({ status: "ok", reason: "single node cluster" }));
  for (const path of ["metadata-store/initialized", "metadata-store/initialized/with-data"]) check(path, () => healthy);
  electionChecks(api, host, check);
  check("port-listener/:port", (call) => portAnswer(host, call.parameter("port")));
  check("protocol-listener/:protocols", (call) => protocolAnswer(host, call.parameter("protocols")));
  check("certificate-expiration/:within/:unit", (call) => certificateAnswer(host, call));
  api.get("/health/checks/data-damage", "monitoring", () => damageAnswer(host));
  publicChecks(api, host);
  elderChecks(api, host);
}

function failed(reason: string, more: Row): Answer {
  return answer({ status: "failed", reason, ...more }, 503);
}

function alarmAnswer({ alarms }: ManagementHost, reason: string): Answer {
  if (!alarms.active) return healthy;
  const resources = [
    ...(alarms.isSet("low on disk") ? ["disk space"] : []),
    ...(alarms.isSet("low on memory") ? ["memory"] : []),
  ];
  return failed(reason, { alarms: resources.map((resource) => ({ node: nodeName, resource })) });
}

/** Whether what was read of the data since the start, and looked through after it, is what was written. */
function damageAnswer({ damages }: ManagementHost): Answer {
  const damaged = damages.list();
  if (damaged.length === 0) return healthy;
  return failed("Messages of queues are damaged", {
    damaged: damaged.map((damage) => ({ node: nodeName, ...damage })),
  });
}

function portAnswer({ listeners }: ManagementHost, text: string): Answer {
  if (!/^\d{1,5}$/.test(text)) throw badRequest("Invalid port");
  const port = Number(text);
  const ports = listeners.map((listener) => listener.port);
  return ports.includes(port) ? answer({ status: "ok", port }) : failed("No active listener", { missing: port, ports });
}

/** Other names of the protocols that there are. */
const protocolNames: Readonly<Record<string, string>> = {
  amqp091: "amqp",
  "amqp0.9.1": "amqp",
  amqps: "amqp/ssl",
};

function protocolAnswer({ listeners }: ManagementHost, text: string): Answer {
  const active = listeners.map(({ protocol }) => protocol);
  const asked = text.split(",").map((name) => protocolNames[name] ?? name);
  const missing = asked.filter((name) => !active.includes(name));
  if (missing.length > 0) return failed("No active listener", { missing, protocols: active });
  return answer({ status: "ok", protocol: asked.join(",") });
}

const unitDays: Readonly<Record<string, number>> = { days: 1, weeks: 7, months: 30, years: 365 };
const dayMs = 24 * 60 * 60 * 1000;

/** Whether all certificates that listeners show are good for some more time. */
function certificateAnswer({ listeners, clock }: ManagementHost, call: Call): Answer {
  const unit = unitDays[call.parameter("unit")];
  if (unit === undefined) {
    throw badRequest("Time unit not recognised. Supported units: days, weeks, months, years.");
  }
  if (!/^\d{1,9}$/.test(call.parameter("within"))) throw badRequest("Invalid expiration period");
  const until = clock.now() + Number(call.parameter("within")) * unit * dayMs;
  const expiring = listeners.filter(({ tls }) => tls !== undefined && tls.expiresAt < until);
  if (expiring.length === 0) return healthy;
  const expired = expiring.map(({ protocol, host = "::", port, tls }) => ({
    node: nodeName,
    protocol,
    interface: host,
    port,
    certfile_expires_on: [new Date(tls?.expiresAt ?? 0).toISOString()],
  }));
  return failed("Certificates expiring", { expired });
}

/** For orchestrators, which have no user. */
function publicChecks(api: Api, { listeners, operations, connections, config }: ManagementHost): void {
  api.get("/health/checks/is-in-service", "public", () =>
    operations.isDrained ? failed("this rabbit is not in service", {}) : healthy,
  );
  api.get("/health/checks/below-node-connection-limit", "public", () => {
    const [current, limit] = [connections.opened, config.limits.connections];
    return current < limit ? healthy : failed("node connection limit is reached", { current, limit });
  });
  api.get("/health/checks/reached-target-cluster-size", "public", () => healthy);
  api.get("/health/checks/ready-to-serve-clients", "public", () =>
    listeners.some(({ protocol }) => protocol.startsWith("amqp")) ? healthy : failed("No active listener", {}),
  );
}

/** A queue on one node leads itself. */
function electionChecks(
  api: Api,
  { vhosts }: ManagementHost,
  check: (path: string, handler: () => Answer) => void,
): void {
  const path = "quorum-queues-without-elected-leaders";
  check(`${path}/all-vhosts`, () => healthy);
  check(`${path}/all-vhosts/pattern/:pattern`, () => healthy);
  for (const tail of ["", "/pattern/:pattern"]) {
    api.get(`/health/checks/${path}/vhost/:vhost${tail}`, "vhost", (call) => {
      found(vhosts.find(call.parameter("vhost")));
      return healthy;
    });
  }
}

function elderChecks(api: Api, host: ManagementHost): void {
  api.get("/aliveness-test/:vhost", "vhost", () => healthy);
  api.get("/healthchecks/node", "management", () => alarmAnswer(host, "There are alarms in effect on the node"));
  api.get("/healthchecks/node/:node", "management", (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    return alarmAnswer(host, "There are alarms in effect on the node");
  });
}
