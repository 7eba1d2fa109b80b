import type { AreaLogs } from "./area-logs.ts";
import type { BrokerLimits } from "./broker-limits.ts";
import type { Churn } from "./churn.ts";
import type { Clock } from "./clock.ts";
import { type DeadLetter, isCycle, makeDeadLetter } from "./dead-letters.ts";
import { Deferred } from "./deferred.ts";
import type { DelayedMessages } from "./delayed-messages.ts";
import { BrokerError } from "./errors.ts";
import type { EventSink } from "./events.ts";
import { delayMsOf } from "./exchange/delayed.ts";
import type { Exchange } from "./exchange/exchange.ts";
import type { RoutedContent } from "./exchange/routed-content.ts";
import { parseExpiration } from "./expiration.ts";
import { Firehose } from "./firehose.ts";
import type { KeptHistory } from "./kept-history.ts";
import type { Limits } from "./limits.ts";
import { MessageContent } from "./message-content.ts";
import { directReplyTo, exchangeText, queueText } from "./names.ts";
import type { EffectivePolicy, Policies } from "./policies.ts";
import { type QueueType, queueTypeOf } from "./queue/arguments.ts";
import type { DeathReason, Grave } from "./queue/dead-letter.ts";
import type { DeathCounts } from "./queue/death-counts.ts";
import type { MessageLatency } from "./queue/message-latency.ts";
import type { Queue, QueueHost } from "./queue/queue.ts";
import { addQueueCounters, newQueueCounters, type QueueCounters } from "./queue/queue-counters.ts";
import type { SegmentMemory } from "./queue/segment-memory.ts";
import { Message } from "./record.ts";
import type { ExchangeCounters, Route, Target } from "./route.ts";
import type { Pages } from "./store/pages.ts";
import type { Store, VhostDefinition } from "./store/store.ts";

/** An exchange of a vhost: it binds queues and other exchanges. */
export interface VhostExchange extends Exchange<Bindable> {}
export type Bindable = Queue | VhostExchange;

/** How many there are of what vhosts hold, in all of them together. */
export interface VhostTotals {
  readonly queues: number;
  readonly exchanges: number;
}

/** What a vhost needs of the broker it is in. */
export interface VhostHost {
  readonly config: { readonly limits: BrokerLimits };
  readonly totals: VhostTotals;
  readonly clock: Clock;
  readonly store: Store;
  readonly logs: AreaLogs;
  readonly policies: Policies;
  readonly limits: Limits;
  readonly pages: Pages | undefined;
  readonly memory: SegmentMemory;
  readonly churn: Churn;
  readonly deaths: DeathCounts;
  readonly latency: MessageLatency;
  readonly damages: { settled(segment: number): void };
  nextSegment(): number;
  nextQueueId(): number;
  /** Hears of what is created and deleted. */
  readonly events: EventSink;
  /** Every cached route is void: something was declared, bound, deleted or permitted. */
  topologyChanged(): void;
}

/** Called when the vhost itself removes a queue: it expired, or auto-delete lost its last consumer. */
export type QueueRemover = (vhost: Vhost, queue: Queue) => void;

/** What is said of a vhost besides its name. */
export type VhostProperties = Omit<VhostDefinition, "kind" | "name">;

/** Publishes to a vhost since the broker started. */
export interface VhostCounters {
  published: number;
  /** Those that no queue took: sent back, as they were mandatory, or dropped. */
  returned: number;
  dropped: number;
  confirmed: number;
  /** Publishes on channels that confirm them. */
  toConfirm: number;
  /** Bytes from and to clients that have gone. */
  received: number;
  sent: number;
}

/** A dead letter on its way, and who wants to know whether it arrives. */
interface Sending {
  readonly letter: DeadLetter;
  readonly sent: ((arrived: boolean) => void) | undefined;
}

