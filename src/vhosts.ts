import type { ConnectionRegistry } from "./connections.ts";
import { BrokerError } from "./errors.ts";
import type { ExchangeProperties } from "./exchange/exchange.ts";
import { checkNameSize } from "./names.ts";
import type { Permissions } from "./permissions.ts";
import type { QueueType } from "./queue/arguments.ts";
import type { Store, VhostDefinition } from "./store/store.ts";
import { declarePredefined, predefinedCount, predefinedExchanges, removeEverything, removeQueue } from "./topology.ts";
import { TrafficTotals } from "./traffic-totals.ts";
import { Vhost, type VhostHost, type VhostProperties, type VhostTotals } from "./vhost.ts";

/** What the vhosts need of the broker they are in. */
export interface VhostsHost extends VhostHost {
  readonly permissions: Permissions;
  readonly connections: ConnectionRegistry;
  /** The vhost where the broker says what it does. */
  readonly defaultVhost: string;
  /** What queues of a new vhost are that do not say it; undefined for classic. */
  readonly defaultQueueType: QueueType | undefined;
  /** Where vhosts are defined. */
  readonly definitions: Pick<Store, "define" | "undefine">;
}

/** What is said of a vhost of which nothing was said. */
export const newVhost: VhostProperties = {
  description: "",
  tags: [],
  defaultQueueType: undefined,
  protectedFromDeletion: false,
};

/** All virtual hosts, kept in memory and in the store. */
export class Vhosts {
  readonly #host: VhostsHost;
  readonly #byName = new Map<string, Vhost>();
  /** Of those that have gone. */
  readonly #gone = new TrafficTotals();

  constructor(host: VhostsHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Counted anew each time: vhosts are few. */
  get totals(): VhostTotals {
    let [queues, exchanges] = [0, 0];
    for (const vhost of this.#byName.values()) {
      queues += vhost.queues.size;
      exchanges += vhost.exchanges.size;
    }
    return { queues, exchanges };
  }

  find(name: string): Vhost | undefined {
    return this.#byName.get(name);
  }

  get(name: string): Vhost {
    const vhost = this.find(name);
    if (vhost === undefined) throw new BrokerError("NOT_FOUND", `no vhost '${name}'`);
    return vhost;
  }

  /** An exchange of a vhost, or one that it will start with when it is yet to be made. */
  findExchange(vhost: string, name: string): ExchangeProperties | undefined {
    const existing = this.find(vhost);
    if (existing !== undefined) return existing.exchanges.get(name);
    return predefinedExchanges(vhost === this.#host.defaultVhost).find((exchange) => exchange.name === name);
  }

  list(): Iterable<Vhost> {
    return this.#byName.values();
  }

  /** What went through all of them since the broker started. */
  traffic(): TrafficTotals {
    const totals = new TrafficTotals();
    totals.add(this.#gone.publishes, this.#gone.queues);
    for (const vhost of this.list()) totals.addVhost(vhost);
    return totals;
  }

  /** Takes in a vhost that the store already has; what is in it follows. */
  restore({ kind: _, name, ...properties }: VhostDefinition): void {
    this.#add(name, properties);
  }

  /** Adds a vhost with the exchanges that every one has, or changes what is said of the one of that name. */
  put(name: string, properties: VhostProperties): void {
    checkVhostName(name);
    const existing = this.find(name);
    const { description, tags, protectedFromDeletion } = properties;
    const usual = existing === undefined ? this.#host.defaultQueueType : undefined;
    const defaultQueueType = properties.defaultQueueType ?? usual;
    const kept = { description, tags: [...tags], defaultQueueType, protectedFromDeletion };
    if (existing === undefined) {
      this.#checkLimit("vhosts", this.size + 1, (most) => `cannot create vhost '${name}': vhost limit of ${most}`);
      this.#add(name, kept);
    } else existing.properties = kept;
    this.#host.definitions.define({ kind: "vhost", name, ...kept });
  }

  /** Checks that so many more can be made at once. Throws PRECONDITION_FAILED. */
  checkRoom(added: VhostTotals & { readonly vhosts: number }): void {
    const { queues, exchanges } = this.totals;
    const withOwn = exchanges + added.exchanges + added.vhosts * predefinedCount;
    this.#checkLimit("vhosts", this.size + added.vhosts, (most) => `vhost limit of ${most}`);
    this.#checkLimit("queues", queues + added.queues, (most) => `queue limit in cluster (${most})`);
    this.#checkLimit("exchanges", withOwn, (most) => `exchange limit of ${most}`);
  }

  #checkLimit(name: "vhosts" | "queues" | "exchanges", count: number, limit: (most: number) => string): void {
    const most = this.#host.config.limits[name];
    if (count > most) throw new BrokerError("PRECONDITION_FAILED", `${limit(most)} is reached`);
  }

  #add(name: string, properties: VhostProperties): void {
    const vhost = new Vhost(name, properties, this.#host, removeQueue);
    declarePredefined(vhost, name === this.#host.defaultVhost);
    this.#byName.set(name, vhost);
  }

  /**
   * Deletes a vhost with all that is in it and closes the connections to it. Throws NOT_FOUND, and PRECONDITION_FAILED
   * for one that is protected.
   */
  delete(name: string): void {
    const vhost = this.get(name);
    if (vhost.properties.protectedFromDeletion) throw new BrokerError("PRECONDITION_FAILED", protectedText(name));
    // First of all nobody new may come in, then those inside leave.
    this.#byName.delete(name);
    this.#host.connections.closeVhost(name);
    removeEverything(vhost);
    this.#gone.addVhost(vhost);
    this.#host.permissions.forgetVhost(name);
    this.#host.policies.forgetVhost(name);
    this.#host.limits.forget("vhost", name);
    this.#host.definitions.undefine({ kind: "vhost", name });
  }
}

/** Why a vhost cannot be deleted, in RabbitMQ's words. */
export function protectedText(name: string): string {
  return `Refusing to delete virtual host '${name}' because it is protected from deletion`;
}

/** Throws PRECONDITION_FAILED for a name that no vhost can have. */
export function checkVhostName(name: string): void {
  if (name === "") throw new BrokerError("PRECONDITION_FAILED", "a vhost needs a name");
  checkNameSize("vhost", name);
}
