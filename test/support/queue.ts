import { emptyTable } from "../../src/field-table.ts";
import type { QueueOptions } from "../../src/queue/arguments.ts";
import type { Consumer, Getter } from "../../src/queue/consumer.ts";
import type { DeathReason, Grave } from "../../src/queue/dead-letter.ts";
import { DeathCounts } from "../../src/queue/death-counts.ts";
import { MessageLatency } from "../../src/queue/message-latency.ts";
import { Queue, type QueueHost, type QueueProperties } from "../../src/queue/queue.ts";
import { Segment } from "../../src/queue/segment.ts";
import { SegmentMemory } from "../../src/queue/segment-memory.ts";
import { Message } from "../../src/record.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { DrivenClock } from "./driven-clock.ts";
import { message, type Parts } from "./messages.ts";

const noOptions: QueueOptions = {
  messageTtlMs: undefined,
  expiresMs: undefined,
  maxLength: undefined,
  maxLengthBytes: undefined,
  overflow: "drop-head",
  deadLetterExchange: undefined,
  deadLetterRoutingKey: undefined,
  maxPriority: 0,
  defaultPriority: 0,
  storesAll: false,
  singleActiveConsumer: false,
  deliveryLimit: undefined,
  delayedRetry: undefined,
  deadLettersAtLeastOnce: false,
  consumerTimeoutMs: undefined,
};

/** A store that does its work when a test says so. */
export class DrivenStore extends MemoryStore {
  readonly #steps: (() => void)[];

  constructor(disk?: MemoryStore["disk"]) {
    const steps: (() => void)[] = [];
    super({ ...(disk !== undefined && { disk }), schedule: (step) => steps.push(step) });
    this.#steps = steps;
  }

  /** Whether anything is left to do. */
  get busy(): boolean {
    return this.#steps.length > 0;
  }

  /** Does one thing: hands a batch over, commits one, or reads a segment. */
  step(): void {
    this.#steps.shift()?.();
  }

  /** Does everything there is to do. */
  settle(): void {
    while (this.busy) this.step();
  }
}

/** What a queue needs around it, and what it did to that. */
export class TestHost implements QueueHost {
  readonly clock: DrivenClock;
  readonly store: DrivenStore;
  /** Routing keys of dead letters with the reason: "a expired". */
  deadLetters: string[] = [];
  /** Those that wait to hear whether their dead letter arrived. */
  readonly onSent: { readonly key: string; readonly sent: (arrived: boolean) => void }[] = [];
  readonly gone: string[] = [];
  readonly memory = new SegmentMemory(Number.POSITIVE_INFINITY);
  readonly pages = undefined;
  readonly deaths = new DeathCounts();
  readonly latency = new MessageLatency();
  #lastSegment: number;

  constructor(clock = new DrivenClock(), store = new DrivenStore()) {
    this.clock = clock;
    this.store = store;
    this.#lastSegment = store.disk.state().lastSegment;
  }

  damageSettled(): void {}

  messagesLost(queue: Queue, count: number, error: Error): void {
    throw new Error(`${count} messages of ${queue.name} lost`, { cause: error });
  }

  nextSegment(): number {
    return ++this.#lastSegment;
  }

  deadLetter(
    _queue: Grave,
    reason: DeathReason,
    bytes: Buffer,
    start: number,
    end: number,
    sent?: (arrived: boolean) => void,
  ): void {
    const key = new Message().setRecord(bytes, start, end).routingKey;
    this.deadLetters.push(`${key} ${reason}`);
    if (sent !== undefined) this.onSent.push({ key, sent });
  }

  lastConsumerGone(queue: Queue): void {
    this.gone.push(`${queue.name} unconsumed`);
  }

  queueExpired(queue: Queue): void {
    this.gone.push(`${queue.name} unused`);
  }

  /** A durable queue, unless told otherwise. */
  queue(options: Partial<QueueOptions> = {}, properties: Partial<QueueProperties> = {}): Queue {
    const all: QueueProperties = {
      name: "q",
      vhost: "/",
      id: 1,
      durable: true,
      autoDelete: false,
      exclusiveOwner: undefined,
      arguments: emptyTable,
      ...properties,
    };
    return new Queue(this, all, { ...noOptions, ...options });
  }

