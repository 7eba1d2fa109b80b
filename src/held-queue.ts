import type { Clock } from "./clock.ts";
import type { FieldTable } from "./field-table.ts";
import type { QueueOptions } from "./queue/arguments.ts";
import type { DeathReason, Grave } from "./queue/dead-letter.ts";
import { DeathCounts } from "./queue/death-counts.ts";
import { MessageLatency } from "./queue/message-latency.ts";
import { Queue, type QueueHost, type QueueProperties } from "./queue/queue.ts";
import type { Segment } from "./queue/segment.ts";
import type { SegmentMemory } from "./queue/segment-memory.ts";
import type { Pages } from "./store/pages.ts";
import type { Store } from "./store/store.ts";

/** What exchanges keep messages for. */
export type HoldingPurpose = "delayed-message" | "recent-history";

const prefixes: Readonly<Record<HoldingPurpose, string>> = {
  "delayed-message": "amq.delayed.",
  "recent-history": "amq.history.",
};

/** An exchange that keeps messages. */
export interface Holder {
  readonly purpose: HoldingPurpose;
  readonly exchange: string;
}

/** Which exchange keeps messages in a stored queue; undefined for a queue of a client's. */
export function holderOf(queue: Pick<QueueProperties, "name" | "arguments">): Holder | undefined {
  const { name, arguments: args } = queue;
  const purpose = args.get("x-internal-purpose");
  const said = purpose?.type === "longstr" ? purpose.value.toString() : "";
  if (said !== "delayed-message" && said !== "recent-history") return undefined;
  const prefix = prefixes[said];
  return name.startsWith(prefix) ? { purpose: said, exchange: name.slice(prefix.length) } : undefined;
}

/** What held messages need of the vhost they are in. */
export interface HoldingVhost {
  readonly name: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly pages: Pages | undefined;
  readonly memory: SegmentMemory;
  nextSegment(): number;
  messagesLost(queue: Queue, count: number, error: Error): void;
  damageSettled(segment: number): void;
}

/** Messages that an exchange keeps, in a queue that nobody else sees: so they are stored and paged as those in queues are. */
export abstract class HeldQueue implements QueueHost {
  readonly name: string;
  /** Of no interest: nobody gets messages from here. */
  readonly deaths = new DeathCounts();
  readonly latency = new MessageLatency();
  protected readonly queue: Queue;
  readonly #vhost: HoldingVhost;

  constructor(
    vhost: HoldingVhost,
    exchange: string,
    held: {
      readonly purpose: HoldingPurpose;
      readonly id: number;
      readonly durable: boolean;
      readonly options: QueueOptions;
    },
  ) {
    this.#vhost = vhost;
    this.name = prefixes[held.purpose] + exchange;
    const properties: QueueProperties = {
      name: this.name,
      vhost: vhost.name,
      id: held.id,
      durable: held.durable,
      autoDelete: false,
      exclusiveOwner: undefined,
      arguments: argumentsFor(held.purpose),
    };
    this.queue = new Queue(this, properties, { ...held.options, storesAll: true });
  }

  /** Its queue's definition in the store. */
  get definition() {
    const { name, vhost, id, autoDelete, arguments: args } = this.queue;
    return { kind: "queue", name, vhost, id, autoDelete, arguments: args } as const;
  }

  get id(): number {
    return this.queue.id;
  }

  get clock(): Clock {
    return this.#vhost.clock;
  }

  get store(): Store {
    return this.#vhost.store;
  }

  get pages(): Pages | undefined {
    return this.#vhost.pages;
  }

  get memory(): SegmentMemory {
    return this.#vhost.memory;
  }

  nextSegment(): number {
    return this.#vhost.nextSegment();
  }

  damageSettled(segment: number): void {
    this.#vhost.damageSettled(segment);
  }

  messagesLost(queue: Queue, count: number, error: Error): void {
    this.#vhost.messagesLost(queue, count, error);
  }

  /** Takes in a segment that the store holds. */
  restore(segment: Segment): void {
    this.queue.restore(segment);
  }

  /** Forgets all of them. */
  delete(): void {
    this.queue.delete();
  }

  abstract deadLetter(queue: Grave, reason: DeathReason, bytes: Buffer, start: number, end: number): void;

  // Nobody consumes from it, and it does not expire.
  lastConsumerGone(): void {}
  queueExpired(): void {}
}

/** Tells the queues that exchanges keep messages in from those of clients. */
function argumentsFor(purpose: HoldingPurpose): FieldTable {
  return new Map([["x-internal-purpose", { type: "longstr", value: purpose }]]);
}
