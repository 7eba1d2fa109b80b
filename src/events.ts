import { InternalPublisher, type PublishingVhost } from "./internal-publisher.ts";
import { tableFromPlain } from "./plain-table.ts";
import type { Definition, DefinitionKey, Store, UserDefinition } from "./store/store.ts";

/** The exchange that says what happens in the broker. */
export const eventExchange = "amq.rabbitmq.event";

/** What is said of an event: its headers, as JSON. */
export type EventFields = Readonly<Record<string, unknown>>;

/** Hears of what happens in the broker. */
export interface EventSink {
  /** Whether anybody listens. */
  readonly isHeard: boolean;
  /** `key` is the routing key, such as queue.created; nobody is asked for `fields` unless somebody listens. */
  emit(key: string, fields: () => EventFields): void;
}

/** Publishes events of the broker to amq.rabbitmq.event of the default vhost. */
export class Events implements EventSink {
  readonly #publisher: InternalPublisher;
  readonly #now: () => number;

  constructor(vhost: () => PublishingVhost | undefined, now: () => number) {
    this.#publisher = new InternalPublisher(vhost, eventExchange);
    this.#now = now;
  }

  get isHeard(): boolean {
    return this.#publisher.isHeard;
  }

  emit(key: string, fields: () => EventFields): void {
    if (!this.isHeard) return;
    const now = this.#now();
    const headers = tableFromPlain({ ...fields(), timestamp_in_ms: now });
    const properties = { delivery_mode: 2, timestamp: Math.floor(now / 1000) };
    this.#publisher.publish({ routingKey: key, properties, headers, body: Buffer.alloc(0) });
  }
}

/** A store that tells of definitions as events; but for exchanges, queues and bindings, of which some are not stored. */
export class DefinitionEvents implements Pick<Store, "define" | "undefine"> {
  readonly #store: Pick<Store, "define" | "undefine">;
  readonly #events: EventSink;
  /** Users and vhosts that are there: what is defined anew is a change of those. */
  readonly #users = new Map<string, UserDefinition>();
  readonly #vhosts = new Set<string>();

  constructor(store: Pick<Store, "define" | "undefine">, events: EventSink) {
    this.#store = store;
    this.#events = events;
  }

  /** Notes a definition that the store had at the start. */
  restore(definition: Definition): void {
    if (definition.kind === "user") this.#users.set(definition.name, definition);
    if (definition.kind === "vhost") this.#vhosts.add(definition.name);
  }

  define(definition: Definition): void {
    this.#store.define(definition);
    this.#defined(definition);
    this.restore(definition);
  }

  undefine(key: DefinitionKey): void {
    this.#store.undefine(key);
    this.#undefined(key);
  }

  #defined(definition: Definition): void {
    switch (definition.kind) {
      case "user":
        return this.#userDefined(definition);
      case "vhost":
        if (!this.#vhosts.has(definition.name)) this.#events.emit("vhost.created", () => ({ name: definition.name }));
        return;
      case "permission":
      case "topic-permission": {
        const { kind, ...fields } = definition;
        return this.#events.emit(`${kind.replace("-", ".")}.created`, () => fields);
      }
      case "policy": {
        const { vhost, name, pattern, applyTo, priority } = definition;
        return this.#events.emit("policy.set", () => ({ vhost, name, pattern, "apply-to": applyTo, priority }));
      }
      case "limit":
        return this.#limit(definition.scope, definition.subject, "set", { [definition.name]: definition.value });
      case "global-parameter":
        return this.#events.emit("parameter.set", () => ({ name: definition.name, value: definition.value }));
      case "exchange":
      case "queue":
      case "binding":
        return;
      default:
        definition satisfies never;
    }
  }

  #userDefined(user: UserDefinition): void {
    const { name, tags } = user;
    const before = this.#users.get(name);
    if (before === undefined) this.#events.emit("user.created", () => ({ name }));
    else if (before.passwordHash !== user.passwordHash) {
      this.#events.emit(user.passwordHash === "" ? "user.password.cleared" : "user.password.changed", () => ({ name }));
    }
    if ((before?.tags ?? []).join() !== tags.join()) this.#events.emit("user.tags.set", () => ({ name, tags }));
  }

  #undefined(key: DefinitionKey): void {
    switch (key.kind) {
      case "user":
        this.#users.delete(key.name);
        return this.#events.emit("user.deleted", () => ({ name: key.name }));
      case "vhost":
        this.#vhosts.delete(key.name);
        return this.#events.emit("vhost.deleted", () => ({ name: key.name }));
      case "permission":
      case "topic-permission": {
        const { kind, ...fields } = key;
        return this.#events.emit(`${kind.replace("-", ".")}.deleted`, () => fields);
      }
      case "policy":
        return this.#events.emit("policy.cleared", () => ({ vhost: key.vhost, name: key.name }));
      case "limit":
        return this.#limit(key.scope, key.subject, "cleared", { name: key.name });
      case "global-parameter":
        return this.#events.emit("parameter.cleared", () => ({ name: key.name }));
      case "exchange":
      case "queue":
      case "binding":
        return;
      default:
        key satisfies never;
    }
  }

  #limit(scope: "vhost" | "user", subject: string, what: "set" | "cleared", fields: EventFields): void {
    this.#events.emit(`${scope}.limits.${what}`, () => ({ [scope]: subject, ...fields }));
  }
}
