import { beforeAll, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { addUser, as, asGuest, ManagementClient } from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);

const roles = ["manager", "outsider", "policymaker", "monitor", "administrator"] as const;
type Role = (typeof roles)[number];

/** Who may: those with a tag of management, with permissions on the vhost, and so on. */
const rules = {
  public: roles,
  any: roles,
  vhost: ["manager", "policymaker", "administrator"],
  monitoring: ["monitor", "administrator"],
  policymaker: ["policymaker", "administrator"],
  administrator: ["administrator"],
} as const satisfies Record<string, readonly Role[]>;

type Rule = keyof typeof rules;

/** Every route, once. */
const routes: Readonly<Record<Rule, string>> = {
  public: `
    GET /version, GET /auth, GET /openapi.json, POST /login, DELETE /login, GET /health/checks/is-in-service,
    GET /health/checks/below-node-connection-limit, GET /health/checks/ready-to-serve-clients,
    GET /health/checks/reached-target-cluster-size`,
  any: `
    GET /overview, GET /stream, GET /cluster-name, GET /extensions, GET /feature-flags, GET /deprecated-features,
    GET /deprecated-features/used, GET /whoami, GET /vhosts, GET /exchanges, GET /queues, GET /queues/detailed,
    GET /bindings, GET /connections, GET /connections/:name, DELETE /connections/:name, GET /connections/:name/channels,
    GET /connections/:name/sessions, GET /channels, GET /channels/:name, GET /consumers, GET /policies,
    GET /operator-policies, GET /vhost-limits, GET /health/checks/alarms, GET /health/checks/local-alarms,
    GET /health/checks/virtual-hosts, GET /health/checks/node-is-quorum-critical,
    GET /health/checks/node-is-mirror-sync-critical, GET /health/checks/metadata-store/initialized,
    GET /health/checks/metadata-store/initialized/with-data, GET /health/checks/port-listener/:port,
    GET /health/checks/protocol-listener/:protocols, GET /health/checks/certificate-expiration/:within/:unit,
    GET /health/checks/quorum-queues-without-elected-leaders/all-vhosts,
    GET /health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/:pattern, GET /healthchecks/node,
    GET /healthchecks/node/:node`,
  vhost: `
    GET /vhosts/:vhost/connections, GET /vhosts/:vhost/channels, GET /consumers/:vhost, GET /exchanges/:vhost,
    GET /exchanges/:vhost/:exchange, PUT /exchanges/:vhost/:exchange, DELETE /exchanges/:vhost/:exchange,
    POST /exchanges/:vhost/:exchange/publish, GET /exchanges/:vhost/:exchange/bindings/source,
    GET /exchanges/:vhost/:exchange/bindings/destination, GET /queues/:vhost, GET /queues/:vhost/:queue,
    PUT /queues/:vhost/:queue, DELETE /queues/:vhost/:queue, DELETE /queues/:vhost/:queue/contents,
    GET /queues/quorum/:vhost/:queue/status, POST /queues/:vhost/:queue/get, GET /queues/:vhost/:queue/bindings, GET /queues/:vhost/:queue/messages,
    DELETE /queues/:vhost/:queue/messages, DELETE /queues/:vhost/:queue/messages/:id,
    POST /queues/:vhost/:queue/messages/move, POST /queues/:vhost/:queue/messages/:id/move,
    POST /queues/:vhost/:queue/messages/replay, GET /exchanges/:vhost/:exchange/route, GET /bindings/:vhost,
    GET /bindings/:vhost/e/:source/q/:destination, POST /bindings/:vhost/e/:source/q/:destination,
    GET /bindings/:vhost/e/:source/q/:destination/:properties,
    DELETE /bindings/:vhost/e/:source/q/:destination/:properties, GET /bindings/:vhost/e/:source/e/:destination,
    POST /bindings/:vhost/e/:source/e/:destination, GET /bindings/:vhost/e/:source/e/:destination/:properties,
    DELETE /bindings/:vhost/e/:source/e/:destination/:properties, GET /policies/:vhost, GET /operator-policies/:vhost,
    GET /vhost-limits/:vhost, GET /aliveness-test/:vhost,
    GET /health/checks/quorum-queues-without-elected-leaders/vhost/:vhost,
    GET /health/checks/quorum-queues-without-elected-leaders/vhost/:vhost/pattern/:pattern`,
  monitoring: `
    GET /health/checks/data-damage, GET /auth/attempts/:node/source,
    GET /nodes, GET /nodes/:node, GET /nodes/:node/memory, GET /nodes/:node/memory/relative,
    GET /nodes/:node/memory/ets, GET /nodes/:node/memory/ets/relative, GET /nodes/:node/memory/ets/:filter,
    GET /nodes/:node/memory/ets/:filter/relative, GET /auth/attempts/:node,
    GET /connections/username/:user`,
  policymaker: `
    GET /policies/:vhost/:policy, PUT /policies/:vhost/:policy, DELETE /policies/:vhost/:policy, GET /parameters,
    GET /parameters/:component, GET /parameters/:component/:vhost, GET /parameters/:component/:vhost/:parameter,
    PUT /parameters/:component/:vhost/:parameter, DELETE /parameters/:component/:vhost/:parameter,
    GET /global-parameters, GET /global-parameters/:name, PUT /global-parameters/:name, DELETE /global-parameters/:name`,
  administrator: `
    PUT /cluster-name, GET /log, PUT /nodes/:node/vm_memory_high_watermark, PUT /nodes/:node/disk_free_limit,
    PUT /nodes/:node/drain, DELETE /nodes/:node/drain, PUT /nodes/:node/reload, GET /nodes/:node/log-levels, PUT /nodes/:node/log-levels, GET /vhosts/:vhost, PUT /vhosts/:vhost, DELETE /vhosts/:vhost, GET /vhosts/:vhost/permissions,
    GET /vhosts/:vhost/topic-permissions, POST /vhosts/:vhost/deletion/protection,
    DELETE /vhosts/:vhost/deletion/protection, POST /vhosts/:vhost/start/:node, GET /users,
    GET /users/without-permissions, POST /users/bulk-delete, GET /users/:user, PUT /users/:user, DELETE /users/:user,
    GET /users/:user/permissions, GET /users/:user/topic-permissions, GET /permissions, GET /permissions/:vhost/:user,
    PUT /permissions/:vhost/:user, DELETE /permissions/:vhost/:user, GET /topic-permissions,
    GET /topic-permissions/:vhost/:user, PUT /topic-permissions/:vhost/:user, DELETE /topic-permissions/:vhost/:user,
    GET /topic-permissions/:vhost/:user/:exchange, DELETE /topic-permissions/:vhost/:user/:exchange,
    GET /operator-policies/:vhost/:policy, PUT /operator-policies/:vhost/:policy,
    DELETE /operator-policies/:vhost/:policy, GET /user-limits, GET /user-limits/:user, PUT /user-limits/:user/:limit,
    DELETE /user-limits/:user/:limit, PUT /vhost-limits/:vhost/:limit, DELETE /vhost-limits/:vhost/:limit,
    DELETE /connections/username/:user, GET /definitions, POST /definitions, GET /all-configuration,
    POST /all-configuration, GET /definitions/:vhost, POST /definitions/:vhost, POST /backup, POST /rebalance/queues,
    PUT /feature-flags/:name/enable, POST /queues/:vhost/:queue/actions, DELETE /reset, DELETE /reset/:node,
    GET /config/effective, POST /queues/quorum/:vhost/:queue/replicas/add, DELETE /auth/attempts/:node/source,
    DELETE /queues/quorum/:vhost/:queue/replicas/delete, POST /queues/quorum/replicas/on/:node/grow,
    DELETE /queues/quorum/replicas/on/:node/shrink, DELETE /auth/attempts/:node, GET /auth/hash_password/:password`,
};

