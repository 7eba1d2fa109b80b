import { type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { parity, useBroker } from "../support/broker.ts";
import { everything } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const peerUrl = process.env["RABBITMQ_PEER_URL"];
const isReachable = peerUrl !== undefined && !parity && (await answers(managementOf(peerUrl)));
const why = peerUrl === undefined ? "RABBITMQ_PEER_URL names no RabbitMQ" : `no RabbitMQ answers at ${peerUrl}`;

/** RabbitMQ's HTTP API is ten thousand above AMQP. */
function managementOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `http://${hostname}:${Number(port || 5672) + 10_000}`;
}

async function answers(url: string): Promise<boolean> {
  return await fetch(`${url}/api/overview`).then(
    () => true,
    () => false,
  );
}

type Call = readonly [method: string, path: string, body?: unknown];

const vhost = unique("diff");
const user = unique("diff-user");
const message = { properties: {}, routing_key: "q1", payload: "hi", payload_encoding: "string" };
const get = { count: 1, ackmode: "ack_requeue_true", encoding: "auto" };
const policy = { pattern: "^q", definition: { "max-length": 5 }, priority: 1, "apply-to": "queues" };

/** In this order; each may need those before it. */
const calls: Readonly<Record<string, readonly Call[]>> = {
  vhosts: [
    ["PUT", `/vhosts/${vhost}`, { description: "d", tags: "a,b" }],
    ["PUT", `/vhosts/${vhost}`, {}],
    ["GET", `/vhosts/${vhost}`],
    ["GET", "/vhosts"],
    ["GET", "/vhosts/none"],
    ["DELETE", "/vhosts/none"],
    ["PUT", `/permissions/${vhost}/guest`, everything],
    ["GET", `/permissions/${vhost}/guest`],
    ["GET", `/permissions/${vhost}/none`],
    ["PUT", `/permissions/${vhost}/none`, everything],
    ["PUT", `/permissions/${vhost}/guest`, { configure: ".*" }],
    ["PUT", `/permissions/${vhost}/guest`, { ...everything, read: "*" }],
    ["DELETE", `/permissions/${vhost}/none`],
    ["GET", `/vhosts/${vhost}/permissions`],
    ["GET", `/vhosts/${vhost}/topic-permissions`],
    ["GET", `/vhosts/${vhost}/connections`],
    ["GET", `/vhosts/${vhost}/channels`],
    ["POST", `/vhosts/${vhost}/start/none@nowhere`],
  ],
  users: [
    ["PUT", `/users/${user}`, { password: "x", tags: "management" }],
    ["PUT", `/users/${user}`, { password: "y", tags: ["management"] }],
    ["PUT", `/users/${user}-2`, { password: "x" }],
    ["PUT", `/users/${user}-2`, { password: "x", password_hash: "eA==", tags: "" }],
    ["PUT", `/users/${user}-2`, { password_hash: "%%%", tags: "" }],
    ["GET", `/users/${user}`],
    ["GET", "/users/none"],
    ["DELETE", "/users/none"],
    ["GET", "/users"],
    ["GET", "/users/without-permissions"],
    ["GET", `/users/${user}/permissions`],
    ["GET", "/users/none/permissions"],
    ["GET", `/users/${user}/topic-permissions`],
    ["PUT", `/topic-permissions/${vhost}/${user}`, { exchange: "amq.topic", write: ".*", read: ".*" }],
    ["PUT", `/topic-permissions/${vhost}/${user}`, { exchange: "amq.topic" }],
    ["GET", `/topic-permissions/${vhost}/${user}`],
    ["GET", `/topic-permissions/${vhost}/${user}/amq.topic`],
    ["DELETE", `/topic-permissions/${vhost}/${user}`],
    ["GET", `/topic-permissions/${vhost}/${user}`],
    ["PUT", `/user-limits/${user}/max-connections`, { value: 5 }],
    ["GET", `/user-limits/${user}`],
    ["GET", "/user-limits"],
    ["PUT", "/user-limits/none/max-connections", { value: 5 }],
    ["DELETE", `/user-limits/${user}/max-connections`],
    ["POST", "/users/bulk-delete", { users: ["none"] }],
    ["POST", "/users/bulk-delete", {}],
  ],
  exchanges: [
    ["PUT", `/exchanges/${vhost}/x1`, { type: "topic", durable: true }],
    ["PUT", `/exchanges/${vhost}/x1`, { type: "topic", durable: true }],
    ["PUT", `/exchanges/${vhost}/x1`, { type: "direct", durable: true }],
    ["PUT", `/exchanges/${vhost}/x2`, {}],
    ["PUT", `/exchanges/${vhost}/x3`, { type: "nonsense" }],
    ["PUT", `/exchanges/${vhost}/amq.mine`, { type: "direct" }],
    ["PUT", "/exchanges/none/x1", { type: "direct" }],
    ["GET", `/exchanges/${vhost}/x1`],
    ["GET", `/exchanges/${vhost}/none`],
    ["GET", `/exchanges/${vhost}`],
    ["GET", "/exchanges/none"],
    ["GET", `/exchanges/${vhost}/amq.default`],
    ["DELETE", `/exchanges/${vhost}/none`],
    ["DELETE", `/exchanges/${vhost}/amq.direct`],
    ["DELETE", `/exchanges/${vhost}/amq.default`],
  ],
  queues: [
    ["PUT", `/queues/${vhost}/q1`, { durable: true, arguments: { "x-max-length": 10 } }],
    ["PUT", `/queues/${vhost}/q1`, { durable: true, arguments: { "x-max-length": 10 } }],
    ["PUT", `/queues/${vhost}/q1`, { durable: true }],
    ["PUT", `/queues/${vhost}/q2`, {}],
    ["PUT", `/queues/${vhost}/q3`, { arguments: { "x-message-ttl": -1 } }],
    ["PUT", `/queues/${vhost}/amq.q`, {}],
    ["PUT", "/queues/none/q1", {}],
    ["PUT", `/queues/${vhost}/q3`, { durable: "maybe" }],
    ["PUT", `/queues/${vhost}/q3`, "{bad"],
    ["PUT", `/queues/${vhost}/q3`, "[]"],
    ["PUT", `/queues/${vhost}/q3`, '"x"'],
    ["GET", `/queues/${vhost}/q1`],
    ["GET", `/queues/${vhost}/none`],
    ["GET", `/queues/${vhost}`],
    ["GET", "/queues/none"],
    ["GET", `/queues/${vhost}?disable_stats=true`],
    ["GET", `/queues/${vhost}?disable_stats=true&enable_queue_totals=true`],
    ["GET", `/queues/${vhost}?page=1&page_size=1`],
    ["GET", `/queues/${vhost}?page=9`],
    ["GET", `/queues/${vhost}?page=abc`],
    ["GET", `/queues/${vhost}?page=0`],
    ["GET", `/queues/${vhost}?page=1&page_size=501`],
    ["GET", `/queues/${vhost}?page=1&name=(&use_regex=true`],
    ["GET", `/queues/${vhost}?sort=name&sort_reverse=true&columns=name,durable`],
    ["POST", `/queues/${vhost}/q1/actions`, { action: "sync" }],
    ["POST", `/queues/${vhost}/q1/actions`, { action: "nonsense" }],
  ],
  bindings: [
    ["POST", `/bindings/${vhost}/e/x1/q/q1`, { routing_key: "a.b", arguments: {} }],
    ["POST", `/bindings/${vhost}/e/x1/q/q1`, { routing_key: "a b~/c" }],
    ["POST", `/bindings/${vhost}/e/x1/q/none`, {}],
    ["POST", `/bindings/${vhost}/e/none/q/q1`, {}],
    ["POST", `/bindings/${vhost}/e/x1/e/x2`, { routing_key: "z" }],
    ["POST", `/bindings/${vhost}/e/amq.default/q/q1`, { routing_key: "z" }],
    ["GET", `/bindings/${vhost}/e/x1/q/q1`],
    ["GET", `/bindings/${vhost}/e/x1/q/none`],
    ["GET", `/bindings/${vhost}/e/x1/e/x2`],
    ["GET", `/bindings/${vhost}/e/x1/q/q1/a.b`],
    ["GET", `/bindings/${vhost}/e/x1/q/q1/a%2Bb%257E%252Fc`],
    ["GET", `/bindings/${vhost}/e/x1/q/q1/none`],
    ...["a%20b%257E%252Fc", "a%20b~/c", "a%2Bb%257E%2Fc", "a%25zz", "%7E"].map(
      (key): Call => ["GET", `/bindings/${vhost}/e/x1/q/q1/${key}`],
    ),
    ["DELETE", `/bindings/${vhost}/e/x1/q/q1/a.b`],
    ["DELETE", `/bindings/${vhost}/e/x1/q/q1/a.b`],
    ["GET", `/bindings/${vhost}`],
    ["GET", `/queues/${vhost}/q1/bindings`],
    ["GET", `/exchanges/${vhost}/x1/bindings/source`],
    ["GET", `/exchanges/${vhost}/x2/bindings/destination`],
    ["GET", `/exchanges/${vhost}/none/bindings/source`],
  ],
  messages: [
    ["POST", `/exchanges/${vhost}/amq.default/publish`, message],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, payload_encoding: "base64", payload: "aGk=" }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, properties: { headers: { a: { b: [1] } } } }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, routing_key: "none" }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { routing_key: "q1" }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, payload_encoding: "base64", payload: "%%" }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, payload_encoding: "rot13" }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, properties: { delivery_mode: "x" } }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, properties: { headers: { a: null } } }],
    ["POST", `/exchanges/${vhost}/amq.default/publish`, { ...message, payload: 5 }],
    ["POST", `/queues/${vhost}/q1/get`, get],
    ["POST", `/queues/${vhost}/q1/get`, { ...get, count: "1", ackmode: "ack_requeue_false", truncate: 1 }],
    ["POST", `/queues/${vhost}/q1/get`, { ...get, encoding: "base64", ackmode: "reject_requeue_true" }],
    ["POST", `/queues/${vhost}/q1/get`, { count: 1, encoding: "auto" }],
    ["POST", `/queues/${vhost}/q1/get`, { ...get, encoding: "hex" }],
    ["POST", `/queues/${vhost}/q2/get`, get],
    ["POST", `/queues/${vhost}/none/get`, get],
    ["DELETE", `/queues/${vhost}/q1?if-empty=true`],
    ["DELETE", `/queues/${vhost}/q1/contents`],
    ["DELETE", `/queues/${vhost}/none/contents`],
    ["DELETE", `/queues/${vhost}/q2?if-empty=true&if-unused=true`],
  ],
  policies: [
    ["PUT", `/policies/${vhost}/p1`, policy],
    ["PUT", `/policies/${vhost}/p1`, policy],
    ["GET", `/policies/${vhost}/p1`],
    ["GET", `/policies/${vhost}`],
    ["GET", `/policies/${vhost}/none`],
    ["DELETE", `/policies/${vhost}/none`],
    ["PUT", `/policies/${vhost}/p2`, { pattern: "a" }],
    ["PUT", `/policies/${vhost}/p2`, { ...policy, pattern: "(" }],
    ["PUT", `/policies/${vhost}/p2`, { ...policy, definition: {} }],
    ["PUT", `/policies/${vhost}/p2`, { ...policy, definition: { nonsense: 1 } }],
    ["PUT", `/policies/${vhost}/p2`, { ...policy, priority: "high" }],
    ["PUT", "/policies/none/p2", policy],
    ["PUT", `/operator-policies/${vhost}/o1`, { pattern: "^q", definition: { "max-length": 5 } }],
    ["GET", `/operator-policies/${vhost}/o1`],
    ["GET", `/operator-policies/${vhost}`],
    ["PUT", `/operator-policies/${vhost}/o2`, { pattern: "^q", definition: { "dead-letter-exchange": "x" } }],
    ["GET", `/queues/${vhost}/q1?columns=policy,operator_policy,effective_policy_definition`],
    ["DELETE", `/operator-policies/${vhost}/o1`],
    ["DELETE", `/policies/${vhost}/p1`],
  ],
  "limits and parameters": [
    ["PUT", `/vhost-limits/${vhost}/max-queues`, { value: 5 }],
    ["GET", `/vhost-limits/${vhost}`],
    ["GET", "/vhost-limits"],
    ["PUT", `/vhost-limits/${vhost}/nonsense`, { value: 5 }],
    ["PUT", `/vhost-limits/${vhost}/max-queues`, { value: "x" }],
    ["PUT", "/vhost-limits/none/max-queues", { value: 1 }],
    ["GET", "/parameters"],
    ["GET", "/parameters/vhost-limits"],
    ["GET", `/parameters/vhost-limits/${vhost}`],
    ["GET", `/parameters/vhost-limits/${vhost}/limits`],
    ["GET", "/parameters/nonsense"],
    ["GET", `/parameters/nonsense/${vhost}/x`],
    ["DELETE", `/parameters/nonsense/${vhost}/x`],
    ["PUT", `/parameters/nonsense/${vhost}/x`, { value: 1 }],
    ["DELETE", `/vhost-limits/${vhost}/max-queues`],
    ["DELETE", `/vhost-limits/${vhost}/max-queues`],
    ["PUT", `/global-parameters/${vhost}`, { value: { a: 1 } }],
    ["GET", `/global-parameters/${vhost}`],
    ["PUT", `/global-parameters/${vhost}`, {}],
    ["DELETE", `/global-parameters/${vhost}`],
    ["DELETE", `/global-parameters/${vhost}`],
    ["GET", "/global-parameters/none"],
    ["GET", `/definitions/${vhost}`],
    ["GET", "/definitions/none"],
    ["POST", "/definitions/none", {}],
    ["POST", "/definitions", "{bad"],
  ],
  "the broker and its clients": [
    ["GET", "/overview"],
    ["GET", "/cluster-name"],
    ["GET", "/nodes"],
    ["GET", "/whoami"],
    ["PUT", "/feature-flags/quorum_queue/enable", {}],
    ["GET", "/connections"],
    ["GET", "/channels"],
    ["GET", "/consumers"],
    ["GET", `/queues/${vhost}-live/live`],
    ["GET", "/connections/none"],
    ["DELETE", "/connections/none"],
    ["GET", "/channels/none"],
    ["GET", "/connections/username/guest"],
    ["GET", "/connections/username/none"],
    ["GET", "/health/checks/alarms"],
    ["GET", "/health/checks/local-alarms"],
    ["GET", "/health/checks/virtual-hosts"],
    ["GET", "/health/checks/port-listener/9"],
    ["GET", "/health/checks/port-listener/abc"],
    ["GET", "/health/checks/protocol-listener/amqp091"],
    ["GET", "/health/checks/protocol-listener/gopher"],
    ["GET", "/health/checks/certificate-expiration/1/months"],
    ["GET", "/health/checks/certificate-expiration/1/fortnights"],
    ["GET", "/health/checks/node-is-quorum-critical"],
    ["GET", "/health/checks/node-is-mirror-sync-critical"],
    ["GET", `/aliveness-test/${vhost}`],
    ["GET", "/aliveness-test/none"],
    ["GET", "/healthchecks/node"],
    ["POST", "/rebalance/queues"],
    ["PUT", "/feature-flags/nonsense/enable", {}],
    ["GET", "/nonsense"],
    ["POST", "/overview", {}],
    ["PATCH", "/overview", {}],
    ["GET", "/overview/"],
  ],
};

