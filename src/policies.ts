import { BrokerError } from "./errors.ts";
import { emptyTable, type FieldTable, type FieldValue } from "./field-table.ts";
import { compilePattern, InvalidPatternError, Patterns } from "./patterns.ts";
import { isForeign, isInteger, parseQueueArguments, queueTypeOf, queueTypes } from "./queue/arguments.ts";
import type { PolicyDefinition, Store } from "./store/store.ts";

/** Rules for the queues and exchanges of a vhost whose names a pattern is found in. */
export type Policy = Omit<PolicyDefinition, "kind">;

/** What a policy may apply to. */
export const policyTargets = ["queues", "classic_queues", "quorum_queues", "streams", "exchanges", "all"] as const;

/** A queue or exchange, as far as policies look at it. */
export interface PolicySubject {
  readonly kind: "queue" | "exchange";
  readonly vhost: string;
  readonly name: string;
  /** Of queue or exchange. */
  readonly type: string;
}

/** What policies say of one queue or exchange. */
export interface EffectivePolicy {
  readonly policy: string | undefined;
  readonly operatorPolicy: string | undefined;
  /** The rules of both; of two numbers the smaller. */
  readonly rules: FieldTable;
}

const noPolicy: EffectivePolicy = { policy: undefined, operatorPolicy: undefined, rules: emptyTable };

/** Numbers of which the smaller counts, whoever set it. */
const bounds = [
  "message-ttl",
  "expires",
  "max-length",
  "max-length-bytes",
  "delivery-limit",
  "consumer-timeout",
  "max-in-memory-length",
  "max-in-memory-bytes",
] as const;
const queueRules = [
  ...bounds,
  "overflow",
  "dead-letter-exchange",
  "dead-letter-routing-key",
  "dead-letter-strategy",
  "delayed-retry-type",
  "delayed-retry-min",
  "delayed-retry-max",
] as const;
const operatorRules: readonly string[] = [...bounds, "overflow"];
/** Rules of RabbitMQ about streams, of which there are none, and how queues are laid out over nodes and memory. */
const idleRules = [
  "max-age",
  "stream-max-segment-size-bytes",
  "stream-filter-size-bytes",
  "ha-mode",
  "ha-params",
  "ha-sync-mode",
  "ha-sync-batch-size",
  "ha-promote-on-shutdown",
  "ha-promote-on-failure",
  "queue-mode",
  "queue-version",
  "queue-master-locator",
  "queue-leader-locator",
  "target-group-size",
  "initial-cluster-size",
];
const userRules: readonly string[] = [...queueRules, "alternate-exchange", ...idleRules];

/** Policies of users and of operators, kept in memory and in the store. */
export class Policies {
  readonly #store: Pick<Store, "define" | "undefine">;
  /** By vhost, the one that counts most first. */
  readonly #users = new Map<string, Policy[]>();
  readonly #operators = new Map<string, Policy[]>();
  readonly #patterns = new Patterns();

  constructor(store: Pick<Store, "define" | "undefine">) {
    this.#store = store;
  }

  /** Takes in a policy that the store already has. */
  restore({ kind: _, ...policy }: PolicyDefinition): void {
    this.#keep(policy);
  }

  /** Adds a policy or replaces the one of that name. {@link checkPolicy} says what it must be like. */
  set(policy: Policy): void {
    checkPolicy(policy);
    this.#keep(policy);
    this.#store.define({ kind: "policy", ...policy });
  }

  /** Removes a policy; false when there was none. */
  clear(operator: boolean, vhost: string, name: string): boolean {
    const policies = this.#of(operator).get(vhost) ?? [];
    const kept = policies.filter((policy) => policy.name !== name);
    if (kept.length === policies.length) return false;
    this.#of(operator).set(vhost, kept);
    if (kept.length === 0) this.#of(operator).delete(vhost);
    this.#store.undefine({ kind: "policy", operator, vhost, name });
    return true;
  }

  find(operator: boolean, vhost: string, name: string): Policy | undefined {
    return this.#of(operator)
      .get(vhost)
      ?.find((policy) => policy.name === name);
  }

