import { vhostFrom } from "../../definition-fields.ts";
import { protectedText } from "../../vhosts.ts";
import type { Api } from "../api.ts";
import { type Guard, isMonitor } from "../auth.ts";
import { type Answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { found, Refusal } from "../refusal.ts";
import { vhostView } from "../views.ts";

/** `/api/vhosts`. */
export function vhostRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  const {
    vhosts,
    logs: { management: log },
    metrics,
  } = host;
  api.get("/vhosts", "management", (call) => {
    const visible = [...vhosts.list()].filter(({ name }) => isMonitor(call.user) || guard.mayOpen(call.user, name));
    return call.list(
      visible.map((vhost) => vhostView(vhost, metrics, call.query)),
      "name",
    );
  });
  api.get("/vhosts/:vhost", "administrator", (call) =>
    call.item(vhostView(found(vhosts.find(call.parameter("vhost"))), metrics, call.query)),
  );
  api.put("/vhosts/:vhost", "administrator", (call) => putVhost(host, call));
  api.delete("/vhosts/:vhost", "administrator", (call) => {
    const { name: vhost, properties } = found(vhosts.find(call.parameter("vhost")));
    if (properties.protectedFromDeletion) throw new Refusal(412, "precondition_failed", protectedText(vhost));
    vhosts.delete(vhost);
    log.info({ vhost, user: call.user.name }, "vhost deleted");
    return done;
  });
  const protect = (call: Call, protectedFromDeletion: boolean): Answer => {
    const { name, properties } = found(vhosts.find(call.parameter("vhost")));
    vhosts.put(name, { ...properties, protectedFromDeletion });
    return done;
  };
  api.post("/vhosts/:vhost/deletion/protection", "administrator", (call) => protect(call, true));
  api.delete("/vhosts/:vhost/deletion/protection", "administrator", (call) => protect(call, false));
}

/** Who adds a vhost may do everything in it. What a change does not name stays as it is. */
function putVhost({ vhosts, permissions, logs: { management: log } }: ManagementHost, call: Call): Answer {
  const vhost = call.parameter("vhost");
  const user = call.user.name;
  const existing = vhosts.find(vhost);
  const tracing = call.body.has("tracing") ? call.body.flag("tracing") : undefined;
  vhosts.put(vhost, vhostFrom(call.body, existing?.properties));
  // As in RabbitMQ it is off again after a restart.
  if (tracing !== undefined) vhosts.get(vhost).firehose.isOn = tracing;
  if (existing !== undefined) return putAnswer("replaced");
  permissions.set({ vhost, user, configure: ".*", write: ".*", read: ".*" });
  log.info({ vhost, user }, "vhost created");
  return putAnswer("created");
}