  /** Puts what the store holds of a queue into it. */
  restore(queue: Queue): Queue {
    for (const row of this.store.disk.state().segments) {
      if (row.queueId === queue.id) queue.restore(Segment.stored(row, this.store));
    }
    return queue;
  }

  /** A broker that starts now on what this one's store has committed; this one's timers never fire. */
  restarted(): TestHost {
    return new TestHost(new DrivenClock(this.clock.now()), new DrivenStore(this.store.disk));
  }
}

/** Notes who was told, by tag. */
export class WaiterLog {
  readonly told: number[] = [];

  committed(tag: number): void {
    this.told.push(tag);
  }
}

/** A delivery that was not settled. */
export interface Held {
  readonly key: string;
  readonly segment: Segment;
  readonly index: number;
}

/** Takes messages up to a prefetch and notes their routing keys, with a ! behind those redelivered. */
export class TestConsumer implements Consumer {
  readonly tag: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly got: string[] = [];
  readonly held: Held[] = [];
  prefetch: number;
  isCancelled = false;
  onDeliver: (() => void) | undefined;

  constructor(rest: Partial<Pick<TestConsumer, "tag" | "noAck" | "exclusive" | "priority" | "prefetch">> = {}) {
    this.tag = rest.tag ?? "c";
    this.noAck = rest.noAck ?? false;
    this.exclusive = rest.exclusive ?? false;
    this.priority = rest.priority ?? 0;
    this.prefetch = rest.prefetch ?? Number.POSITIVE_INFINITY;
  }

  hasCredit(): boolean {
    return this.held.length < this.prefetch;
  }

  deliver(
    bytes: Buffer,
    addressStart: number,
    addressEnd: number,
    contentStart: number,
    contentEnd: number,
    _bytesStay: boolean,
    redelivered: boolean,
    segment: Segment | undefined,
    index: number,
  ): void {
    const { routingKey } = new Message().set(bytes, addressStart, addressEnd, contentStart, contentEnd);
    this.got.push(redelivered ? `${routingKey}!` : routingKey);
    if (segment !== undefined) this.held.push({ key: routingKey, segment, index });
    this.onDeliver?.();
  }

  cancelled(): void {
    this.isCancelled = true;
  }

  /** Settles what it holds of this message, and has credit again. */
  settle(queue: Queue, how: "ack" | "reject" | "requeue", key = this.held[0]?.key): void {
    const at = this.held.findIndex((held) => held.key === key);
    const [held] = this.held.splice(at, 1);
    if (at < 0 || held === undefined) throw new Error(`holds no '${key}'`);
    queue[how](held.segment, held.index);
    if (how === "requeue") queue.resume();
    queue.consumerReady(this);
  }
}

/** Asks for one message. */
export class TestGetter implements Getter {
  readonly noAck: boolean;
  waiting = true;
  /** The routing key it got; undefined before, "" when the queue was empty. */
  answer: string | undefined;
  held: Held | undefined;

  constructor(noAck = true) {
    this.noAck = noAck;
  }

  empty(): void {
    this.#answered("");
  }

  deliver(...args: Parameters<Getter["deliver"]>): void {
    const [bytes, addressStart, addressEnd, contentStart, contentEnd, , redelivered, segment, index] = args;
    const { routingKey } = new Message().set(bytes, addressStart, addressEnd, contentStart, contentEnd);
    if (segment !== undefined) this.held = { key: routingKey, segment, index };
    this.#answered(redelivered ? `${routingKey}!` : routingKey);
  }

  #answered(answer: string): void {
    if (!this.waiting) throw new Error("answered twice");
    this.waiting = false;
    this.answer = answer;
  }
}

/** A persistent message with this routing key. */
export function persistent(routingKey: string, rest: Parts = {}): Message {
  return message({ routingKey, deliveryMode: 2, ...rest });
}

/** Publishes messages that need not survive, by their routing keys. */
export function publish(queue: Queue, ...keys: string[]): void {
  for (const routingKey of keys) queue.enqueue(message({ routingKey }), undefined, 0);
}

/** Takes all that is ready and acks it: the routing keys in order. */
export function drain(queue: Queue, store?: DrivenStore): string[] {
  const keys: string[] = [];
  for (;;) {
    const getter = new TestGetter();
    queue.get(getter);
    store?.settle();
    if (getter.answer === undefined || getter.answer === "") return keys;
    keys.push(getter.answer);
  }
}