/** What only an Erlang node has; the last words of paths of keys. */
const theirsAlone = [
  /\.(garbage_collection|reductions|pending_raft_commands|backing_queue_status|metrics_gc_queue_length)\b/,
  /\.(reductions_details|erlang_version|erlang_full_version|release_series_support_status|cowboy_opts|ssl_opts)\b/,
  /\.(io|mnesia|msg_store|queue_index|gc|ra_open_file)_\w+\b/,
  /\.(net_ticktime|config_files|protocol)$/,
  /\.socket_opts\.\w+(\.\w+)?$/,
  /\.(memory|recoverable_slaves)$/,
  // Only there while a thing is idle, which is not at the same times.
  /\.idle_since$/,
  // A link of Erlang's is there while somebody runs rabbitmqctl.
  /\.cluster_links\[\]/,
];

/** The names of counters and levels, with what says how fast they change. */
function counted(...names: readonly string[]): string[] {
  return names.flatMap((name) => [name, `${name}_details`, `${name}_details.rate`]);
}

const lengths = counted("messages", "messages_ready", "messages_unacknowledged");

/**
 * What RabbitMQ 4 has and 3.10 has not, by where it is; and what a peer has not either that has gathered no statistics
 * of a thing yet. Everything else that is there on one side only is a difference.
 */
