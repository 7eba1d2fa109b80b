import { nodeName } from "../../node-name.ts";
import type { Api } from "../api.ts";
import { type Answer, answer, type Call, done } from "../call.ts";
import { isFeatureFlag } from "../feature-flags.ts";
import type { ManagementHost } from "../host.ts";
import type { NodeLevels } from "../node-levels.ts";
import { badRequest, found, notFound } from "../refusal.ts";

/** What operators of RabbitMQ do to the nodes of a cluster. On the only node most of it is done already. */
export function oneNodeRoutes(api: Api, host: ManagementHost, levels: NodeLevels): void {
  api.post("/rebalance/queues", "administrator", () => done);
  api.post("/vhosts/:vhost/start/:node", "administrator", (call) => {
    found(host.vhosts.find(call.parameter("vhost")));
    const node = call.parameter("node");
    if (node !== nodeName) throw badRequest(`Request to node ${node} failed with nodedown`);
    return done;
  });
  api.put("/feature-flags/:name/enable", "administrator", (call) => {
    if (!isFeatureFlag(call.parameter("name"))) throw badRequest("unsupported");
    return done;
  });
  api.post("/queues/:vhost/:queue/actions", "administrator", (call) => queueAction(host, call));
  api.delete("/reset", "administrator", () => reset(host, levels));
  api.delete("/reset/:node", "administrator", (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    return reset(host, levels);
  });
  api.get("/auth/attempts/:node", "monitoring", (call) => attempts(host, call));
  // By address and user they are counted only where RabbitMQ is told to.
  api.get("/auth/attempts/:node/source", "monitoring", (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    return answer([]);
  });
  for (const path of ["/auth/attempts/:node", "/auth/attempts/:node/source"]) {
    api.delete(path, "administrator", (call) => {
      if (call.parameter("node") !== nodeName) throw notFound();
      host.authAttempts.reset();
      return done;
    });
  }
}

/** Of mirrors there are none, so they are all in step. */
function queueAction({ vhosts }: ManagementHost, call: Call): Answer {
  found(found(vhosts.find(call.parameter("vhost"))).queues.get(call.parameter("queue")));
  const action = call.body.require("action").text("action");
  if (action === "sync" || action === "cancel_sync") return done;
  throw badRequest(`unknown action '${action}'`);
}

/** Forgets what was sampled so far. */
function reset({ metrics }: ManagementHost, levels: NodeLevels): Answer {
  metrics.forget();
  levels.forget();
  return done;
}

function attempts({ authAttempts }: ManagementHost, call: Call): Answer {
  if (call.parameter("node") !== nodeName) throw notFound();
  const rows = [...authAttempts.list()].map(([protocol, { succeeded, failed }]) => ({
    protocol,
    auth_attempts: succeeded + failed,
    auth_attempts_failed: failed,
    auth_attempts_succeeded: succeeded,
  }));
  return answer(rows);
}
