import type { Permissions } from "./permissions.ts";
import { type PlainTable, tableToPlain } from "./plain-table.ts";
import type { Users } from "./users.ts";
import type { Bindable, Vhost, VhostExchange } from "./vhost.ts";
import type { Vhosts } from "./vhosts.ts";

/** Where definitions are. */
export interface Definitions {
  readonly users: Users;
  readonly permissions: Permissions;
  readonly vhosts: Vhosts;
}

/** All definitions, as RabbitMQ exports them. What goes with a connection or comes with every vhost is left out. */
export function exportDefinitions({ users, permissions, vhosts }: Definitions): PlainTable {
  const all = [...vhosts.list()];
  return {
    users: [...users.list()].map(({ name, passwordHash, hashingAlgorithm, tags }) => ({
      name,
      password_hash: passwordHash,
      hashing_algorithm: hashingAlgorithm,
      tags,
      limits: {},
    })),
    vhosts: all.map(plainVhost),
    permissions: [...permissions.list()],
    topic_permissions: [...permissions.listTopics()],
    parameters: [],
    global_parameters: [],
    policies: [],
    queues: all.flatMap((vhost) => queuesOf(vhost).map((queue) => ({ ...queue, vhost: vhost.name }))),
    exchanges: all.flatMap((vhost) => exchangesOf(vhost).map((exchange) => ({ ...exchange, vhost: vhost.name }))),
    bindings: all.flatMap((vhost) => bindingsOf(vhost).map((binding) => ({ ...binding, vhost: vhost.name }))),
  };
}

/** What is in one vhost, without saying which. */
export function exportVhost(vhost: Vhost): PlainTable {
  return {
    parameters: [],
    policies: [],
    queues: queuesOf(vhost),
    exchanges: exchangesOf(vhost),
    bindings: bindingsOf(vhost),
  };
}

function plainVhost({ name, properties: { description, tags, defaultQueueType } }: Vhost): PlainTable {
  const metadata = { description, tags, default_queue_type: defaultQueueType ?? "classic" };
  return { name, ...metadata, metadata, limits: [] };
}

function queuesOf(vhost: Vhost): PlainTable[] {
  const kept = [...vhost.queues.values()].filter(isExported);
  return kept.map(({ name, durable, autoDelete, arguments: args }) => ({
    name,
    durable,
    auto_delete: autoDelete,
    arguments: tableToPlain(args),
  }));
}

function exchangesOf(vhost: Vhost): PlainTable[] {
  const kept = [...vhost.exchanges.values()].filter(isExported);
  return kept.map(({ name, type, durable, autoDelete, internal, arguments: args }) => ({
    name,
    type,
    durable,
    auto_delete: autoDelete,
    internal,
    arguments: tableToPlain(args),
  }));
}

function bindingsOf(vhost: Vhost): PlainTable[] {
  return [...vhost.exchanges.values()].flatMap((source) => bindingsFrom(source));
}

function bindingsFrom(source: VhostExchange): PlainTable[] {
  const kept = [...source.bindings()].filter(
    ({ destination }) => destination.kind === "exchange" || isExported(destination),
  );
  return kept.map(({ destination, routingKey, arguments: args }) => ({
    source: source.name,
    destination: destination.name,
    destination_type: destination.kind,
    routing_key: routingKey,
    arguments: tableToPlain(args),
  }));
}

/** Exclusive queues go with their connection; the exchanges of every vhost are there before an import. */
function isExported(thing: Bindable): boolean {
  if (thing.kind === "queue") return thing.exclusiveOwner === undefined;
  return thing.name !== "" && !thing.name.startsWith("amq.");
}
