import { Readable } from "node:stream";
import { nodeName } from "../../node-name.ts";
import { rabbitmqVersion } from "../../version.ts";
import type { Vhost } from "../../vhost.ts";
import type { Api } from "../api.ts";
import { type Guard, isMonitor } from "../auth.ts";
import { answer, type Call, done } from "../call.ts";
import { featureFlagRows } from "../feature-flags.ts";
import type { ManagementHost } from "../host.ts";
import { contextRows, exchangeTypeRows, listenerRows } from "../node-views.ts";
import type { Row } from "../rows.ts";
import { brokerStats, churnRow, latencyRow, lengthRow } from "../stats.ts";

/** `/api/overview`, and what else there is to say of the broker as a whole. */
export function overviewRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  const { version } = host.config.serverProperties;
  const { globalParameters } = host;
  api.get("/overview", "management", (call) => call.item(overview(host, guard, call)));
  api.get("/cluster-name", "management", () => answer({ name: globalParameters.clusterName }));
  api.put("/cluster-name", "administrator", ({ body }) => {
    globalParameters.clusterName = body.text("name");
    return done;
  });
  api.get("/version", "public", () => answer(version));
  api.get("/feature-flags", "management", () => answer(featureFlagRows));
  api.get("/config/effective", "administrator", () => ({
    status: 200,
    stream: Readable.from([[...host.config.settings].map(([name, text]) => `${name}=${text}\n`).join("")]),
    headers: { "content-type": "text/plain; charset=utf-8" },
  }));
  // What could be listed here, but is not there.
  for (const path of ["/extensions", "/deprecated-features", "/deprecated-features/used"]) {
    api.get(path, "management", () => answer([]));
  }
}

function overview(host: ManagementHost, guard: Guard, call: Call): Row {
  const { product, version } = host.config.serverProperties;
  const isWatching = isMonitor(call.user);
  const vhosts = [...host.vhosts.list()].filter(({ name }) => isWatching || guard.mayOpen(call.user, name));
  return {
    product_name: product,
    product_version: version,
    rabbitmq_version: rabbitmqVersion,
    management_version: rabbitmqVersion,
    cluster_name: host.globalParameters.clusterName,
    rates_mode: "basic",
    sample_retention_policies: { global: [600, 3600, 86_400], basic: [60], detailed: [60] },
    statistics_db_event_queue: 0,
    is_op_policy_updating_enabled: true,
    default_queue_type: "classic",
    cluster_tags: [],
    node_tags: [],
    disable_stats: false,
    enable_queue_totals: false,
    exchange_types: exchangeTypeRows,
    ...(call.query["disable_stats"] !== "true" && statsRow(host, vhosts, call)),
    object_totals: objectTotals(host, vhosts, call),
    ...(isWatching && latencyRow(host.metrics, call.query)),
    ...(isWatching && { node: nodeName, listeners: listenerRows(host), contexts: contextRows(host) }),
  };
}

function statsRow({ metrics }: ManagementHost, vhosts: readonly Vhost[], { query }: Call): Row {
  const measured = metrics.ofVhosts(vhosts);
  return {
    ...brokerStats(measured, query),
    churn_rates: churnRow(metrics.ofChurn(), query),
    queue_totals: lengthRow(measured, query),
  };
}

/** Of connections and what is on them, everyone but monitors counts their own. */
function objectTotals({ connections }: ManagementHost, vhosts: readonly Vhost[], { user }: Call): Row {
  const counted = [...connections.list()].filter(
    ({ vhost, username }) => vhost !== undefined && (isMonitor(user) || username === user.name),
  );
  return {
    connections: counted.length,
    channels: sum(counted, ({ channelCount }) => channelCount),
    consumers: sum(vhosts, ({ queues }) => sum([...queues.values()], ({ consumerCount }) => consumerCount)),
    exchanges: sum(vhosts, ({ exchanges }) => exchanges.size),
    queues: sum(vhosts, ({ queues }) => queues.size),
  };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