  *list(operator: boolean): Iterable<Policy> {
    for (const policies of this.#of(operator).values()) yield* policies;
  }

  /** Removes the policies of a vhost that goes away. */
  forgetVhost(vhost: string): void {
    for (const operator of [false, true]) {
      for (const { name } of this.#of(operator).get(vhost) ?? []) this.clear(operator, vhost, name);
    }
  }

  /** What applies: of each sort the policy of highest priority that fits. */
  effective(subject: PolicySubject): EffectivePolicy {
    const user = this.#match(false, subject);
    const operator = this.#match(true, subject);
    if (user === undefined && operator === undefined) return noPolicy;
    const rules = mergeRules(user?.rules ?? emptyTable, operator?.rules ?? emptyTable);
    return { policy: user?.name, operatorPolicy: operator?.name, rules };
  }

  #match(operator: boolean, subject: PolicySubject): Policy | undefined {
    const policies = this.#of(operator).get(subject.vhost);
    return policies?.find((policy) => appliesTo(policy.applyTo, subject) && this.#fits(policy.pattern, subject.name));
  }

  #fits(pattern: string, name: string): boolean {
    // To a policy the empty pattern is found in every name.
    return pattern === "" || this.#patterns.matches(pattern, name);
  }

  #of(operator: boolean): Map<string, Policy[]> {
    return operator ? this.#operators : this.#users;
  }

  #keep(policy: Policy): void {
    const policies = (this.#of(policy.operator).get(policy.vhost) ?? []).filter(({ name }) => name !== policy.name);
    policies.push(policy);
    policies.sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
    this.#of(policy.operator).set(policy.vhost, policies);
    this.#patterns.clear();
  }
}

function appliesTo(target: string, { kind, type }: PolicySubject): boolean {
  switch (target) {
    case "all":
      return true;
    case "exchanges":
      return kind === "exchange";
    case "queues":
      return kind === "queue";
    default:
      return kind === "queue" && target === `${type}_queues`;
  }
}

/** The arguments a queue has in effect: its own and the rules for it, of two bounds the smaller. */
export function withRules(args: FieldTable, rules: FieldTable): FieldTable {
  if (rules.size === 0) return args;
  const type = queueTypeOf(args);
  const merged = new Map(args);
  for (const name of queueRules) {
    const rule = rules.get(name);
    // A policy may be for queues of several types: each follows what means something to it.
    if (rule === undefined || isForeign(type, `x-${name}`)) continue;
    const own = merged.get(`x-${name}`);
    merged.set(`x-${name}`, isBound(name) ? smaller(own, rule) : (own ?? rule));
  }
  // A policy may name the key for an exchange that a queue has not got.
  if (!merged.has("x-dead-letter-exchange")) merged.delete("x-dead-letter-routing-key");
  return merged;
}

function mergeRules(user: FieldTable, operator: FieldTable): FieldTable {
  const merged = new Map(user);
  for (const [name, rule] of operator) merged.set(name, isBound(name) ? smaller(merged.get(name), rule) : rule);
  return merged;
}

function isBound(name: string): boolean {
  return bounds.some((bound) => bound === name);
}

function smaller(one: FieldValue | undefined, other: FieldValue): FieldValue {
  if (one === undefined || !isInteger(one) || !isInteger(other)) return other;
  // Of delivery limits a negative one is no limit.
  if (one.value < 0) return other;
  if (other.value < 0) return one;
  return one.value < other.value ? one : other;
}

/** Checks that a policy can be followed. Throws PRECONDITION_FAILED. */
export function checkPolicy({ operator, pattern, applyTo, priority, rules }: Policy): void {
  checkPattern(pattern);
  if (!Number.isSafeInteger(priority)) throw invalid("priority should be a number");
  if (!policyTargets.some((target) => target === applyTo)) {
    throw invalid(`apply-to '${applyTo}' unrecognised; should be one of: ${policyTargets.join(", ")}`);
  }
  if (rules.size === 0) throw invalid("no policy provided");
  const known = operator ? operatorRules : userRules;
  const unknown = [...rules.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) throw invalid(`${unknown.join(", ")} are not recognised policy settings`);
  const alternate = rules.get("alternate-exchange");
  if (alternate !== undefined && alternate.type !== "longstr") throw invalid("alternate-exchange should be a name");
  checkValues(rules);
}

function checkPattern(pattern: string): void {
  try {
    compilePattern(pattern);
  } catch (error) {
    if (!(error instanceof InvalidPatternError)) throw error;
    throw invalid(`pattern should be regular expression but is invalid: ${error.message}`);
  }
}

/** Rules mean what the arguments of these names mean, so these say what values they may have. */
function checkValues(rules: FieldTable): void {
  try {
    for (const type of queueTypes) {
      const args: FieldTable = new Map([["x-queue-type", { type: "longstr", value: type }]]);
      parseQueueArguments(withRules(args, rules), "a policy");
    }
  } catch (error) {
    if (error instanceof BrokerError) throw invalid(error.detail);
    throw error;
  }
}

function invalid(detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", `Validation failed\n\n${detail}\n`);
}
