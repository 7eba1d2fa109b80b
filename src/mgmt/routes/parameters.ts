import { JsonObject } from "../../json-object.ts";
import { checkLimit } from "../../limits.ts";
import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { type Answer, answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found, notFound } from "../refusal.ts";
import type { Row } from "../rows.ts";

/** The only runtime parameters of a vhost here: what plugins of RabbitMQ keep as such has no use. */
const limitsComponent = "vhost-limits";
const limitsName = "limits";

/** `/api/global-parameters` and `/api/parameters`. */
export function parameterRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  globalRoutes(api, host);
  api.get("/parameters", "global-policymaker", (call) => call.list(limitRows(host, guard, call), "vhost", "name"));
  api.get("/parameters/:component", "global-policymaker", (call) =>
    call.list(rowsOf(host, guard, call), "vhost", "name"),
  );
  api.get("/parameters/:component/:vhost", "policymaker", (call) => {
    const ofVhost = ({ vhost }: Row): boolean => vhost === call.parameter("vhost");
    return call.list(rowsOf(host, guard, call).filter(ofVhost), "name");
  });
  api.get("/parameters/:component/:vhost/:parameter", "policymaker", (call) => call.item(named(host, guard, call)));
  api.delete("/parameters/:component/:vhost/:parameter", "policymaker", (call) => {
    named(host, guard, call);
    guard.check(call.user, "administrator", "DELETE", undefined);
    host.limits.forget("vhost", call.parameter("vhost"));
    return done;
  });
  api.put("/parameters/:component/:vhost/:parameter", "policymaker", (call) => {
    const component = call.parameter("component");
    if (component !== limitsComponent) throw badRequest(`Validation failed\n\ncomponent ${component} not found\n`);
    guard.check(call.user, "administrator", "PUT", undefined);
    return setLimits(host, call);
  });
}

/** All limits of a vhost at once. Whoever could set them by this path could lift those of an administrator. */
function setLimits({ limits }: ManagementHost, call: Call): Answer {
  const subject = call.parameter("vhost");
  if (call.parameter("parameter") !== limitsName) throw badRequest(`${limitsComponent} are named '${limitsName}'`);
  const values = call.body.require("value").findObject("value") ?? JsonObject.empty;
  const given = values.names.map((name) => ({
    scope: "vhost" as const,
    subject,
    name,
    value: values.findInteger(name) ?? -1,
  }));
  for (const limit of given) checkLimit(limit);
  const existed = limits.of("vhost", subject).size > 0;
  limits.forget("vhost", subject);
  for (const limit of given) limits.set(limit);
  return putAnswer(existed ? "replaced" : "created");
}

/** The parameters of the component that the path names; of one that is not here there are none. */
function rowsOf(host: ManagementHost, guard: Guard, call: Call): Row[] {
  return call.parameter("component") === limitsComponent ? limitRows(host, guard, call) : [];
}

/** The parameter that the path names. */
function named(host: ManagementHost, guard: Guard, call: Call): Row {
  const [vhost, parameter] = [call.parameter("vhost"), call.parameter("parameter")];
  return found(rowsOf(host, guard, call).find((row) => row["vhost"] === vhost && row["name"] === parameter));
}

function limitRows({ limits }: ManagementHost, guard: Guard, call: Call): Row[] {
  return guard.visibleVhosts(call).flatMap(({ name: vhost }) => {
    const set = limits.of("vhost", vhost);
    if (set.size === 0) return [];
    return [{ vhost, component: limitsComponent, name: limitsName, value: Object.fromEntries(set) }];
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
