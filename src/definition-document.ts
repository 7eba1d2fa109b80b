import type { Definitions } from "./definition-export.ts";
import {
  bindingFrom,
  exchangeFrom,
  type GivenUser,
  permissionFrom,
  policyFrom,
  type QueueFields,
  queueFrom,
  topicPermissionFrom,
  userFrom,
  vhostFrom,
} from "./definition-fields.ts";
import { BrokerError } from "./errors.ts";
import type { ExchangeProperties } from "./exchange/exchange.ts";
import { createExchange } from "./exchange/exchange-types.ts";
import { JsonObject } from "./json-object.ts";
import { checkLimit, type Limit, type LimitScope } from "./limits.ts";
import { isReserved } from "./names.ts";
import type { Permission, TopicPermission } from "./permissions.ts";
import type { Policy } from "./policies.ts";
import type { BindingDefinition } from "./store/store.ts";
import type { VhostProperties } from "./vhost.ts";
import { checkVhostName } from "./vhosts.ts";

/** A document of definitions, read and checked. */
export interface DefinitionDocument {
  readonly users: readonly GivenUser[];
  readonly vhosts: readonly (VhostProperties & { readonly name: string })[];
  readonly permissions: readonly Permission[];
  readonly policies: readonly Policy[];
  readonly limits: readonly Limit[];
  readonly globalParameters: readonly (readonly [name: string, value: unknown])[];
  readonly topicPermissions: readonly TopicPermission[];
  readonly queues: readonly (QueueFields & Named)[];
  readonly exchanges: readonly (ExchangeProperties & Named)[];
  readonly bindings: readonly BindingDefinition[];
}

/** Something in a vhost. */
export interface Named {
  readonly vhost: string;
  readonly name: string;
}

/** A global parameter that names another cluster for itself: this broker has nothing of the kind. */
const clusterId = "internal_cluster_id";

/** Reads a document and checks each part against the others and what is there. Throws PRECONDITION_FAILED. */
export class DocumentReader {
  readonly #into: Definitions;
  readonly #vhost: string | undefined;
  readonly #vhosts = new Set<string>();
  readonly #users = new Set<string>();
  readonly #limits: Limit[] = [];
  readonly #exchanges = new Map<string, ExchangeProperties & Named>();

  constructor(into: Definitions, vhost: string | undefined) {
    this.#into = into;
    this.#vhost = vhost;
  }

