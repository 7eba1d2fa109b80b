import { policyFrom } from "../../definition-fields.ts";
import { changePolicies } from "../../policy-effects.ts";
import type { Api } from "../api.ts";
import type { Guard, Right } from "../auth.ts";
import { type Answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { found, vhostNotFound } from "../refusal.ts";
import { policyView } from "../views.ts";

/** `/api/policies` and `/api/operator-policies`. */
export function policyRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  routesOf(api, host, guard, { path: "/policies", operator: false, right: "policymaker" });
  routesOf(api, host, guard, { path: "/operator-policies", operator: true, right: "administrator" });
}

/** One of the two sorts of policies. */
interface Sort {
  readonly path: string;
  readonly operator: boolean;
  /** Who may change them. */
  readonly right: Right;
}

function routesOf(api: Api, host: ManagementHost, guard: Guard, { path, operator, right }: Sort): void {
  const { policies } = host;
  api.get(path, "management", (call) => {
    const visible = guard.visibleVhosts(call).map(({ name }) => name);
    const rows = [...policies.list(operator)].filter(({ vhost }) => visible.includes(vhost));
    return call.list(rows.map(policyView), "vhost", "name");
  });
  api.get(`${path}/:vhost`, "vhost", (call) => {
    const rows = [...policies.list(operator)].filter(({ vhost }) => vhost === call.parameter("vhost"));
    return call.list(rows.map(policyView), "name");
  });
  api.get(`${path}/:vhost/:policy`, right, (call) =>
    call.item(policyView(found(policies.find(operator, call.parameter("vhost"), call.parameter("policy"))))),
  );
  api.put(`${path}/:vhost/:policy`, right, (call) => put(host, call, operator));
  api.delete(`${path}/:vhost/:policy`, right, (call) => {
    const vhost = found(host.vhosts.find(call.parameter("vhost")));
    const name = call.parameter("policy");
    found(policies.find(operator, vhost.name, name));
    changePolicies(vhost, () => policies.clear(operator, vhost.name, name));
    return done;
  });
}

function put({ policies, vhosts }: ManagementHost, call: Call, operator: boolean): Answer {
  const vhost = vhosts.find(call.parameter("vhost"));
  if (vhost === undefined) throw vhostNotFound();
  const name = call.parameter("policy");
  const existing = policies.find(operator, vhost.name, name);
  const policy = policyFrom(operator, vhost.name, name, call.body);
  changePolicies(vhost, () => policies.set(policy));
  return putAnswer(existing === undefined ? "created" : "replaced");
}
