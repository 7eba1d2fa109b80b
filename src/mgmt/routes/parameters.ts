import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found, notFound } from "../refusal.ts";
import type { Row } from "../rows.ts";

/** The only runtime parameters of a vhost here: what plugins of RabbitMQ keep as such has no use. */
const limitsComponent = "vhost-limits";

/** `/api/global-parameters` and `/api/parameters`. */
export function parameterRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  globalRoutes(api, host);
  api.get("/parameters", "global-policymaker", (call) => call.list(limitRows(host, guard, call), "vhost", "name"));
  api.get("/parameters/:component", "global-policymaker", (call) => {
    checkComponent(call);
    return call.list(limitRows(host, guard, call), "vhost", "name");
  });
  api.get("/parameters/:component/:vhost", "policymaker", (call) => {
    checkComponent(call);
    const ofVhost = ({ vhost }: Row): boolean => vhost === call.parameter("vhost");
    return call.list(limitRows(host, guard, call).filter(ofVhost), "name");
  });
  api.put("/parameters/:component/:vhost/:parameter", "policymaker", (call) => {
    throw badRequest(`Validation failed\n\ncomponent ${call.parameter("component")} not found\n`);
  });
}

function checkComponent(call: Call): void {
  if (call.parameter("component") !== limitsComponent) throw notFound();
}

function limitRows({ limits }: ManagementHost, guard: Guard, call: Call): Row[] {
  return guard.visibleVhosts(call).flatMap(({ name: vhost }) => {
    const set = limits.of("vhost", vhost);
    if (set.size === 0) return [];
    return [{ vhost, component: limitsComponent, name: "limits", value: Object.fromEntries(set) }];
  });
}

function globalRoutes(api: Api, { globalParameters }: ManagementHost): void {
  const path = "/global-parameters/:name";
  const view = ([name, value]: readonly [string, unknown]): Row => ({ name, value });
  api.get("/global-parameters", "global-policymaker", (call) =>
    call.list([...globalParameters.list()].map(view), "name"),
  );
  api.get(path, "global-policymaker", (call) => {
    const name = call.parameter("name");
    return answer(view([name, found(globalParameters.find(name))]));
  });
  api.put(path, "global-policymaker", (call) => {
    const name = call.parameter("name");
    const existing = globalParameters.find(name);
    globalParameters.set(name, call.body.require("value").value("value"));
    return putAnswer(existing === undefined ? "created" : "replaced");
  });
  api.delete(path, "global-policymaker", (call) => {
    if (!globalParameters.clear(call.parameter("name"))) throw notFound();
    return done;
  });
}