  read(json: JsonObject): DefinitionDocument {
    const whole = this.#vhost === undefined ? json : undefined;
    const users = (whole?.objects("users") ?? []).map((fields) => this.#user(fields));
    const vhosts = (whole?.objects("vhosts") ?? []).map((fields) => this.#vhostOf(fields));
    const exchanges = json.objects("exchanges").map((fields) => this.#exchange(fields));
    const queues = this.#queues(json);
    this.#checkRoom(queues);
    return {
      users,
      vhosts,
      exchanges,
      queues,
      ...this.#rules(json),
      globalParameters: (whole?.objects("global_parameters") ?? [])
        .map((fields) => [fields.text("name"), fields.require("value").value("value")] as const)
        .filter(([name]) => name !== clusterId),
      permissions: (whole?.objects("permissions") ?? []).map((fields) =>
        permissionFrom(this.#vhostName(fields), this.#username(fields), fields),
      ),
      topicPermissions: (whole?.objects("topic_permissions") ?? []).map((fields) =>
        topicPermissionFrom(this.#vhostName(fields), this.#username(fields), fields),
      ),
      bindings: json.objects("bindings").map((fields) => this.#binding(fields)),
    };
  }

  #checkRoom(queues: readonly Named[]): void {
    const { vhosts } = this.#into;
    vhosts.checkRoom({
      vhosts: [...this.#vhosts].filter((name) => vhosts.find(name) === undefined).length,
      queues: countNew(queues, ({ vhost, name }) => vhosts.find(vhost)?.queues.has(name) === true),
      exchanges: countNew(
        this.#exchanges.values(),
        ({ vhost, name }) => vhosts.findExchange(vhost, name) !== undefined,
      ),
    });
  }

  /** Policies and limits, which stand in several places. */
  #rules(json: JsonObject): Pick<DefinitionDocument, "policies" | "limits"> {
    const policies = json.objects("policies").map((fields) => this.#policy(false, fields, fields));
    for (const fields of json.objects("parameters")) {
      const component = fields.require("component", "name", "value").text("component");
      const value = fields.withoutPairs("value").findObject("value") ?? JsonObject.empty;
      if (component === "operator_policy") policies.push(this.#policy(true, fields, value));
      else if (component === "vhost-limits") this.#addLimits("vhost", this.#vhostName(fields), value);
      else throw invalid(`not supported in definitions: parameters of component '${component}'`);
    }
    return { policies, limits: this.#limits };
  }

  #policy(operator: boolean, named: JsonObject, fields: JsonObject): Policy {
    const { vhost, name } = this.#named(named);
    try {
      return policyFrom(operator, vhost, name, fields.withoutPairs("definition"));
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      // RabbitMQ's words alone do not say which of many policies they are about.
      throw error.about(`policy '${name}' in vhost '${vhost}'`);
    }
  }

  #addLimits(scope: LimitScope, subject: string, values: JsonObject): void {
    for (const name of values.names) {
      const limit = { scope, subject, name, value: values.findInteger(name) ?? -1 };
      checkLimit(limit);
      this.#limits.push(limit);
    }
  }

  #user(fields: JsonObject): GivenUser {
    const user = userFrom(fields.text("name"), fields, this.#into.config.passwordHashing);
    this.#addLimits("user", user.name, limitsOf(fields));
    this.#users.add(user.name);
    return user;
  }

  #vhostOf(fields: JsonObject): VhostProperties & { readonly name: string } {
    const name = fields.text("name");
    checkVhostName(name);
    this.#vhosts.add(name);
    this.#addLimits("vhost", name, limitsOf(fields));
    const before = this.#into.vhosts.find(name)?.properties;
    const metadata = fields.findObject("metadata");
    return { name, ...vhostFrom(fields, metadata === undefined ? before : vhostFrom(metadata, before)) };
  }

  #queues(json: JsonObject): (QueueFields & Named)[] {
    const added = new Map<string, number>();
    return json.objects("queues").map((fields) => {
      const { vhost, name } = this.#named(fields);
      const queues = this.#into.vhosts.find(vhost)?.queues;
      if (!queues?.has(name)) added.set(vhost, (added.get(vhost) ?? queues?.size ?? 0) + 1);
      const most = this.#into.limits.most("vhost", vhost, "max-queues");
      if ((added.get(vhost) ?? 0) > most) throw invalid(`queue limit in vhost '${vhost}' (${most}) is reached`);
      return { vhost, name, ...queueFrom(vhost, name, fields) };
    });
  }

  #exchange(fields: JsonObject): ExchangeProperties & Named {
    const { vhost, name } = this.#named(fields);
    // Exports of rabbitmqctl hold amq.rabbitmq.log, which the broker makes itself.
    if (isReserved(name) && this.#into.vhosts.findExchange(vhost, name) === undefined)
      throw invalid(`exchange name '${name}' contains reserved prefix 'amq.*'`);
    const exchange = { vhost, ...exchangeFrom(vhost, name, fields) };
    // Types differ in what arguments they take: one that nobody sees says whether these will do.
    createExchange(exchange);
    this.#exchanges.set(keyOf(vhost, name), exchange);
    return exchange;
  }

  /** What can be bound differs with the type of the exchange: one that nobody sees says whether this can. */
  #binding(fields: JsonObject): BindingDefinition {
    const binding = bindingFrom(this.#vhostName(fields), fields);
    const existing = this.#into.vhosts.findExchange(binding.vhost, binding.source);
    const source = existing ?? this.#exchanges.get(keyOf(binding.vhost, binding.source));
    const destination = { name: "", kind: binding.destinationKind, type: "classic" };
    if (source !== undefined) createExchange(source).bind(destination, binding.routingKey, binding.arguments);
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

/** Limits as an object, as pairs, or as a list of objects with names and values. */
function limitsOf(given: JsonObject): JsonObject {
  const fields = given.withoutPairs("limits");
  if (!Array.isArray(fields.value("limits"))) return fields.findObject("limits") ?? JsonObject.empty;
  return new JsonObject(new Map(fields.objects("limits").map((limit) => [limit.text("name"), limit.value("value")])));
}

/** Names have no limits to what characters are in them, so a separator would not do. */
function keyOf(vhost: string, name: string): string {
  return JSON.stringify([vhost, name]);
}

function countNew(parts: Iterable<Named>, isThere: (part: Named) => boolean): number {
  const added = [...parts].filter((part) => !isThere(part));
  return new Set(added.map(({ vhost, name }) => keyOf(vhost, name))).size;
}

function invalid(detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", detail);
}
