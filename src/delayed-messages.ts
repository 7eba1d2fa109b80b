import type { Clock } from "./clock.ts";
import { Deferred } from "./deferred.ts";
import { negateDelay } from "./delay-header.ts";
import { delayMsOf } from "./exchange/delayed.ts";
import { parseExpiration } from "./expiration.ts";
import { emptyTable, type FieldTable } from "./field-table.ts";
import { MessageContent, withoutBcc } from "./message-content.ts";
import { parseQueueArguments } from "./queue/arguments.ts";
import type { DeathReason, Grave } from "./queue/dead-letter.ts";
import { DeathCounts } from "./queue/death-counts.ts";
import { MessageLatency } from "./queue/message-latency.ts";
import { type Enqueued, Queue, type QueueHost, type QueueProperties } from "./queue/queue.ts";
import type { Segment } from "./queue/segment.ts";
import type { SegmentMemory } from "./queue/segment-memory.ts";
import { Message } from "./record.ts";
import { editRecord } from "./record-edit.ts";
import type { Route, Target } from "./route.ts";
import { mayBeSenderSelected, senderSelected } from "./sender-selected.ts";
import type { Pages } from "./store/pages.ts";
import type { CommitWaiter, Store } from "./store/store.ts";

const holdPrefix = "amq.delayed.";
/** Tells the queues that exchanges wait in from those of clients. */
const holdArguments: FieldTable = new Map([["x-internal-purpose", { type: "longstr", value: "delayed-message" }]]);

/** The exchange whose messages wait in a stored queue of this name; undefined for a queue of a client's. */
export function delayedExchangeOf({ name, arguments: args }: Pick<QueueProperties, "name" | "arguments">) {
  return name.startsWith(holdPrefix) && args.has("x-internal-purpose") ? name.slice(holdPrefix.length) : undefined;
}

/** What delayed messages need of the vhost they are in. */
export interface DelayingVhost {
  readonly name: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly pages: Pages | undefined;
  readonly memory: SegmentMemory;
  readonly counters: { dropped: number };
  nextSegment(): number;
  messagesLost(queue: Queue, count: number, error: Error): void;
  /** Routes a message whose time has come. */
  routeWaited(exchange: string, routingKeys: readonly string[], content: MessageContent): Pick<Route, "targets">;
}

/**
 * The messages that an x-delayed-message exchange has yet to route. They are in a queue that nobody else sees, where
 * each "expires" when its time has come: so they are stored, paged and timed as messages in queues are.
 */
export class DelayedMessages implements QueueHost, Target {
  readonly name: string;
  readonly behind = false;
  /** Of no interest: messages wait here and do not die. */
  readonly deaths = new DeathCounts();
  readonly latency = new MessageLatency();
  readonly #vhost: DelayingVhost;
  readonly #queue: Queue;
  readonly #message = new Message();
  readonly #due = new Deferred<Buffer>(
    (record) => this.#send(record),
    () => this.store.hurry(),
  );

  constructor(vhost: DelayingVhost, exchange: string, id: number, durable: boolean) {
    this.#vhost = vhost;
    this.name = holdPrefix + exchange;
    const properties: QueueProperties = {
      name: this.name,
      vhost: vhost.name,
      id,
      durable,
      autoDelete: false,
      exclusiveOwner: undefined,
      arguments: holdArguments,
    };
    // Without a dead-letter exchange what expires would be dropped. Where it goes is said here.
    const options = { ...parseQueueArguments(emptyTable, exchange), deadLetterExchange: exchange, storesAll: true };
    this.#queue = new Queue(this, properties, options);
  }

  /** Its queue's definition in the store. */
  get definition() {
    const { name, vhost, id, autoDelete, arguments: args } = this.#queue;
    return { kind: "queue", name, vhost, id, autoDelete, arguments: args } as const;
  }

  /** Messages that wait. */
  get count(): number {
    return this.#queue.ready;
  }

  get id(): number {
    return this.#queue.id;
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

  messagesLost(queue: Queue, count: number, error: Error): void {
    this.#vhost.messagesLost(queue, count, error);
  }

  /** Takes in a segment that the store holds. */
  restore(segment: Segment): void {
    this.#queue.restore(segment);
  }

  /** Forgets all of them. */
  delete(): void {
    this.#queue.delete();
  }

  /** Takes a message whose headers say how long it waits. */
  enqueue(message: Message, waiter: CommitWaiter | undefined, tag: number): Enqueued {
    const { expiresAfterMs } = message;
    message.expiresAfterMs = delayMsOf(message.headers());
    const result = this.#queue.enqueue(message, waiter, tag);
    message.expiresAfterMs = expiresAfterMs;
    return result;
  }

  /** The time of a message has come. */
  deadLetter(_queue: Grave, _reason: DeathReason, bytes: Buffer, start: number, end: number): void {
    this.#due.add(Buffer.from(bytes.subarray(start, end)));
  }

  #send(record: Buffer): void {
    if (this.#queue.deleted) return;
    const message = this.#message.setOwned(record);
    const isPlain = !mayBeSenderSelected(message) && negateDelay(message);
    const more = isPlain ? [] : this.#edit(message);
    const { exchange, routingKey, expiration } = message;
    if (expiration !== undefined) message.expiresAfterMs = parseExpiration(expiration);
    const content = new MessageContent(message);
    const { targets } = this.#vhost.routeWaited(exchange, [routingKey, ...more], content);
    if (targets.length === 0) this.#vhost.counters.dropped++;
    for (const target of targets) target.enqueue(message, undefined, 0);
  }

  /** Makes of the message what is to be delivered, and returns the keys that its sender selected. */
  #edit(message: Message): readonly string[] {
    const headers = message.headers();
    const { cc, bcc } = senderSelected(headers);
    message.setOwned(editRecord(message, { headers: routedHeaders(headers) }));
    return [...cc, ...bcc];
  }

  // Nobody consumes from it, and it does not expire.
  lastConsumerGone(): void {}
  queueExpired(): void {}
}

/** With its delay negative, so that it can be seen but is not waited for again. */
function routedHeaders(headers: FieldTable): FieldTable {
  const routed = new Map(withoutBcc(headers) ?? headers);
  return routed.set("x-delay", { type: "long", value: -delayMsOf(headers) });
}
