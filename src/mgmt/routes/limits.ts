import type { LimitScope } from "../../limits.ts";
import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { answer, type Call, done } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found, vhostNotFound } from "../refusal.ts";
import type { Row } from "../rows.ts";

/** `/api/vhost-limits` and `/api/user-limits`. */
export function limitRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  const { vhosts, users } = host;
  api.get("/vhost-limits", "management", (call) => call.list(rows(host, "vhost", guard.visibleVhosts(call)), "vhost"));
  api.get("/vhost-limits/:vhost", "vhost", (call) =>
    answer(rows(host, "vhost", [found(vhosts.find(call.parameter("vhost")))])),
  );
  api.get("/user-limits", "administrator", (call) => call.list(rows(host, "user", users.list()), "user"));
  api.get("/user-limits/:user", "administrator", (call) =>
    answer(rows(host, "user", [found(users.find(call.parameter("user")))])),
  );
  api.put("/vhost-limits/:vhost/:limit", "administrator", (call) => {
    if (vhosts.find(call.parameter("vhost")) === undefined) throw vhostNotFound();
    return put(host, "vhost", call.parameter("vhost"), call);
  });
  api.put("/user-limits/:user/:limit", "administrator", (call) => {
    const user = call.parameter("user");
    if (users.find(user) === undefined) throw badRequest(`no user '${user}'`);
    return put(host, "user", user, call);
  });
  for (const scope of ["vhost", "user"] as const) {
    api.delete(`/${scope}-limits/:${scope}/:limit`, "administrator", (call) => {
      host.limits.clear(scope, call.parameter(scope), call.parameter("limit"));
      return done;
    });
  }
}

function rows({ limits }: ManagementHost, scope: LimitScope, subjects: Iterable<{ readonly name: string }>): Row[] {
  return [...subjects].flatMap(({ name }) => {
    const set = limits.of(scope, name);
    return set.size === 0 ? [] : [{ [scope]: name, value: Object.fromEntries(set) }];
  });
}

function put({ limits }: ManagementHost, scope: LimitScope, subject: string, call: Call): typeof done {
  const value = call.body.require("value").findInteger("value") ?? -1;
  const limit = { scope, subject, name: call.parameter("limit"), value };
  limits.set(limit);
  return done;
}