/** A virtual host: its exchanges and queues, and the routing of messages among them. */
export class Vhost implements QueueHost {
  readonly name: string;
  readonly host: VhostHost;
  properties: VhostProperties;
  readonly exchanges = new Map<string, VhostExchange>();
  readonly queues = new Map<string, Queue>();
  readonly counters: VhostCounters = {
    published: 0,
    returned: 0,
    dropped: 0,
    confirmed: 0,
    toConfirm: 0,
    received: 0,
    sent: 0,
  };
  /** What the queues had counted that are gone. */
  readonly retired: Record<QueueType, QueueCounters> = { classic: newQueueCounters(), quorum: newQueueCounters() };
  /** Consumers on direct reply-to, by the address that their requests carry. */
  readonly replyTargets = new Map<string, Target>();
  /** What waits in exchanges of type x-delayed-message, by their names. */
  readonly delayed = new Map<string, DelayedMessages>();
  /** What durable exchanges of type x-recent-history keep, by their names. */
  readonly histories = new Map<string, KeptHistory>();
  /** The exchanges that have bindings to a queue or exchange. */
  readonly #boundBy = new Map<Bindable, Set<VhostExchange>>();
  /** The batches in which queues and exchanges were defined. */
  readonly #definedIn = new WeakMap<object, number>();
  /** Copies of messages, while it is on. */
  readonly firehose: Firehose;
  readonly #exchangeCounters = new WeakMap<VhostExchange, ExchangeCounters>();
  readonly #removeQueue: QueueRemover;
  readonly #message = new Message();
  readonly #deadLetters = new Deferred<Sending>(
    ({ letter, sent }) => {
      const arrived = this.#send(letter);
      sent?.(arrived);
    },
    // Where they came from they may be gone from the store with the next batch, so with that they must be there.
    () => this.store.hurry(),
  );

  constructor(name: string, properties: VhostProperties, host: VhostHost, removeQueue: QueueRemover) {
    this.name = name;
    this.properties = properties;
    this.host = host;
    this.#removeQueue = removeQueue;
    this.firehose = new Firehose(this);
  }

  get clock(): Clock {
    return this.host.clock;
  }

  get store(): Store {
    return this.host.store;
  }

  get pages(): Pages | undefined {
    return this.host.pages;
  }

  get deaths(): DeathCounts {
    return this.host.deaths;
  }

  get latency(): MessageLatency {
    return this.host.latency;
  }

  get memory(): SegmentMemory {
    return this.host.memory;
  }

  nextSegment(): number {
    return this.host.nextSegment();
  }

  messagesLost(queue: Queue, count: number, error: Error): void {
    this.host.logs.queue.error(
      { vhost: this.name, queue: queue.name, count, err: error },
      "transient messages were lost",
    );
  }

  damageSettled(segment: number): void {
    this.host.damages.settled(segment);
  }

  /** Notes that something was defined in the batch that the store gathers now. */
  noteDefined(thing: object): void {
    this.#definedIn.set(thing, this.store.gathering);
  }

  /** Whether the definition of something is on disk. */
  isDefinitionSafe(thing: object): boolean {
    return this.store.committed >= (this.#definedIn.get(thing) ?? 0);
  }

  /** Throws NOT_FOUND. */
  getQueue(name: string): Queue {
    const queue = this.queues.get(name);
    if (queue === undefined) throw new BrokerError("NOT_FOUND", `no ${queueText(name, this.name)}`);
    return queue;
  }

  /** Throws NOT_FOUND. */
  getExchange(name: string): VhostExchange {
    const exchange = this.exchanges.get(name);
    if (exchange === undefined) throw new BrokerError("NOT_FOUND", `no ${exchangeText(name, this.name)}`);
    return exchange;
  }

  /** Keeps what a queue counted that goes away. */
  retire({ type, counters }: Queue): void {
    addQueueCounters(this.retired[type], counters);
  }

  /** What an exchange has counted. */
  countersOf(exchange: VhostExchange): ExchangeCounters {
    const existing = this.#exchangeCounters.get(exchange);
    if (existing !== undefined) return existing;
    const counters = { publishedIn: 0, publishedOut: 0 };
    this.#exchangeCounters.set(exchange, counters);
    return counters;
  }

  /** Those of exchanges that were published to. */
  *exchangeCounters(): Iterable<ExchangeCounters> {
    for (const exchange of this.exchanges.values()) {
      const counters = this.#exchangeCounters.get(exchange);
      if (counters !== undefined) yield counters;
    }
  }

  /** Notes that `source` has bindings to `destination`. */
  bound(source: VhostExchange, destination: Bindable): void {
    const sources = this.#boundBy.get(destination);
    if (sources === undefined) this.#boundBy.set(destination, new Set([source]));
    else sources.add(source);
  }

  /** Notes that `source` may have lost its last binding to `destination`. */
  unbound(source: VhostExchange, destination: Bindable): void {
    const sources = this.#boundBy.get(destination);
    if (sources === undefined || !source.bindingsTo(destination)[Symbol.iterator]().next().done) return;
    sources.delete(source);
    if (sources.size === 0) this.#boundBy.delete(destination);
  }

  /** The exchanges that have bindings to `destination`. */
  sourcesOf(destination: Bindable): readonly VhostExchange[] {
    return [...(this.#boundBy.get(destination) ?? [])];
  }

  /**
   * Finds where messages to an exchange go with these keys. An exchange is passed once, so cycles end; one that
   * routes nowhere passes on to its alternate exchange. A message that is to be delayed goes to the wait of its exchange,
   * but if it is mandatory only as long as somebody would get it now.
   */
  route(exchange: string, routingKeys: readonly string[], content: RoutedContent, mandatory = false): Route {
    if (exchange === "") return this.#routeByName(routingKeys);
    const first = this.getExchange(exchange);
    const waits = this.#waitOf(first, content);
    if (waits === undefined) return this.#routeThrough(first, routingKeys, content);
    const reached = !mandatory || this.#routeThrough(first, routingKeys, content).targets.length > 0;
    return { targets: reached ? [waits] : [], fixed: false, delayed: reached, counters: this.countersOf(first) };
  }

  /** Finds where a message goes that has waited in an exchange. */
  routeWaited(exchange: string, routingKeys: readonly string[], content: RoutedContent): Route {
    return this.#routeThrough(this.getExchange(exchange), routingKeys, content);
  }

  #routeThrough(first: VhostExchange, routingKeys: readonly string[], content: RoutedContent): Route {
    const targets = new Set<Target>();
    const passed = new Set<VhostExchange>([first]);
    // A set grows while it is walked: each exchange found is passed in its turn, once.
    let fixed = true;
    for (const at of passed) {
      const waits = at === first ? undefined : this.#waitOf(at, content);
      if (waits === undefined) this.#routeOnce(at, routingKeys, content, targets, passed);
      else targets.add(waits);
      fixed &&= !at.varies;
    }
    return { targets: [...targets], fixed, delayed: false, counters: this.countersOf(first) };
  }

  /** Where a message waits that an exchange has to delay. */
  #waitOf(exchange: VhostExchange, content: RoutedContent): DelayedMessages | undefined {
    if (this.delayed.size === 0) return undefined;
    const waits = this.delayed.get(exchange.name);
    return waits !== undefined && delayMsOf(content.headers()) > 0 ? waits : undefined;
  }

  #routeOnce(
    exchange: VhostExchange,
    routingKeys: readonly string[],
    content: RoutedContent,
    targets: Set<Target>,
    passed: Set<VhostExchange>,
  ): void {
    const found = new Set<Bindable>();
    exchange.routeAll(routingKeys, content, found);
    if (found.size === 0) {
      const alternate = this.alternateOf(exchange);
      if (alternate !== undefined) passed.add(alternate);
    }
    for (const destination of found) {
      if (destination.kind === "queue") targets.add(destination);
      else passed.add(destination);
    }
  }

  /** Where messages go that an exchange has no binding for. */
  alternateOf(exchange: VhostExchange): VhostExchange | undefined {
    const name =
      exchange.arguments.get("alternate-exchange") ?? this.policyOf(exchange).rules.get("alternate-exchange");
    return name?.type === "longstr" ? this.exchanges.get(name.value.toString()) : undefined;
  }

  /** What policies say of a queue or exchange. */
  policyOf(subject: Bindable): EffectivePolicy {
    const { kind, name } = subject;
    const type = subject.kind === "queue" ? queueTypeOf(subject.arguments) : subject.type;
    return this.host.policies.effective({ kind, vhost: this.name, name, type });
  }

  /** The default exchange: every queue is bound to it by its name. */
  #routeByName(names: readonly string[]): Route {
    const targets = new Set<Target>();
    let fixed = true;
    for (const name of names) {
      const isReply = isReplyAddress(name);
      const target = isReply ? this.replyTargets.get(name) : this.queues.get(name);
      if (target !== undefined) targets.add(target);
      if (isReply) fixed = false;
    }
    return { targets: [...targets], fixed, delayed: false, counters: this.countersOf(this.getExchange("")) };
  }

  deadLetter(
    queue: Grave,
    reason: DeathReason,
    bytes: Buffer,
    start: number,
    end: number,
    sent?: (arrived: boolean) => void,
  ): void {
    const record = Buffer.from(bytes.subarray(start, end));
    this.#deadLetters.add({ letter: makeDeadLetter(queue, reason, record, this.clock.now()), sent });
  }

  /** Returns whether any queue took it, or whoever could is the one that it must not go to again. */
  #send(letter: DeadLetter): boolean {
    if (letter.exchange !== "" && !this.exchanges.has(letter.exchange)) return false;
    const message = this.#message.setOwned(letter.record);
    const { targets } = this.route(letter.exchange, letter.routingKeys, new MessageContent(message));
    let arrived = false;
    for (const target of targets) {
      if (isCycle(letter, target.name)) {
        this.host.logs.queue.warn(
          { vhost: this.name, queue: target.name },
          "dead letter dropped: it goes round in a cycle",
        );
        arrived = true;
      } else if (target.enqueue(message, undefined, 0) !== "rejected") arrived = true;
    }
    return arrived;
  }

  /** Gives a message that was routed earlier to a queue, or to those that an exchange finds for it. */
  replay(record: Buffer, destination: Bindable): void {
    const message = this.#message.setOwned(record);
    const { expiration } = message;
    if (expiration !== undefined) message.expiresAfterMs = parseExpiration(expiration);
    const targets =
      destination.kind === "queue"
        ? [destination]
        : this.route(destination.name, [message.routingKey], new MessageContent(message)).targets;
    for (const target of targets) target.enqueue(message, undefined, 0);
  }

  lastConsumerGone(queue: Queue): void {
    if (queue.autoDelete) this.#removeQueue(this, queue);
  }

  queueExpired(queue: Queue): void {
    this.#removeQueue(this, queue);
  }
}

function isReplyAddress(name: string): boolean {
  return name.startsWith(`${directReplyTo}.`);
}
