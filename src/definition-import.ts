import type { Definitions } from "./definition-export.ts";
import {
  bindingFrom,
  exchangeFrom,
  permissionFrom,
  type QueueFields,
  queueFrom,
  topicPermissionFrom,
  userFrom,
  vhostFrom,
} from "./definition-fields.ts";
import { BrokerError } from "./errors.ts";
import type { ExchangeProperties } from "./exchange/exchange.ts";
import { createExchange } from "./exchange/exchange-types.ts";
import type { JsonObject } from "./json-object.ts";
import { isReserved } from "./names.ts";
import type { Permission, TopicPermission } from "./permissions.ts";
import type { BindingDefinition } from "./store/store.ts";
import { bind, declareExchange, declareQueue } from "./topology.ts";
import type { User } from "./users.ts";
import type { VhostProperties } from "./vhost.ts";
import { checkVhostName } from "./vhosts.ts";

/** A document of definitions, read and checked. */
interface Document {
  readonly users: readonly User[];
  readonly vhosts: readonly (VhostProperties & { readonly name: string })[];
  readonly permissions: readonly Permission[];
  readonly topicPermissions: readonly TopicPermission[];
  readonly queues: readonly (QueueFields & Named)[];
  readonly exchanges: readonly (ExchangeProperties & Named)[];
  readonly bindings: readonly BindingDefinition[];
}

interface Named {
  readonly vhost: string;
  readonly name: string;
}

/**
 * Adds the definitions of a document in RabbitMQ's form to those that are there. Users, vhosts and permissions replace
 * others of their name; queues, exchanges and bindings that exist stay as they are. All of the document is checked
 * first: a part that cannot be used costs the whole import, and nothing has changed. Throws PRECONDITION_FAILED.
 *
 * With `vhost`, it is the document of what is in that vhost. Returns bindings that were left out for want of an end.
 */
export function importDefinitions(into: Definitions, json: JsonObject, vhost?: string): readonly BindingDefinition[] {
  const document = new DocumentReader(into, vhost).read(json);
  for (const user of document.users) into.users.put(user);
  for (const { name, ...properties } of document.vhosts) into.vhosts.put(name, properties);
  for (const permission of document.permissions) into.permissions.set(permission);
  for (const permission of document.topicPermissions) into.permissions.setTopic(permission);
  for (const exchange of document.exchanges) addExchange(into, exchange);
  for (const queue of document.queues) addQueue(into, queue);
  return document.bindings.filter((binding) => !addBinding(into, binding));
}

function addExchange({ vhosts }: Definitions, { vhost: name, ...exchange }: ExchangeProperties & Named): void {
  const vhost = vhosts.get(name);
  if (!vhost.exchanges.has(exchange.name)) declareExchange(vhost, exchange);
}