const oursAlone: readonly (readonly [path: RegExp, keys: readonly string[]])[] = [
  [
    /^\/vhosts(\/[^/]+)?$/,
    ["metadata.default_queue_type", "protected_from_deletion", ...lengths, ...counted("recv_oct", "send_oct")],
  ],
  [/^\/queues\/[^/?]+(\/[^/?]+)?(\?|$)/, ["policy", "operator_policy", "effective_policy_definition", ...lengths]],
  [
    /^\/queues\/[^/?]+(\/[^/?]+)?(\?page=.*)?$/,
    [
      "state",
      "consumers",
      "idle_since",
      "consumer_capacity",
      "consumer_utilisation",
      "exclusive_consumer_tag",
      "single_active_consumer_tag",
      "message_bytes",
      "message_bytes_ready",
      "message_bytes_unacknowledged",
      "message_bytes_ram",
      "message_bytes_persistent",
      "message_bytes_paged_out",
      "messages_persistent",
      "head_message_timestamp",
      "messages_ram",
      "messages_ready_ram",
      "messages_unacknowledged_ram",
      "messages_paged_out",
      // RabbitMQ tells it of the broker here, and of a queue by rabbitmqctl alone.
      ...counted("message_stats.disk_reads", "message_stats.disk_writes"),
    ],
  ],
  [
    /^\/overview/,
    ["is_op_policy_updating_enabled", "default_queue_type", "cluster_tags", "node_tags", "listeners[].tls"],
  ],
  [/^\/nodes$/, ["being_drained", "contexts[].node"]],
  [/^\/whoami$/, ["is_internal_user"]],
];

