import { BrokerError } from "./errors.ts";
import type { LimitDefinition, Store } from "./store/store.ts";

/** Most of something that a vhost or a user may have. A negative value is no limit. */
export type Limit = Omit<LimitDefinition, "kind">;

export type LimitScope = Limit["scope"];

/** What can be limited. */
const limitNames = {
  vhost: ["max-connections", "max-queues"],
  user: ["max-connections", "max-channels"],
} as const;

export type LimitName = (typeof limitNames)[LimitScope][number];

/** The limits of vhosts and users, kept in memory and in the store. */
export class Limits {
  readonly #store: Pick<Store, "define" | "undefine">;
  readonly #vhosts = new Map<string, Map<string, number>>();
  readonly #users = new Map<string, Map<string, number>>();

  constructor(store: Pick<Store, "define" | "undefine">) {
    this.#store = store;
  }

  /** Takes in a limit that the store already has. */
  restore(limit: LimitDefinition): void {
    this.#keep(limit);
  }

  /** Sets a limit. {@link checkLimit} says what it must be like. */
  set({ scope, subject, name, value }: Limit): void {
    const limit = { scope, subject, name, value };
    checkLimit(limit);
    this.#keep(limit);
    this.#store.define({ kind: "limit", ...limit });
  }

  /** Lifts a limit; false when there was none. */
  clear(scope: LimitScope, subject: string, name: string): boolean {
    const limits = this.#of(scope).get(subject);
    if (!limits?.delete(name)) return false;
    if (limits.size === 0) this.#of(scope).delete(subject);
    this.#store.undefine({ kind: "limit", scope, subject, name });
    return true;
  }

  /** The limits that are set, by name. */
  of(scope: LimitScope, subject: string): ReadonlyMap<string, number> {
    return this.#of(scope).get(subject) ?? new Map();
  }

  /** The limit in effect; infinite when there is none. */
  most(scope: LimitScope, subject: string, name: LimitName): number {
    const value = this.#of(scope).get(subject)?.get(name) ?? -1;
    return value < 0 ? Number.POSITIVE_INFINITY : value;
  }

  /** Lifts the limits of a vhost or user that goes away. */
  forget(scope: LimitScope, subject: string): void {
    for (const name of [...this.of(scope, subject).keys()]) this.clear(scope, subject, name);
  }

  #of(scope: LimitScope): Map<string, Map<string, number>> {
    return scope === "vhost" ? this.#vhosts : this.#users;
  }

  #keep({ scope, subject, name, value }: Limit): void {
    const limits = this.#of(scope).get(subject) ?? new Map<string, number>();
    this.#of(scope).set(subject, limits.set(name, value));
  }
}

/** Checks that a limit can be set. Throws PRECONDITION_FAILED. */
export function checkLimit({ scope, name, value }: Limit): void {
  const names: readonly string[] = limitNames[scope];
  if (!names.includes(name)) throw invalid(`Unrecognised limit '${name}': there are ${names.join(" and ")}`);
  if (!Number.isSafeInteger(value)) throw invalid(`${name} should be a number`);
}

function invalid(detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", `Validation failed\n\n${detail}\n`);
}
