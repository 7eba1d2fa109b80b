import { BrokerError } from "./errors.ts";
import { parseJson, writeJson } from "./exact-json.ts";
import type { GlobalParameterDefinition, Store } from "./store/store.ts";

/** The name that is the cluster's. */
const clusterNameKey = "cluster_name";

/** Values of JSON that are the broker's as a whole, by name, kept in memory and in the store. */
export class GlobalParameters {
  readonly #store: Pick<Store, "define" | "undefine">;
  readonly #byName = new Map<string, unknown>();
  readonly #clusterName: string;

  /** `clusterName` counts until another one is set. */
  constructor(store: Pick<Store, "define" | "undefine">, clusterName: string) {
    this.#store = store;
    this.#clusterName = clusterName;
  }

  /** Takes in a parameter that the store already has. */
  restore({ name, value }: GlobalParameterDefinition): void {
    this.#byName.set(name, parseJson(value));
  }

  /** Sets a parameter. Throws PRECONDITION_FAILED for a value that cannot be written. */
  set(name: string, value: unknown): void {
    const json = jsonOf(name, value);
    this.#byName.set(name, value);
    this.#store.define({ kind: "global-parameter", name, value: json });
  }

  /** Removes a parameter; false when there was none. */
  clear(name: string): boolean {
    if (!this.#byName.delete(name)) return false;
    this.#store.undefine({ kind: "global-parameter", name });
    return true;
  }

  find(name: string): unknown {
    return this.#byName.get(name) ?? (name === clusterNameKey ? this.#clusterName : undefined);
  }

  list(): Iterable<readonly [string, unknown]> {
    return new Map<string, unknown>([[clusterNameKey, this.#clusterName], ...this.#byName]);
  }

  /** What clients and management are told this broker's cluster is called. */
  get clusterName(): string {
    const name = this.#byName.get(clusterNameKey);
    return typeof name === "string" ? name : this.#clusterName;
  }

  set clusterName(name: string) {
    this.set(clusterNameKey, name);
  }
}

function jsonOf(name: string, value: unknown): string {
  try {
    return writeJson(value);
  } catch (cause) {
    // The engine reads deeper than it writes.
    if (!(cause instanceof RangeError)) throw cause;
    throw invalid(`the value of '${name}' is nested too deep`, { cause });
  }
}

function invalid(detail: string, options: ErrorOptions): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", detail, options);
}
