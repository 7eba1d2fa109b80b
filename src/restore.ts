import type { GlobalParameters } from "./global-parameters.ts";
import { type Holder, holderOf } from "./held-queue.ts";
import type { KeptHistory } from "./kept-history.ts";
import type { Limits } from "./limits.ts";
import type { Permissions } from "./permissions.ts";
import type { Policies } from "./policies.ts";
import type { Queue } from "./queue/queue.ts";
import { Segment } from "./queue/segment.ts";
import {
  type BindingDefinition,
  type Damage,
  type Definition,
  type ExchangeDefinition,
  type QueueDefinition,
  type StoredSegment,
  type StoredState,
  StoreError,
} from "./store/store.ts";
import { addExchange, restoreBinding, restoreDelayed, restoreHistory, restoreQueue } from "./topology.ts";
import type { Users } from "./users.ts";
import type { Vhost } from "./vhost.ts";
import type { Vhosts } from "./vhosts.ts";

/** What a restored broker is put into. */
export interface Restorable {
  readonly users: Users;
  readonly permissions: Permissions;
  readonly policies: Policies;
  readonly limits: Limits;
  readonly globalParameters: GlobalParameters;
  readonly vhosts: Vhosts;
  /** Told of messages that belong to no queue. */
  storeDamaged(damage: Damage): void;
}

/** Whose messages the store holds: a queue, or an exchange that keeps them. */
type StoredQueue = Pick<Queue, "restore" | "store" | "memory">;

/** What names or rules another thing comes after or before it: bindings last, policies ahead of queues. */
const order = [
  "vhost",
  "user",
  "permission",
  "topic-permission",
  "policy",
  "limit",
  "global-parameter",
  "exchange",
  "queue",
  "binding",
] as const;

/** Queues whose next messages are read at a start; those of the others are when somebody asks for them. */
const readAheadQueues = 32;

/** Brings back what the store holds: definitions first, then to each queue the segments of its messages. */
export class Restorer {
  readonly #target: Restorable;
  readonly #queues = new Map<number, StoredQueue>();
  readonly #queueIds = new Set<number>();
  readonly #histories: KeptHistory[] = [];

  constructor(target: Restorable) {
    this.#target = target;
  }

  async restore(state: StoredState): Promise<void> {
    for (const kind of order) {
      for (const definition of state.definitions) if (definition.kind === kind) this.#define(definition);
    }
    for (const segment of state.segments) this.#segment(segment);
    this.#readAhead();
    // What is bound gets it at once, so it has to be there before anybody can bind.
    for (const history of this.#histories) await history.load();
  }

  /** The first to ask for messages should not have to wait for the disk. */
  #readAhead(): void {
    const queues = [...this.#target.vhosts.list()].flatMap((vhost) => [...vhost.queues.values()]);
    const holding = queues.filter((queue) => queue.ready > 0);
    for (const queue of holding.slice(0, readAheadQueues)) queue.readAhead();
  }

  #define(definition: Definition): void {
    switch (definition.kind) {
      case "vhost":
        this.#target.vhosts.restore(definition);
        break;
      case "user":
        this.#target.users.restore(definition);
        break;
      case "permission":
      case "topic-permission":
        this.#target.permissions.restore(definition);
        break;
      case "policy":
        this.#target.policies.restore(definition);
        break;
      case "limit":
        this.#target.limits.restore(definition);
        break;
      case "global-parameter":
        this.#target.globalParameters.restore(definition);
        break;
      case "exchange":
        this.#exchange(definition);
        break;
      case "queue":
        this.#queue(definition);
        break;
      case "binding":
        this.#binding(definition);
        break;
      default:
        definition satisfies never;
    }
  }

  #exchange({ kind: _, vhost, ...properties }: ExchangeDefinition): void {
    addExchange(this.#vhost(vhost, properties.name), { ...properties, durable: true });
  }

  #queue({ kind: _, ...properties }: QueueDefinition): void {
    const vhost = this.#vhost(properties.vhost, properties.name);
    this.#queueIds.add(properties.id);
    const holder = holderOf(properties);
    if (holder !== undefined) return this.#held(vhost, holder, properties.id);
    const queue = restoreQueue(vhost, { ...properties, durable: true, exclusiveOwner: undefined });
    this.#queues.set(queue.id, queue);
  }

  #held(vhost: Vhost, { purpose, exchange }: Holder, id: number): void {
    if (purpose === "delayed-message") {
      this.#queues.set(id, restoreDelayed(vhost, exchange, id));
      return;
    }
    const history = restoreHistory(vhost, exchange, id);
    if (history === undefined) return;
    this.#queues.set(id, history);
    this.#histories.push(history);
  }

  #binding(definition: BindingDefinition): void {
    restoreBinding(this.#vhost(definition.vhost, definition.destination), definition);
  }

  /** They are defined and removed together. */
  #vhost(name: string, holds: string): Vhost {
    const vhost = this.#target.vhosts.find(name);
    if (vhost !== undefined) return vhost;
    throw new StoreError(
      `the data file is damaged: it has '${holds}' in vhost '${name}', and no such vhost; restore a backup`,
    );
  }

  #segment(row: StoredSegment): void {
    const queue = this.#queues.get(row.queueId);
    if (!this.#queueIds.has(row.queueId)) {
      this.#target.storeDamaged({ vhost: "", queue: "", segment: row.number, messages: row.count });
    }
    queue?.restore(Segment.stored(row, queue.store, queue.memory));
  }
}