/** The keys that may be ours alone in the answer of a path, as they are named in it. */
function allowedAt(path: string): ReadonlySet<string> {
  const keys = oursAlone.filter(([pattern]) => pattern.test(path)).flatMap(([, names]) => names);
  return new Set(keys.flatMap((name) => [`.${name}`, `[].${name}`, `.items[].${name}`]));
}

/** Calls whose status is RabbitMQ 4's, or that 3.10 fails at. */
const statusDiffers: Readonly<Record<string, string>> = {
  [`GET /definitions/${vhost}`]: "3.10 on this Erlang cannot export a vhost",
};

/** Keys in whose objects names are free. */
const free = [
  "arguments",
  "client_properties",
  "definition",
  "value",
  "effective_policy_definition",
  "headers",
  "cluster_state",
];

function keysOf(value: unknown, path = "", keys = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const item of value) keysOf(item, `${path}[]`, keys);
  else if (typeof value === "object" && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      keys.add(`${path}.${name}`);
      if (!free.includes(name)) keysOf(field, `${path}.${name}`, keys);
    }
  }
  return keys;
}

function besides(keys: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...keys].filter((key) => !others.has(key));
}

interface Answered {
  readonly status: number;
  readonly keys: ReadonlySet<string>;
}

async function ask(url: string, [method, path, body]: Call): Promise<Answered> {
  const response = await fetch(`${url}/api${path}`, {
    method,
    headers: { authorization: `Basic ${btoa("guest:guest")}`, "content-type": "application/json" },
    body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: response.status, keys: isJson && text !== "" ? keysOf(JSON.parse(text)) : new Set() };
}

describe.skipIf(!isReachable)(`calls answered as RabbitMQ does${isReachable ? "" : ` (${why})`}`, () => {
  const theirUrl = managementOf(peerUrl ?? "amqp://localhost");
  const connections: ChannelModel[] = [];

  beforeAll(async () => {
    for (const [url, amqp] of [
      [theirUrl, peerUrl ?? ""],
      [broker.managementUrl, broker.url],
    ] as const) {
      await ask(url, ["PUT", `/vhosts/${vhost}-live`, {}]);
      await ask(url, ["PUT", `/permissions/${vhost}-live/guest`, everything]);
      const connection = await connect(`${amqp}/${vhost}-live`);
      connections.push(connection);
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue("live");
      await channel.consume("live", () => {});
      channel.sendToQueue("live", Buffer.from("x"));
      await channel.waitForConfirms();
    }
    // RabbitMQ gathers statistics every five seconds.
    await eventually(async () => {
      const { keys } = await ask(theirUrl, ["GET", `/queues/${vhost}-live/live`]);
      expect(keys).toContain(".message_stats.deliver_get");
      expect((await ask(theirUrl, ["GET", "/channels"])).keys).toContain("[].message_stats.publish");
    }, 30_000);
  });

  afterAll(async () => {
    for (const connection of connections) await connection.close();
    for (const url of [theirUrl, broker.managementUrl]) {
      for (const name of [vhost, `${vhost}-live`]) await ask(url, ["DELETE", `/vhosts/${name}`]);
      for (const name of [user, `${user}-2`]) await ask(url, ["DELETE", `/users/${name}`]);
    }
  });

  for (const [what, group] of Object.entries(calls)) {
    describe(what, () => {
      it.each(group.map((call) => [`${call[0]} ${call[1]}`, call] as const))("%s %#", async (name, call) => {
        const theirs = await ask(theirUrl, call);
        const ours = await ask(broker.managementUrl, call);
        if (name in statusDiffers) return;
        expect(ours.status).toBe(theirs.status);
        const missing = besides(theirs.keys, ours.keys).filter((key) => !theirsAlone.some((known) => known.test(key)));
        expect(missing).toEqual([]);
        const allowed = allowedAt(call[1]);
        expect(besides(ours.keys, theirs.keys).filter((key) => !allowed.has(key))).toEqual([]);
      });
    });
  }
});
