import { compilePattern, InvalidPatternError, Patterns, quotePattern } from "./patterns.ts";
import type { PermissionDefinition, Store, TopicPermissionDefinition } from "./store/store.ts";

export type Access = "configure" | "write" | "read";

/** Which resources of a vhost a user may configure, write to and read from, as regular expressions. */
export type Permission = Omit<PermissionDefinition, "kind">;

/** Which routing keys of a topic exchange a user may write to and read from, as regular expressions. */
export type TopicPermission = Omit<TopicPermissionDefinition, "kind">;

/** Who may do what, kept in memory and in the store. */
export class Permissions {
  readonly #store: Pick<Store, "define" | "undefine">;
  readonly #byVhost = new Map<string, Map<string, Permission>>();
  readonly #topicsByVhost = new Map<string, Map<string, Map<string, TopicPermission>>>();
  readonly #patterns = new Patterns();
  #version = 0;

  constructor(store: Pick<Store, "define" | "undefine">) {
    this.#store = store;
  }

  /** Grows with every change: an answer holds as long as this stays the same. */
  get version(): number {
    return this.#version;
  }

  /** Takes in a permission that the store already has. */
  restore(definition: PermissionDefinition | TopicPermissionDefinition): void {
    if (definition.kind === "permission") {
      const { kind: _, ...permission } = definition;
      this.#keep(permission);
    } else {
      const { kind: _, ...permission } = definition;
      this.#keepTopic(permission);
    }
  }

  /** Gives a user access to a vhost, or replaces what they had. Throws {@link InvalidPatternError}. */
  set({ vhost, user, configure, write, read }: Permission): void {
    for (const pattern of [configure, write, read]) compilePattern(pattern);
    const permission = { vhost, user, configure, write, read };
    this.#keep(permission);
    this.#store.define({ kind: "permission", ...permission });
  }

  /** Takes a user's access to a vhost away; false when there was none. */
  clear(vhost: string, user: string): boolean {
    const byUser = this.#byVhost.get(vhost);
    if (!byUser?.delete(user)) return false;
    if (byUser.size === 0) this.#byVhost.delete(vhost);
    this.#store.undefine({ kind: "permission", vhost, user });
    this.#changed();
    return true;
  }

  find(vhost: string, user: string): Permission | undefined {
    return this.#byVhost.get(vhost)?.get(user);
  }

  *list(): Iterable<Permission> {
    for (const byUser of this.#byVhost.values()) yield* byUser.values();
  }

  /** Restricts a user's routing keys on an exchange. Throws {@link InvalidPatternError}. */
  setTopic({ vhost, user, exchange, write, read }: TopicPermission): void {
    for (const pattern of [write, read]) compilePattern(expandTopicPattern(pattern, user, vhost));
    const permission = { vhost, user, exchange, write, read };
    this.#keepTopic(permission);
    this.#store.define({ kind: "topic-permission", ...permission });
  }

  /** Lifts the restriction on one exchange; false when there was none. */
  clearTopic(vhost: string, user: string, exchange: string): boolean {
    const byUser = this.#topicsByVhost.get(vhost);
    const byExchange = byUser?.get(user);
    if (!byExchange?.delete(exchange)) return false;
    if (byExchange.size === 0) byUser?.delete(user);
    if (byUser?.size === 0) this.#topicsByVhost.delete(vhost);
    this.#store.undefine({ kind: "topic-permission", vhost, user, exchange });
    this.#changed();
    return true;
  }

  findTopic(vhost: string, user: string, exchange: string): TopicPermission | undefined {
    return this.#topicsByVhost.get(vhost)?.get(user)?.get(exchange);
  }

  *listTopics(): Iterable<TopicPermission> {
    for (const byUser of this.#topicsByVhost.values()) {
      for (const byExchange of byUser.values()) yield* byExchange.values();
    }
  }

  /** Removes every permission of a user who goes away. */
  forgetUser(user: string): void {
    this.#clearWhere((permission) => permission.user === user);
  }

  /** Removes every permission on a vhost that goes away. */
  forgetVhost(vhost: string): void {
    this.#clearWhere((permission) => permission.vhost === vhost);
  }

  /** True when the user may do this with the exchange or queue. The default exchange is checked as `amq.default`. */
  allows(user: string, vhost: string, access: Access, resource: string): boolean {
    const permission = this.find(vhost, user);
    return permission !== undefined && this.#matches(permission[access], resource === "" ? "amq.default" : resource);
  }

  /** True when the user may use the routing key on a topic exchange: where nothing is set, all keys may be used. */
  allowsTopic(user: string, vhost: string, access: "write" | "read", exchange: string, routingKey: string): boolean {
    const permission = this.findTopic(vhost, user, exchange);
    return permission === undefined || this.#matches(expandTopicPattern(permission[access], user, vhost), routingKey);
  }

  /** True when the user may open the vhost at all: with any permission there, even one that matches nothing. */
  allowsVhost(user: string, vhost: string): boolean {
    return this.find(vhost, user) !== undefined;
  }

  #matches(pattern: string, name: string): boolean {
    try {
      return this.#patterns.matches(pattern, name);
    } catch (error) {
      // Only a stored pattern that an older or newer version took can be invalid here. What is not understood is no leave.
      if (error instanceof InvalidPatternError) return false;
      throw error;
    }
  }

  #keep(permission: Permission): void {
    const byUser = this.#byVhost.get(permission.vhost) ?? new Map<string, Permission>();
    this.#byVhost.set(permission.vhost, byUser.set(permission.user, permission));
    this.#changed();
  }

  #keepTopic(permission: TopicPermission): void {
    const byUser = this.#topicsByVhost.get(permission.vhost) ?? new Map<string, Map<string, TopicPermission>>();
    const byExchange = byUser.get(permission.user) ?? new Map<string, TopicPermission>();
    this.#topicsByVhost.set(permission.vhost, byUser.set(permission.user, byExchange));
    byExchange.set(permission.exchange, permission);
    this.#changed();
  }

  #clearWhere(applies: (permission: Permission | TopicPermission) => boolean): void {
    for (const { vhost, user } of [...this.list()].filter(applies)) this.clear(vhost, user);
    for (const { vhost, user, exchange } of [...this.listTopics()].filter(applies))
      this.clearTopic(vhost, user, exchange);
  }

  #changed(): void {
    this.#version++;
    this.#patterns.clear();
  }
}

/** Topic patterns may name the user and the vhost; their names stand for themselves, whatever characters are in them. */
export function expandTopicPattern(pattern: string, user: string, vhost: string): string {
  if (!pattern.includes("{")) return pattern;
  return pattern.replaceAll("{username}", () => quotePattern(user)).replaceAll("{vhost}", () => quotePattern(vhost));
}
