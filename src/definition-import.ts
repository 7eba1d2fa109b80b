import { type DefinitionDocument, DocumentReader, type Named } from "./definition-document.ts";
import type { Definitions } from "./definition-export.ts";
import { type QueueFields, withHash } from "./definition-fields.ts";
import type { ExchangeProperties } from "./exchange/exchange.ts";
import type { JsonObject } from "./json-object.ts";
import { changePolicies } from "./policy-effects.ts";
import type { BindingDefinition } from "./store/store.ts";
import { bind, declareExchange, declareQueue } from "./topology.ts";
import type { User } from "./users.ts";

/** Whose import it is, and of what. */
export interface ImportScope {
  /** The user who imports; undefined for the broker itself at its start. */
  readonly user?: string | undefined;
  /** The document is of what is in this vhost. */
  readonly vhost?: string | undefined;
}

/**
 * Adds the definitions of a document in RabbitMQ's form to those that are there. Users, vhosts and permissions replace
 * others of their name; queues, exchanges and bindings that exist stay as they are. All of the document is checked
 * first: a part that cannot be used costs the whole import, and nothing has changed. Throws PRECONDITION_FAILED.
 *
 * Returns bindings that were left out for want of an end.
 */
export async function importDefinitions(
  into: Definitions,
  json: JsonObject,
  { user, vhost }: ImportScope = {},
): Promise<readonly BindingDefinition[]> {
  const { users } = new DocumentReader(into, vhost).read(json);
  const hashed = await Promise.all(users.map(withHash));
  // While passwords were hashed the broker went on: what fitted may not fit any more.
  return take(into, hashed, new DocumentReader(into, vhost).read(json), user);
}

function take(
  into: Definitions,
  users: readonly User[],
  document: DefinitionDocument,
  declaredBy = "rmq-internal",
): readonly BindingDefinition[] {
  for (const user of users) into.users.put(user);
  for (const { name, ...properties } of document.vhosts) into.vhosts.put(name, properties);
  for (const permission of document.permissions) into.permissions.set(permission);
  for (const permission of document.topicPermissions) into.permissions.setTopic(permission);
  for (const name of new Set(document.policies.map(({ vhost: of }) => of))) {
    const policies = document.policies.filter(({ vhost: of }) => of === name);
    changePolicies(into.vhosts.get(name), () => {
      for (const policy of policies) into.policies.set(policy);
    });
  }
  for (const [name, value] of document.globalParameters) into.globalParameters.set(name, value);
  for (const exchange of document.exchanges) addExchange(into, { ...exchange, declaredBy });
  for (const queue of document.queues) addQueue(into, queue);
  const leftOut = document.bindings.filter((binding) => !addBinding(into, binding));
  // What is in the document may be there, even when its own limits would not have let it in.
  for (const limit of document.limits) into.limits.set(limit);
  return leftOut;
}

function addExchange({ vhosts }: Definitions, { vhost: name, ...exchange }: ExchangeProperties & Named): void {
  const vhost = vhosts.get(name);
  if (!vhost.exchanges.has(exchange.name)) declareExchange(vhost, exchange);
}

function addQueue({ vhosts }: Definitions, { vhost: name, ...queue }: QueueFields & Named): void {
  const vhost = vhosts.get(name);
  // Exports hold queues with names that the broker gave.
  if (!vhost.queues.has(queue.name)) {
    declareQueue(vhost, { ...queue, exclusive: false, owner: queue, serverNamed: true, isImported: true });
  }
}

/** False when an end does not exist. */
function addBinding({ vhosts }: Definitions, binding: BindingDefinition): boolean {
  const vhost = vhosts.get(binding.vhost);
  const source = vhost.exchanges.get(binding.source);
  const ends = binding.destinationKind === "queue" ? vhost.queues : vhost.exchanges;
  const destination = ends.get(binding.destination);
  if (source === undefined || destination === undefined) return false;
  // Every queue is bound to the default exchange already.
  if (source.name !== "") bind(vhost, source, destination, binding.routingKey, binding.arguments);
  return true;
}