const ruled = Object.entries(routes).flatMap(([rule, text]) =>
  text.split(",").map((route) => [route.trim(), rule as Rule] as const),
);

const clients = new Map<Role, ManagementClient>();
let untagged: ManagementClient;
const stranger = new ManagementClient(broker, undefined);

beforeAll(async () => {
  clients.set("manager", await addUser(broker, "manager", ["management"], "/"));
  clients.set("outsider", await addUser(broker, "outsider", ["management"]));
  clients.set("policymaker", await addUser(broker, "policymaker", ["policymaker"], "/"));
  clients.set("monitor", await addUser(broker, "monitor", ["monitoring"]));
  clients.set("administrator", admin);
  untagged = await addUser(broker, "untagged", ["impersonator"], "/");
});

/** A path of the route where nothing is, so that little happens to those who may. */
function pathOf(route: string): readonly [method: string, path: string] {
  const [method = "", pattern = ""] = route.split(" ");
  const changesVhost = pattern === "/vhosts/:vhost" && method !== "GET";
  const path = pattern.replaceAll(/:(\w+)/g, (_all, name: string) =>
    name === "vhost" && !changesVhost ? "%2F" : "nothing-there",
  );
  return [method, path];
}

async function statusFor(client: ManagementClient, route: string): Promise<number> {
  const [method, path] = pathOf(route);
  const wrong = path.startsWith("/definitions") || path === "/all-configuration" ? "not json" : {};
  const { status } = await client
    .request(method, path, { body: method === "POST" || method === "PUT" ? wrong : undefined })
    .catch(
      // What is no JSON is no refusal.
      () => ({ status: 200 }),
    );
  return status;
}

describe("every route", () => {
  it("has a rule, and every rule is about a route", async () => {
    const document = Object(await stranger.read("/openapi.json"));
    const served = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method.toUpperCase()} ${path.replace(/^\/api/, "").replaceAll(/\{(\w+)\}/g, ":$1")}`,
      ),
    );
    expect(ruled.map(([route]) => route).sort()).toEqual(served.sort());
  });

  it.each(ruled)("%s is for %s users only", async (route, rule) => {
    const isPublic = rule === "public";
    const allowed: readonly Role[] = rules[rule];
    for (const role of roles) {
      const client = clients.get(role) ?? stranger;
      const status = await statusFor(client, route);
      // Without a form there is no login.
      const isRefused = status === 401 && route !== "POST /login";
      expect({ role, isRefused }).toEqual({ role, isRefused: !allowed.includes(role) });
      expect(status).not.toBe(500);
    }
    for (const client of [untagged, stranger, as(broker, "guest", "wrong")]) {
      expect((await statusFor(client, route)) === 401).toBe(!isPublic || route === "POST /login");
    }
  });
});