function addQueue({ vhosts }: Definitions, { vhost: name, ...queue }: QueueFields & Named): void {
  const vhost = vhosts.get(name);
  // Exports hold queues with names that the broker gave.
  if (!vhost.queues.has(queue.name)) {
    declareQueue(vhost, { ...queue, exclusive: false, owner: queue, serverNamed: true });
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

/** Parts of a document that this broker has no use for, if there is anything in them. */
const unsupportedParts = ["policies", "parameters"];
/** Global parameters that say something of the cluster the document comes from, not of this broker. */
const foreignParameters = ["cluster_name", "internal_cluster_id", "cluster_tags"];

/** Reads a document and checks each part. */
class DocumentReader {
  readonly #into: Definitions;
  readonly #vhost: string | undefined;
  readonly #vhosts = new Set<string>();
  readonly #users = new Set<string>();
  readonly #exchanges = new Map<string, ExchangeProperties>();

  constructor(into: Definitions, vhost: string | undefined) {
    this.#into = into;
    this.#vhost = vhost;
  }

  read(json: JsonObject): Document {
    this.#refuseUnsupported(json);
    const whole = this.#vhost === undefined ? json : undefined;
    const users = (whole?.objects("users") ?? []).map((fields) => this.#user(fields));
    const vhosts = (whole?.objects("vhosts") ?? []).map((fields) => this.#vhostOf(fields));
    const exchanges = json.objects("exchanges").map((fields) => this.#exchange(fields));
    return {
      users,
      vhosts,
      exchanges,
      permissions: (whole?.objects("permissions") ?? []).map((fields) =>
        permissionFrom(this.#vhostName(fields), this.#username(fields), fields),
      ),
      topicPermissions: (whole?.objects("topic_permissions") ?? []).map((fields) =>
        topicPermissionFrom(this.#vhostName(fields), this.#username(fields), fields),
      ),
      queues: json.objects("queues").map((fields) => {
        const { vhost, name } = this.#named(fields);
        return { vhost, name, ...queueFrom(vhost, name, fields) };
      }),
      bindings: json.objects("bindings").map((fields) => this.#binding(fields)),
    };
  }

  #refuseUnsupported(json: JsonObject): void {
    const parts = unsupportedParts.filter((part) => json.objects(part).length > 0);
    const parameters = json.objects("global_parameters").map((fields) => fields.text("name"));
    const unknown = parameters.filter((name) => !foreignParameters.includes(name));
    const names = [...parts, ...unknown.map((name) => `global parameter '${name}'`)];
    if (names.length > 0) throw invalid(`not supported in definitions: ${names.join(", ")}`);
  }

  #user(fields: JsonObject): User {
    const user = userFrom(fields.text("name"), fields);
    if ((fields.findObject("limits")?.names ?? []).length > 0) {
      throw invalid(`not supported in definitions: limits of user '${user.name}'`);
    }
    this.#users.add(user.name);
    return user;
  }

  #vhostOf(fields: JsonObject): VhostProperties & { readonly name: string } {
    const name = fields.text("name");
    checkVhostName(name);
    if (fields.objects("limits").length > 0) throw invalid(`not supported in definitions: limits of vhost '${name}'`);
    this.#vhosts.add(name);
    const before = this.#into.vhosts.find(name)?.properties;
    const metadata = fields.findObject("metadata");
    return { name, ...vhostFrom(fields, metadata === undefined ? before : vhostFrom(metadata, before)) };
  }

  #exchange(fields: JsonObject): ExchangeProperties & Named {
    const { vhost, name } = this.#named(fields);
    const exists = this.#into.vhosts.find(vhost)?.exchanges.has(name) ?? false;
    if (isReserved(name) && !exists) throw invalid(`exchange name '${name}' contains reserved prefix 'amq.*'`);
    const exchange = { vhost, ...exchangeFrom(vhost, name, fields) };
    this.#exchanges.set(keyOf(vhost, name), exchange);
    return exchange;
  }

  /** Only headers exchanges make something of a binding's arguments: one that nobody sees says whether it can. */
  #binding(fields: JsonObject): BindingDefinition {
    const binding = bindingFrom(this.#vhostName(fields), fields);
    const existing = this.#into.vhosts.find(binding.vhost)?.exchanges.get(binding.source);
    const source = existing ?? this.#exchanges.get(keyOf(binding.vhost, binding.source));
    if (source?.type === "headers") {
      createExchange(source).bind({ name: "", kind: "queue" }, binding.routingKey, binding.arguments);
    }
    return binding;
  }

  #named(fields: JsonObject): Named {
    return { vhost: this.#vhostName(fields), name: fields.text("name") };
  }

  /** The vhost that a part belongs to: it is there, or in the document. */
  #vhostName(fields: JsonObject): string {
    const name = this.#vhost ?? fields.text("vhost");
    if (this.#vhosts.has(name) || this.#into.vhosts.find(name) !== undefined) return name;
    throw invalid(`no vhost '${name}'`);
  }

  #username(fields: JsonObject): string {
    const name = fields.text("user");
    if (this.#users.has(name) || this.#into.users.find(name) !== undefined) return name;
    throw invalid(`no user '${name}'`);
  }
}

/** Names have no limits to what characters are in them, so a separator would not do. */
function keyOf(vhost: string, name: string): string {
  return JSON.stringify([vhost, name]);
}

function invalid(detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", detail);
}
