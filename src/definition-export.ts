import type { Binding } from "./exchange/binding.ts";
import type { GlobalParameters } from "./global-parameters.ts";
import { LazyList } from "./lazy-list.ts";
import type { Limits } from "./limits.ts";
import type { HashingAlgorithm } from "./passwords.ts";
import type { Permissions } from "./permissions.ts";
import { type PlainTable, tableToPlain } from "./plain-table.ts";
import type { Policies, Policy } from "./policies.ts";
import type { Queue } from "./queue/queue.ts";
import type { Users } from "./users.ts";
import type { Bindable, Vhost, VhostExchange } from "./vhost.ts";
import type { Vhosts } from "./vhosts.ts";

/** Where definitions are. */
export interface Definitions {
  readonly users: Users;
  readonly permissions: Permissions;
  readonly policies: Policies;
  readonly limits: Limits;
  readonly globalParameters: GlobalParameters;
  readonly vhosts: Vhosts;
  readonly config: { readonly passwordHashing: HashingAlgorithm };
}

/**
 * All definitions, as RabbitMQ exports them. What goes with a connection or comes with every vhost is left out. The
 * lists are made while they are written.
 */
export function exportDefinitions(definitions: Definitions): PlainTable {
  const { users, permissions, vhosts, policies, limits, globalParameters } = definitions;
  const all = [...vhosts.list()];
  return {
    users: LazyList.of([...users.list()], ({ name, passwordHash, hashingAlgorithm, tags }) => ({
      name,
      password_hash: passwordHash,
      hashing_algorithm: hashingAlgorithm,
      tags,
      limits: Object.fromEntries(limits.of("user", name)),
    })),
    vhosts: LazyList.of(all, plainVhost),
    permissions: [...permissions.list()],
    topic_permissions: [...permissions.listTopics()],
    parameters: all.flatMap((vhost) => parametersOf(definitions, vhost).map((row) => ({ ...row, vhost: vhost.name }))),
    global_parameters: [...globalParameters.list()].map(([name, value]) => ({ name, value })),
    policies: LazyList.of([...policies.list(false)], (policy) => ({
      vhost: policy.vhost,
      name: policy.name,
      ...plainPolicy(policy),
    })),
    queues: LazyList.of(all.flatMap(queuesOf), (queue) => ({ ...plainQueue(queue), vhost: queue.vhost })),
    exchanges: LazyList.of(all.flatMap(exchangesOf), ({ vhost, exchange }) => ({
      ...plainExchange(exchange),
      vhost: vhost.name,
    })),
    bindings: LazyList.of(all.flatMap(bindingsOf), ({ vhost, source, binding }) => ({
      ...plainBinding(source, binding),
      vhost: vhost.name,
    })),
  };
}

/** What is in one vhost, without saying which. */
export function exportVhost(definitions: Definitions, vhost: Vhost): PlainTable {
  const policies = [...definitions.policies.list(false)].filter((policy) => policy.vhost === vhost.name);
  return {
    parameters: parametersOf(definitions, vhost),
    policies: policies.map((policy) => ({ name: policy.name, ...plainPolicy(policy) })),
    queues: LazyList.of(queuesOf(vhost), plainQueue),
    exchanges: LazyList.of(exchangesOf(vhost), ({ exchange }) => plainExchange(exchange)),
    bindings: LazyList.of(bindingsOf(vhost), ({ source, binding }) => plainBinding(source, binding)),
  };
}

function plainPolicy({ pattern, applyTo, priority, rules }: Policy): PlainTable {
  return { pattern, "apply-to": applyTo, definition: tableToPlain(rules), priority };
}

/** What RabbitMQ keeps as parameters of a vhost: policies of operators, and limits. */
function parametersOf({ policies, limits }: Definitions, vhost: Vhost): PlainTable[] {
  const own = [...policies.list(true)].filter((policy) => policy.vhost === vhost.name);
  const rows = own.map((policy) => ({ component: "operator_policy", name: policy.name, value: plainPolicy(policy) }));
  const set = limits.of("vhost", vhost.name);
  if (set.size === 0) return rows;
  return [...rows, { component: "vhost-limits", name: "limits", value: Object.fromEntries(set) }];
}

function plainVhost({ name, properties }: Vhost): PlainTable {
  const { description, tags, defaultQueueType, protectedFromDeletion } = properties;
  const metadata = {
    description,
    tags,
    default_queue_type: defaultQueueType ?? "classic",
    ...(protectedFromDeletion && { protected_from_deletion: true }),
  };
  return { name, ...metadata, metadata, limits: [] };
}

function queuesOf(vhost: Vhost): Queue[] {
  return [...vhost.queues.values()].filter(isExported);
}

function plainQueue({ name, durable, autoDelete, arguments: args }: Queue): PlainTable {
  return { name, durable, auto_delete: autoDelete, arguments: tableToPlain(args) };
}

function exchangesOf(vhost: Vhost): { vhost: Vhost; exchange: VhostExchange }[] {
  return [...vhost.exchanges.values()].filter(isExported).map((exchange) => ({ vhost, exchange }));
}

function plainExchange({ name, type, durable, autoDelete, internal, arguments: args }: VhostExchange): PlainTable {
  return { name, type, durable, auto_delete: autoDelete, internal, arguments: tableToPlain(args) };
}

function bindingsOf(vhost: Vhost): { vhost: Vhost; source: VhostExchange; binding: Binding<Bindable> }[] {
  return [...vhost.exchanges.values()].flatMap((source) =>
    [...source.bindings()]
      .filter(({ destination }) => destination.kind === "exchange" || isExported(destination))
      .map((binding) => ({ vhost, source, binding })),
  );
}

function plainBinding(source: VhostExchange, binding: Binding<Bindable>): PlainTable {
  const { destination, routingKey, arguments: args } = binding;
  return {
    source: source.name,
    destination: destination.name,
    destination_type: destination.kind,
    routing_key: routingKey,
    arguments: tableToPlain(args),
  };
}

/** Exclusive queues go with their connection; the exchanges of every vhost are there before an import. */
function isExported(thing: Bindable): boolean {
  if (thing.kind === "queue") return thing.exclusiveOwner === undefined;
  return thing.name !== "" && !thing.name.startsWith("amq.");
}
