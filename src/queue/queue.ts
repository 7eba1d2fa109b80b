import type { Clock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import type { FieldTable } from "../field-table.ts";
import { queueText } from "../names.ts";
import { type Message, propertyFlag } from "../record.ts";
import type { Pages } from "../store/pages.ts";
import type { CommitWaiter, Store, StoredMessages } from "../store/store.ts";
import { type QueueOptions, type QueueType, queueTypeOf } from "./arguments.ts";
import { AwaitedSegments } from "./awaited-segments.ts";
import type { Consumer, Getter } from "./consumer.ts";
import type { DeadLetterSink, DeathReason, Grave } from "./dead-letter.ts";
import { DeadLetterRetries } from "./dead-letter-retries.ts";
import type { DeadLetterStrategy, DeathCounts } from "./death-counts.ts";
import { deliverRecord } from "./deliver-record.ts";
import { Expiry } from "./expiry.ts";
import { Getters } from "./getters.ts";
import { HeldMessages } from "./held-messages.ts";
import { IdleExpiry } from "./idle-expiry.ts";
import { LatencyProbe, type MessageLatency, sampledOf } from "./message-latency.ts";
import { MessageLevels, type SegmentSource } from "./message-levels.ts";
import { type PagedQueue, Paging } from "./paging.ts";
import { QueueConsumers } from "./queue-consumers.ts";
import { newQueueCounters } from "./queue-counters.ts";
import { QuickAcks } from "./quick-acks.ts";
import { Segment } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";
import { ackWaitMs, type LoggedQueue } from "./segment-log.ts";
import type { SegmentMemory } from "./segment-memory.ts";
import { TimeToLive } from "./time-to-live.ts";

/** What a queue needs of the vhost it is in. */
export interface QueueHost extends DeadLetterSink {
  readonly clock: Clock;
  readonly store: Store;
  /** Where segments go that memory has no room for; undefined when they stay. */
  readonly pages: Pages | undefined;
  readonly memory: SegmentMemory;
  /** Counts how messages die, and times some. */
  readonly deaths: DeathCounts;
  readonly latency: MessageLatency;
  /** Messages that were to outlive nothing could not be read back. */
  messagesLost(queue: Queue, count: number, error: Error): void;
  /** What is damaged of a segment is not wanted any more. */
  damageSettled(segment: number): void;
  /** A number that no segment had before. */
  nextSegment(): number;
  /** The last consumer has gone. */
  lastConsumerGone(queue: Queue): void;
  /** Unused for as long as its x-expires says. */
  queueExpired(queue: Queue): void;
}

/** A queue that is being consumed falls behind when more messages, or bytes of bodies, than this are ready in it. */
const behindMessages = 4096;
const behindBytes = 2 * 1024 * 1024;

/** What happened to an enqueued message: safe as it is, safe once the waiter hears of it, or not taken. */
export type Enqueued = "done" | "waits" | "rejected";

/** What a queue was declared with. */
export interface QueueProperties {
  readonly name: string;
  readonly vhost: string;
  /** Names its messages in the store. */
  readonly id: number;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  /** The connection that alone may use it and with which it goes; undefined for everybody. */
  readonly exclusiveOwner: object | undefined;
  readonly arguments: FieldTable;
}

/**
 * A queue: ready messages in segments by priority level, unacked ones at their places among them, and consumers.
 * Single writer: its own methods, which run to their end.
 */
export class Queue implements Grave, QueueProperties, PagedQueue, SegmentSource {
  readonly kind = "queue";
  /** As x-queue-type has it. */
  readonly type: QueueType;
  readonly name: string;
  readonly vhost: string;
  readonly id: number;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly exclusiveOwner: object | undefined;
  readonly arguments: FieldTable;
  options: QueueOptions;
  ready = 0;
  unacked = 0;
  /** Bytes of bodies. */
  readyBytes = 0;
  unackedBytes = 0;
  deleted = false;
  readonly counters = newQueueCounters();
  readonly #host: QueueHost;
  readonly #levels = new MessageLevels(this);
  readonly #consumers = new QueueConsumers();
  readonly #expiry: Expiry;
  readonly #paging: Paging;
  readonly #held: HeldMessages;
  readonly #deadLetterRetries: DeadLetterRetries;
  readonly #timeToLive: TimeToLive;
  readonly #acks = new QuickAcks();
  readonly #logged: LoggedQueue = { acks: this.#acks, counters: this.counters };
  readonly #awaited = new AwaitedSegments();
  readonly #getters = new Getters();
  readonly #probe: LatencyProbe;
  #dispatching = false;
  readonly #idle: IdleExpiry;

  constructor(host: QueueHost, properties: QueueProperties, options: QueueOptions) {
    this.#host = host;
    this.name = properties.name;
    this.vhost = properties.vhost;
    this.id = properties.id;
    this.durable = properties.durable;
    this.autoDelete = properties.autoDelete;
    this.exclusiveOwner = properties.exclusiveOwner;
    this.arguments = properties.arguments;
    this.type = queueTypeOf(properties.arguments);
    this.options = options;
    this.#probe = new LatencyProbe(host.latency);
    this.#idle = new IdleExpiry(host.clock, () => this.#idleExpired());
    this.#expiry = new Expiry(
      host.clock,
      (segment, index) => this.#remove(segment, index, "expired"),
      (segment) => this.#paging.read(segment),
    );
    this.#timeToLive = new TimeToLive(host.clock, this.#expiry);
    this.#paging = new Paging(this, host.store, host.pages);
    this.#held = new HeldMessages(
      host.clock,
      (segment, index) => this.#release(segment, index),
      () => this.#allReleased(),
    );
    this.#deadLetterRetries = new DeadLetterRetries(host.clock, (segment, index, reason) =>
      this.#sendDeadLetter(segment, index, reason),
    );
    this.#idle.arm(options.expiresMs);
  }

  get store(): Store {
    return this.#host.store;
  }

  get memory(): SegmentMemory {
    return this.#host.memory;
  }

  get deadLetterExchange(): string | undefined {
    return this.options.deadLetterExchange;
  }

  get deadLetterRoutingKey(): string | undefined {
    return this.options.deadLetterRoutingKey;
  }

  /** Whether its definition and persistent messages outlive the broker. */
  get stored(): boolean {
    return this.durable && this.exclusiveOwner === undefined;
  }

  /** Whether its consumers cannot keep up: publishers should let them catch up while the messages are still at hand. */
  get behind(): boolean {
    return (this.ready > behindMessages || this.readyBytes > behindBytes) && this.#consumers.size > 0;
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  get consumers(): ReadonlySet<Consumer> {
    return this.#consumers.all;
  }

  /** Its segments, in the order in which their messages are delivered. */
  segments(): Iterable<Segment> {
    return this.#levels.segments();
  }

  /** Reads the messages of a segment that is not in memory without taking it in. */
  peek(segment: Segment, done: (messages: StoredMessages) => void): void {
    this.#paging.peek(segment, done);
  }

  /** Calls `done` once a segment is in memory, or when it is not needed any more. */
  bringIn(segment: Segment, done: () => void): void {
    if (segment.resident || segment.live === 0) return done();
    this.#awaited.add(segment, done);
    this.#paging.read(segment);
  }

  /** Lets a segment that was brought in leave again when memory is short. */
  letGo(segment: Segment): void {
    if (this.#host.memory.isFull) this.#paging.pageOut(segment, this.#levels.of(segment.level));
  }

  /**
   * Removes a ready message that is in memory, wherever it stands, and leaves no dead letter; false when it is not
   * ready. `replaced` says that the batch being gathered has it elsewhere.
   */
  discard(segment: Segment, index: number, replaced: boolean): boolean {
    if (this.deleted || !segment.isReady(index)) return false;
    this.#takeReady(segment, index);
    this.#settle(segment, index, replaced);
    return true;
  }

  /** Has its next messages read if they are not in memory. */
  readAhead(): void {
    const level = this.#levels.first;
    if (level !== undefined) this.#seek(level);
  }

  /** Takes in a segment that the store holds; in ascending order of number. */
  restore(segment: Segment): void {
    const level = this.#levels.of(segment.level);
    level.push(segment);
    level.ready += segment.live;
    this.ready += segment.live;
    this.readyBytes += segment.storedBodyBytes;
    this.#timeToLive.restored(segment, this.options.messageTtlMs);
  }

  /**
   * Takes a message: to a consumer at once when one has credit and nothing is ahead, else to the end of its level.
   * After "waits", `waiter.committed(tag)` is called once, perhaps before this returns.
   */
  enqueue(message: Message, waiter: CommitWaiter | undefined, tag: number): Enqueued {
    if (this.deleted) return "done";
    if (this.#refuses(message)) return "rejected";
    if (this.ready === 0) {
      const consumer = this.#consumers.next();
      if (consumer !== undefined) return this.#handOver(consumer, message, waiter, tag);
    }
    this.counters.published++;
    const expiresAt = this.#expiryOf(message);
    const segment = this.#levels.tail(this.#levelOf(message));
    const index = segment.append(message, expiresAt);
    if (this.#isSampled) this.#probe.watch(segment, index, this.#host.clock.now());
    this.#levels.of(segment.level).ready++;
    this.ready++;
    this.readyBytes += message.bodySize;
    const result = this.#keep(segment, index, 0, waiter, tag);
    if (expiresAt !== 0) this.#expireInTime(segment, index, expiresAt);
    if (this.#limited()) this.#dropSurplus();
    return result;
  }

  /** Direct hand-over: nothing is ready, so the message goes first and, unless it must be acked, is not kept at all. */
  #handOver(consumer: Consumer, message: Message, waiter: CommitWaiter | undefined, tag: number): Enqueued {
    this.counters.published++;
    if (consumer.noAck) {
      this.counters.deliveredNoAck++;
      if (this.#isSampled) this.#probe.handedOver();
      const { bytes, addressStart, addressEnd, contentStart, contentEnd } = message;
      consumer.deliver(bytes, addressStart, addressEnd, contentStart, contentEnd, message.stays, false, undefined, 0);
      return "done";
    }
    const segment = this.#levels.tail(this.#levelOf(message));
    const index = segment.append(message, this.#expiryOf(message));
    if (this.#isSampled) this.#handOverTimed(segment, index);
    segment.markUnacked(index);
    this.unacked++;
    this.unackedBytes += message.bodySize;
    this.counters.delivered++;
    const result = this.#keep(segment, index, this.#acks.expected() ? ackWaitMs : 0, waiter, tag);
    deliverRecord(consumer, segment, index, segment);
    return result;
  }

  /** Whether the message that was counted last is one to be timed. */
  get #isSampled(): boolean {
    return (this.counters.published & (sampledOf - 1)) === 0;
  }

  #handOverTimed(segment: Segment, index: number): void {
    const now = this.#host.clock.now();
    this.#probe.watch(segment, index, now);
    if (this.#probe.isOf(segment, index)) this.#probe.delivered(now);
  }

  /** Sees to it that the store gets a message which must outlive the broker, within so many milliseconds. */
  #keep(segment: Segment, index: number, ms: number, waiter: CommitWaiter | undefined, tag: number): Enqueued {
    if (!segment.isPersistent(index)) return "done";
    segment.storeWithin(ms);
    if (waiter === undefined) return "done";
    segment.wait(index, waiter, tag);
    return "waits";
  }

  #levelOf(message: Message): number {
    const { maxPriority, defaultPriority } = this.options;
    if (maxPriority === 0) return 0;
    const named = (message.propertyFlags & propertyFlag.priority) !== 0;
    return Math.min(named ? message.priority : defaultPriority, maxPriority);
  }

  newSegment(level: number): Segment {
    const store = this.stored ? this.#host.store : undefined;
    const segment = new Segment(this.#host.nextSegment(), this.id, level, store, this.#host.memory, this.#logged);
    segment.storesAll = this.options.storesAll;
    segment.ttlMs = this.options.messageTtlMs ?? -1;
    return segment;
  }

  segmentFull(segment: Segment, level: SegmentList): void {
    if (this.#host.memory.isFull) this.#paging.pageOut(segment, level);
  }

  #expiryOf(message: Message): number {
    const ttl = this.options.messageTtlMs;
    if (ttl === undefined && message.expiresAfterMs < 0) return 0;
    const own = message.expiresAfterMs < 0 ? Number.POSITIVE_INFINITY : message.expiresAfterMs;
    return this.#host.clock.now() + Math.min(ttl ?? Number.POSITIVE_INFINITY, own);
  }

  #expireInTime(segment: Segment, index: number, expiresAt: number): void {
    this.#expiry.watch(segment, index, expiresAt);
    // What is due before it goes first, so it is not removed by itself.
    if (expiresAt <= this.#host.clock.now()) this.#expiry.expireDue();
  }

  #limited(): boolean {
    return this.options.maxLength !== undefined || this.options.maxLengthBytes !== undefined;
  }

  #refuses(message: Message): boolean {
    const { overflow, maxLength, maxLengthBytes } = this.options;
    if (overflow === "drop-head") return false;
    const full =
      (maxLength !== undefined && this.ready + 1 > maxLength) ||
      (maxLengthBytes !== undefined && this.readyBytes + message.bodySize > maxLengthBytes);
    if (full && overflow === "reject-publish-dlx" && this.deadLetterExchange !== undefined) {
      const record = message.own();
      this.#host.deaths.note(this.type, "at_most_once", "maxlen");
      this.#host.deadLetter(this, "maxlen", record, 0, record.length);
    }
    return full;
  }

  /** Drops messages from the head while there are more than the limits allow. */
  #dropSurplus(): void {
    const { maxLength = Number.POSITIVE_INFINITY, maxLengthBytes = Number.POSITIVE_INFINITY } = this.options;
    if (this.options.overflow !== "drop-head") return;
    while (this.ready > maxLength || this.readyBytes > maxLengthBytes) {
      const level = this.#levels.first;
      if (level === undefined || !this.#seek(level) || level.foundSegment === undefined) return;
      this.#remove(level.foundSegment, level.foundIndex, "maxlen");
    }
  }

  /** Finds the first ready message of a level; false when it has none or it must be read from the store first. */
  #seek(level: SegmentList): boolean {
    const found = level.seek();
    if (found === "unread" && level.foundSegment !== undefined) this.#paging.read(level.foundSegment);
    this.#paging.found(level);
    return found === "found";
  }

  segmentLeft(segment: Segment): void {
    this.#expiry.watchSegment(segment);
  }

  segmentRead(segment: Segment, missing: number, missingBytes: number): void {
    this.#levels.of(segment.level).ready -= missing;
    this.ready -= missing;
    this.readyBytes -= missingBytes;
    this.#levels.dropIfGone(segment);
    if (this.#timeToLive.read(segment)) this.#expiry.expireDue();
    else this.#expireFilled(segment);
    this.resume();
    this.#awaited.answer(segment);
  }

  segmentLost(count: number, error: Error): void {
    this.#host.messagesLost(this, count, error);
  }

  #expireFilled(segment: Segment): void {
    for (let index = 0; index < segment.count; index++) {
      const expiresAt = segment.expiresAt(index);
      if (expiresAt !== 0 && segment.isReady(index)) this.#expireInTime(segment, index, expiresAt);
    }
  }

  /** Removes a ready message that expired or is too many. */
  #remove(segment: Segment, index: number, reason: DeathReason): void {
    this.#takeReady(segment, index);
    this.#bury(segment, index, reason);
  }

  #takeReady(segment: Segment, index: number): void {
    this.#levels.of(segment.level).take(segment, index);
    this.ready--;
    this.readyBytes -= segment.bodySize(index);
  }

  /** Settles a message, leaving its dead letter when the queue has somewhere to send it. */
  #bury(segment: Segment, index: number, reason: DeathReason): void {
    this.#host.deaths.note(this.type, this.#deadLetterStrategy, reason);
    if (this.#keepsTillSent) {
      this.unacked++;
      this.unackedBytes += segment.bodySize(index);
      segment.markHeld(index);
      this.#sendDeadLetter(segment, index, reason);
      return;
    }
    const replaced = this.deadLetterExchange !== undefined;
    if (replaced) {
      this.#host.deadLetter(this, reason, segment.bytes(index), segment.start(index), segment.end(index));
    }
    this.#settle(segment, index, replaced);
  }

  get #deadLetterStrategy(): DeadLetterStrategy {
    if (this.deadLetterExchange === undefined) return "disabled";
    return this.#keepsTillSent ? "at_least_once" : "at_most_once";
  }

  /** As in RabbitMQ, at least once goes with an overflow that drops nothing. */
  get #keepsTillSent(): boolean {
    const { deadLettersAtLeastOnce, overflow } = this.options;
    return deadLettersAtLeastOnce && overflow === "reject-publish" && this.deadLetterExchange !== undefined;
  }

  /** Sends the dead letter of a held message, which is settled with it, or kept when it arrives nowhere. */
  #sendDeadLetter(segment: Segment, index: number, reason: DeathReason): void {
    const sent = (arrived: boolean) => this.#deadLetterSent(segment, index, reason, arrived);
    this.#host.deadLetter(this, reason, segment.bytes(index), segment.start(index), segment.end(index), sent);
  }

  #deadLetterSent(segment: Segment, index: number, reason: DeathReason, arrived: boolean): void {
    if (this.deleted || !segment.isHeld(index)) return;
    if (!arrived) return this.#deadLetterRetries.later(segment, index, reason);
    this.#host.deaths.note(this.type, "at_least_once", "confirmed");
    this.unacked--;
    this.unackedBytes -= segment.bodySize(index);
    this.#settle(segment, index, true);
  }

  #settle(segment: Segment, index: number, replaced: boolean): void {
    if (this.#probe.isOf(segment, index)) this.#probe.settled();
    segment.settle(index, replaced);
    if (segment.live === 0) this.#levels.dropIfGone(segment);
  }

  /** Throws ACCESS_REFUSED when a consumer cannot join because it or another one is exclusive. */
  checkExclusiveUse(consumer: Consumer): void {
    if (this.type === "quorum" || !this.#consumers.excludes(consumer, this.options.singleActiveConsumer)) return;
    throw new BrokerError("ACCESS_REFUSED", `${queueText(this.name, this.vhost)} in exclusive use`);
  }

  /** Adds a consumer and serves it. */
  addConsumer(consumer: Consumer): void {
    this.#idle.stop();
    this.#consumers.add(consumer);
    this.consumerReady(consumer);
  }

  removeConsumer(consumer: Consumer): void {
    if (!this.#consumers.remove(consumer)) return;
    this.#activateNext();
    if (this.#consumers.size > 0 || this.deleted) return;
    this.touch();
    this.#host.lastConsumerGone(this);
  }

  #activateNext(): void {
    const next = this.#consumers.active;
    if (this.options.singleActiveConsumer && next !== undefined && !this.deleted) this.consumerReady(next);
  }

  /** A consumer has credit again. */
  consumerReady(consumer: Consumer): void {
    if (!this.#consumers.has(consumer)) return;
    if (this.options.singleActiveConsumer && consumer !== this.#consumers.active) return;
    this.#consumers.ready(consumer);
    if (this.ready > 0) this.resume();
  }

  /** Gives the first ready message to `getter`, or tells it that there is none. */
  get(getter: Getter): void {
    this.touch();
    this.#getters.add(getter);
    this.resume();
  }

  /** Serves getters, then consumers, until messages or credit run out. */
  resume(): void {
    // A consumer may ack inside deliver(). Without this guard each such ack would nest one level deeper.
    if (this.#dispatching || this.deleted) return;
    this.#dispatching = true;
    try {
      if (this.#limited()) this.#dropSurplus();
      while (this.#serveNext());
    } finally {
      this.#dispatching = false;
    }
    if (this.ready === 0) this.#answerEmpty();
  }

  #answerEmpty(): void {
    if (!this.#getters.isEmpty) this.counters.gotEmpty += this.#getters.answerEmpty();
  }

  #serveNext(): boolean {
    if (this.ready === 0) return false;
    const level = this.#levels.first;
    if (level === undefined || !this.#seek(level)) return false;
    const { foundSegment: segment, foundIndex: index } = level;
    if (segment === undefined) return false;
    if (this.#isExpired(segment, index)) {
      this.#remove(segment, index, "expired");
      return true;
    }
    return this.#serveGetter(segment, index) || this.#serveConsumer(segment, index);
  }

  #isExpired(segment: Segment, index: number): boolean {
    const expiresAt = segment.expiresAt(index);
    return expiresAt !== 0 && expiresAt <= this.#host.clock.now();
  }

  #serveGetter(segment: Segment, index: number): boolean {
    const getter = this.#getters.next();
    if (getter === undefined) return false;
    if (getter.noAck) this.counters.gotNoAck++;
    else this.counters.got++;
    this.#serve(getter, segment, index);
    return true;
  }

  #serveConsumer(segment: Segment, index: number): boolean {
    const consumer = this.#consumers.next();
    if (consumer === undefined) return false;
    if (consumer.noAck) this.counters.deliveredNoAck++;
    else this.counters.delivered++;
    this.#serve(consumer, segment, index);
    return true;
  }

  #serve(receiver: Pick<Consumer, "noAck" | "deliver">, segment: Segment, index: number): void {
    this.#takeReady(segment, index);
    if (segment.isRedelivered(index)) this.counters.redelivered++;
    if (this.#probe.isOf(segment, index)) this.#probe.delivered(this.#host.clock.now());
    if (receiver.noAck) {
      deliverRecord(receiver, segment, index, undefined);
      this.#settle(segment, index, false);
      return;
    }
    segment.markUnacked(index);
    this.unacked++;
    this.unackedBytes += segment.bodySize(index);
    deliverRecord(receiver, segment, index, segment);
  }

  /** An unacked message is done with. */
  ack(segment: Segment, index: number): void {
    if (!this.#takeUnacked(segment, index)) return;
    this.counters.acked++;
    if (this.#probe.isOf(segment, index)) this.#probe.acked(this.#host.clock.now());
    this.#settle(segment, index, false);
  }

  /** An unacked message is refused for good: it is dead-lettered or dropped. */
  reject(segment: Segment, index: number): void {
    if (this.#takeUnacked(segment, index)) this.#bury(segment, index, "rejected");
  }

  /**
   * An unacked message goes back to its place, unless its delivery `failed` once too often, or it is to wait before it is
   * tried again. Call {@link resume} after the last one.
   */
  requeue(segment: Segment, index: number, failed = false): void {
    if (this.deleted || !segment.isUnacked(index)) return;
    if (failed && this.#failedTooOften(segment, index)) {
      this.#takeUnacked(segment, index);
      this.#bury(segment, index, "delivery_limit");
      return;
    }
    const waitMs = this.#retryDelay(segment, index, failed);
    // It stays among the unacked until its time has come.
    if (waitMs > 0) this.#held.hold(segment, index, this.#host.clock.now() + waitMs);
    else this.#putBack(segment, index);
  }

  #failedTooOften(segment: Segment, index: number): boolean {
    const { deliveryLimit } = this.options;
    if (deliveryLimit === undefined && this.type !== "quorum") return false;
    return segment.countDelivery(index) > (deliveryLimit ?? Number.POSITIVE_INFINITY);
  }

  #retryDelay(segment: Segment, index: number, failed: boolean): number {
    const { delayedRetry: retry } = this.options;
    if (retry === undefined || (retry.of !== "all" && failed !== (retry.of === "failed"))) return 0;
    return Math.min(retry.minMs * Math.max(1, segment.deliveryCount(index)), retry.maxMs);
  }

  #release(segment: Segment, index: number): void {
    if (!this.deleted) this.#putBack(segment, index);
  }

  #allReleased(): void {
    // What comes back may be too much: what expires now must not take the place of what does not.
    this.#expiry.expireDue();
    this.resume();
  }

  #putBack(segment: Segment, index: number): void {
    this.unacked--;
    this.unackedBytes -= segment.bodySize(index);
    segment.markReady(index);
    this.#levels.of(segment.level).putBack(segment, index);
    this.ready++;
    this.readyBytes += segment.bodySize(index);
    const expiresAt = segment.expiresAt(index);
    if (expiresAt !== 0) this.#expireInTime(segment, index, expiresAt);
  }

  #takeUnacked(segment: Segment, index: number): boolean {
    if (this.deleted || !segment.isUnacked(index)) return false;
    this.unacked--;
    this.unackedBytes -= segment.bodySize(index);
    return true;
  }

  /** Drops all ready messages and returns how many there were. */
  purge(): number {
    const purged = this.ready;
    this.#probe.settled();
    for (const segment of [...this.#levels.segments()]) this.#purgeSegment(segment);
    this.#levels.noneReady();
    this.ready = 0;
    this.readyBytes = 0;
    this.#answerEmpty();
    return purged;
  }

  #purgeSegment(segment: Segment): void {
    this.#paging.drop(segment);
    segment.dropUnread();
    this.#host.damageSettled(segment.number);
    if (!segment.resident) segment.dropStored();
    else {
      for (let i = segment.nextReady(0); i < segment.count; i = segment.nextReady(i + 1)) segment.settle(i, false);
    }
    this.#levels.dropIfGone(segment);
    this.#awaited.answer(segment);
  }

  /** Ends the queue with all that is in it; its consumers are told. Returns how many messages were ready. */
  delete(): number {
    const { ready } = this;
    this.deleted = true;
    this.#expiry.stop();
    this.#held.stop();
    this.#deadLetterRetries.stop();
    this.#idle.stop();
    for (const segment of this.#levels.segments()) {
      this.#paging.drop(segment);
      this.#host.damageSettled(segment.number);
      segment.discard();
    }
    this.#levels.clear();
    this.#awaited.answerAll();
    if (this.stored) this.#host.store.dropMessages(this.id);
    this.ready = this.unacked = this.readyBytes = this.unackedBytes = 0;
    this.#answerEmpty();
    for (const consumer of this.#consumers.clear()) consumer.cancelled();
    return ready;
  }

  /** Changes what the queue does, with the messages that are in it too. */
  change(options: QueueOptions): void {
    const { messageTtlMs } = this.options;
    this.options = options;
    if (options.messageTtlMs !== messageTtlMs) this.#retime(messageTtlMs);
    if (this.#consumers.size === 0) this.#idle.arm(options.expiresMs);
    this.resume();
  }

  /** Lets each message expire as if the time to live, which was `before`, had always been what it is now. */
  #retime(before: number | undefined): void {
    this.#expiry.forgetMessages();
    for (const segment of this.#levels.segments()) {
      this.#timeToLive.changed(segment, before, this.options.messageTtlMs);
    }
  }

  /** The queue is in use now: x-expires counts from here. */
  touch(): void {
    this.#idle.touch();
    if (this.#consumers.size === 0) this.#idle.arm(this.options.expiresMs);
  }

  /** When it was last declared, consumed from, or fetched from. */
  get usedAt(): number {
    return this.#idle.usedAt;
  }

  #idleExpired(): void {
    if (this.#consumers.size === 0 && !this.deleted) this.#host.queueExpired(this);
  }
}
