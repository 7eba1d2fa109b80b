import { delayedExchangeOf } from "./delayed-messages.ts";
import type { GlobalParameters } from "./global-parameters.ts";
import type { Limits } from "./limits.ts";
import type { Permissions } from "./permissions.ts";
import type { Policies } from "./policies.ts";
import type { Queue } from "./queue/queue.ts";
import { Segment } from "./queue/segment.ts";
import type {
  BindingDefinition,
  Definition,
  ExchangeDefinition,
  QueueDefinition,
  StoredSegment,
  StoredState,
} from "./store/store.ts";
import { addExchange, restoreBinding, restoreDelayed, restoreQueue } from "./topology.ts";
import type { Users } from "./users.ts";
import type { Vhosts } from "./vhosts.ts";

/** What a restored broker is put into. */
export interface Restorable {
  readonly users: Users;
  readonly permissions: Permissions;
  readonly policies: Policies;
  readonly limits: Limits;
  readonly globalParameters: GlobalParameters;
  readonly vhosts: Vhosts;
}

/** Whose messages the store holds: a queue, or an exchange that delays them. */
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

  constructor(target: Restorable) {
    this.#target = target;
  }

  restore(state: StoredState): void {
    for (const kind of order) {
      for (const definition of state.definitions) if (definition.kind === kind) this.#define(definition);
    }
    for (const segment of state.segments) this.#segment(segment);
    this.#readAhead();
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
    const found = this.#target.vhosts.find(vhost);
    if (found !== undefined) addExchange(found, { ...properties, durable: true });
  }

  #queue({ kind: _, ...properties }: QueueDefinition): void {
    const vhost = this.#target.vhosts.find(properties.vhost);
    if (vhost === undefined) return;
    const exchange = delayedExchangeOf(properties);
    if (exchange !== undefined) {
      const delayed = restoreDelayed(vhost, exchange, properties.id);
      this.#queues.set(delayed.id, delayed);
      return;
    }
    const queue = restoreQueue(vhost, { ...properties, durable: true, exclusiveOwner: undefined });
    this.#queues.set(queue.id, queue);
  }

  #binding(definition: BindingDefinition): void {
    const vhost = this.#target.vhosts.find(definition.vhost);
    if (vhost !== undefined) restoreBinding(vhost, definition);
  }

  #segment(row: StoredSegment): void {
    const queue = this.#queues.get(row.queueId);
    queue?.restore(Segment.stored(row, queue.store, queue.memory));
  }
}
