import { ChannelCounters } from "../../channel-counters.ts";
import type { ConsumerView } from "../../connections.ts";
import { BrokerError } from "../../errors.ts";
import type { TraceParty } from "../../firehose.ts";
import { exchangeText, queueText } from "../../names.ts";
import type { Access } from "../../permissions.ts";
import type { Consumer } from "../../queue/consumer.ts";
import type { Queue } from "../../queue/queue.ts";
import { Message } from "../../record.ts";
import type { Route } from "../../route.ts";
import type { Vhost } from "../../vhost.ts";
import { AckDeadlines } from "./ack-deadlines.ts";
import type { ChannelConnection, ConnectionChannel } from "./channel-connection.ts";
import { channelClosed, consumerDeleted } from "./client-events.ts";
import type { FrameWriter } from "./codec/frame-writer.ts";
import type { MethodArguments, MethodName } from "./codec/methods.ts";
import type { AmqpHost } from "./host.ts";
import { ContentAssembly } from "./publish.ts";
import { type ConfirmSink, PublisherConfirms } from "./publisher-confirms.ts";
import { returnMessage } from "./returns.ts";
import type { Transaction } from "./transaction.ts";
import { type DeliveryOwner, UnackedDeliveries } from "./unacked.ts";

/** A consumer as its channel knows it. */
export interface HeldConsumer extends Consumer, ConsumerView, DeliveryOwner {
  /** Most deliveries unacked at a time; 0 for no limit. */
  prefetch: number;
}

/** One channel: its state, and what the methods on it work with. */
export class Channel implements ConfirmSink, ConnectionChannel {
  readonly number: number;
  readonly connection: ChannelConnection;
  readonly vhost: Vhost;
  readonly writer: FrameWriter;
  readonly frameMax: number;
  readonly unacked = new UnackedDeliveries();
  readonly counters = new ChannelCounters();
  readonly deadlines: AckDeadlines;
  readonly consumers = new Map<string, HeldConsumer>();
  /** The consumer on amq.rabbitmq.reply-to: its tag, and the address that goes into requests. */
  replies: { readonly tag: string; readonly name: string } | undefined;
  /** Prefetch of consumers to come, and of the channel as a whole; 0 for no limit. */
  prefetch = 0;
  channelPrefetch = 0;
  /** The last queue declared here, which an empty queue name stands for. */
  lastQueue: string | undefined;
  confirms: PublisherConfirms | undefined;
  transaction: Transaction | undefined;
  /** While an answer waits for the disk, the frames behind wait too. */
  suspended = false;
  /** Messages that may be on disk were settled since an answer last waited for the disk. */
  owesAcks = false;
  /** The message that is coming in. */
  readonly assembly: ContentAssembly;
  /** The method being handled, class in the high 16 bits: a close tells the peer. */
  method = 0;
  readonly #defaultTimeoutMs: number | undefined;
  #state: "open" | "closing" | "closed" = "open";
  /** Cancels of consumers to tell the client of once the method being handled is answered. */
  readonly #cancels: string[] = [];
  #dispatching = false;

  constructor(connection: ChannelConnection, number: number, vhost: Vhost, frameMax: number) {
    this.connection = connection;
    this.number = number;
    this.vhost = vhost;
    this.writer = connection.writer;
    this.frameMax = frameMax;
    this.assembly = new ContentAssembly(connection, connection.host.config.maxMessageSize);
    this.#defaultTimeoutMs = this.host.config.consumerTimeoutMs || undefined;
    this.deadlines = new AckDeadlines(this.host.clock, this.unacked, (count) => this.#deliveriesLate(count));
  }

  get host(): AmqpHost {
    return this.connection.host;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** A method is being handled: cancels that it brings wait for its answer. */
  beginMethod(): void {
    this.#dispatching = true;
  }

  endMethod(): void {
    this.#dispatching = false;
  }

  /** Tells the client of cancels that had to wait, unless its answer still does. */
  sendCancels(): void {
    if (this.suspended) return;
    for (const consumerTag of this.#cancels.splice(0)) this.send("basic.cancel", { consumerTag, nowait: true });
  }

  /** Sends a method. */
  send<N extends MethodName>(name: N, args: MethodArguments<N>): void {
    this.writer.method(this.number, name, args);
    this.wrote();
  }

  /** Sends the answer to a method that changed what is stored, once the change is on disk; the channel waits. */
  sendWhenStored<N extends MethodName>(name: N, args: MethodArguments<N>): void {
    this.whenStored(() => this.send(name, args));
  }

  /** Calls `done` once everything done so far is on disk; until then the channel's frames wait. */
  whenStored(done: () => void): void {
    const { store } = this.host;
    this.suspended = true;
    store.whenCommitted(store.gathering, () => this.resume(done));
  }

  /** Ends a suspension: runs `done` if the channel is still open, then lets the frames that waited in. */
  resume(done: () => void): void {
    this.suspended = false;
    if (this.isOpen) {
      this.connection.guard(this, done);
      this.sendCancels();
    }
    this.connection.resumeReading();
  }

  /** Something was written that the end of the turn must flush. */
  wrote(): void {
    this.connection.wrote();
  }

  /** Hands a message to the targets of its route; the confirm, if the channel gives any, follows when all have it safe. */
  route(message: Message, { targets, counters }: Route, mandatory: boolean): void {
    this.vhost.counters.published++;
    if (this.vhost.firehose.isOn) this.vhost.firehose.published(message, this.traceParty, targets);
    this.counters.published++;
    this.host.messageSizes.observe(message.bodySize);
    counters.publishedIn++;
    counters.publishedOut += targets.length;
    if (targets.length === 0) this.#unroutable(message, mandatory);
    else if (targets.length > 1) message.share();
    const { confirms } = this;
    if (confirms === undefined) {
      for (const target of targets) {
        target.enqueue(message, undefined, 0);
        if (target.behind) this.connection.slowDown();
      }
      return;
    }
    this.vhost.counters.toConfirm++;
    const tag = confirms.begin(targets.length);
    for (const target of targets) {
      if (target.behind) this.connection.slowDown();
      const result = target.enqueue(message, confirms, tag);
      if (result === "done") confirms.committed(tag);
      else if (result === "rejected") confirms.rejected(tag);
    }
  }

  /** How the firehose names this channel. */
  get traceParty(): TraceParty {
    return { connection: this.connection.name, channel: this.number, user: this.connection.username };
  }

  /** A message goes to a consumer or getter of a queue. */
  traceDelivery(bytes: Buffer, parts: readonly [number, number, number, number], queue: string, again: boolean): void {
    this.vhost.firehose.delivered(new Message().set(bytes, ...parts), this.traceParty, queue, again);
  }

  #unroutable(message: Message, mandatory: boolean): void {
    if (mandatory) {
      this.vhost.counters.returned++;
      this.counters.returned++;
      returnMessage(this, message);
    } else {
      this.vhost.counters.dropped++;
      this.counters.dropped++;
    }
  }

  /** Starts numbering publishes and confirming them. */
  selectConfirms(): void {
    this.confirms ??= new PublisherConfirms(this);
  }

  ack(deliveryTag: number, multiple: boolean): void {
    if (this.host.confirmFaults.isNacking) this.nack(deliveryTag, multiple);
    else this.writer.ack(this.number, deliveryTag, multiple);
  }

  nack(deliveryTag: number, multiple: boolean): void {
    this.writer.nack(this.number, deliveryTag, multiple);
  }

  confirmsPending(): void {
    this.connection.confirmsPending(this);
  }

  sendConfirms(): void {
    if (!this.isOpen || this.confirms === undefined || this.host.confirmFaults.holds(this)) return;
    const confirmed = this.confirms.send();
    this.counters.confirmed += confirmed;
    this.vhost.counters.confirmed += confirmed;
  }

  /** Whether a consumer may be given a message now; if not, it is served again when the connection has room. */
  maySend(consumer: HeldConsumer): boolean {
    if (this.#state !== "open") return false;
    if (this.connection.hasRoom()) return true;
    this.connection.starve(consumer);
    return false;
  }

  /** A delivery must be settled in time, if a consumer (`ownMs`), its queue or the broker says so. */
  timeDelivery(tag: number, queue: Queue, ownMs: number | undefined): void {
    const timeoutMs = ownMs ?? queue.options.consumerTimeoutMs ?? this.#defaultTimeoutMs;
    if (timeoutMs !== undefined) this.deadlines.add(tag, timeoutMs);
  }

  /** Whether the client has this delivery to settle, even if it is too late for that. */
  owes(tag: number): boolean {
    return this.unacked.has(tag) || this.deadlines.isLate(tag);
  }

  #deliveriesLate(count: number): void {
    const { name, username } = this.connection;
    const about = { connection: name, channel: this.number, user: username, vhost: this.vhost.name, count };
    this.host.logs.channel.warn(about, "deliveries were not acknowledged in time and are released");
  }

  hasPrefetchRoom(): boolean {
    return this.channelPrefetch === 0 || this.unacked.count < this.channelPrefetch;
  }

  /** A queue that a consumer was on has gone: tells the client when it wants to know. */
  consumerCancelled(consumer: HeldConsumer): void {
    if (!this.consumers.delete(consumer.tag)) return;
    consumerDeleted(this, consumer);
    if (!this.isOpen || !this.connection.clientCan("consumer_cancel_notify")) return;
    this.#cancels.push(consumer.tag);
    if (!this.#dispatching) this.sendCancels();
  }

  /** The broker is to serve nobody any more: consumers end, what they have may still be settled. */
  cancelConsumers(): void {
    for (const consumer of [...this.consumers.values()]) {
      consumer.queue.removeConsumer(consumer);
      this.consumerCancelled(consumer);
    }
  }

  /** Throws ACCESS_REFUSED unless the user has this access to a queue or exchange. */
  authorize(access: Access, kind: "queue" | "exchange", name: string): void {
    if (this.mayAccess(access, name)) return;
    const text = kind === "queue" ? queueText(name, this.vhost.name) : exchangeText(name, this.vhost.name);
    const { username } = this.connection;
    throw new BrokerError("ACCESS_REFUSED", `${access} access to ${text} refused for user '${username}'`);
  }

  mayAccess(access: Access, name: string): boolean {
    const { username, host } = this.connection;
    return host.permissions.allows(username, this.vhost.name, access, name === "" ? "amq.default" : name);
  }

  /** Throws ACCESS_REFUSED unless the user may write to, or read from, this key of a topic exchange. */
  authorizeTopic(access: "write" | "read", exchange: string, routingKey: string): void {
    const { username, host } = this.connection;
    if (host.permissions.allowsTopic(username, this.vhost.name, access, exchange, routingKey)) return;
    const text = `${access} access to topic '${routingKey}' in ${exchangeText(exchange, this.vhost.name)}`;
    throw new BrokerError("ACCESS_REFUSED", `${text} refused for user '${username}'`);
  }

  /** Closes the channel on an error of the peer's. */
  fail(error: BrokerError): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#release();
    this.send("channel.close", {
      replyCode: error.code,
      replyText: error.replyText,
      classId: this.method >>> 16,
      methodId: this.method & 0xffff,
    });
  }

  /** The peer ends it: with channel.close, or with close-ok after a close of ours. */
  end(): void {
    this.terminate();
    this.connection.channelClosed(this);
  }

  /** The connection goes: no more frames either way. */
  terminate(): void {
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    if (wasOpen) this.#release();
  }

  /** Gives everything back: consumers leave their queues, unacked messages return to their places. */
  #release(): void {
    this.assembly.abandon();
    if (this.replies !== undefined) this.vhost.replyTargets.delete(this.replies.name);
    const consumers = [...this.consumers.values()];
    this.consumers.clear();
    for (const consumer of consumers) {
      consumerDeleted(this, consumer);
      consumer.queue.removeConsumer(consumer);
    }
    channelClosed(this);
    this.deadlines.stop();
    this.requeueAll(true);
  }

  /** Puts all unacked messages back, the oldest first; their deliveries have `failed` when the channel goes. */
  requeueAll(failed: boolean): void {
    const queues = new Set<Queue>();
    for (;;) {
      const delivery = this.unacked.takeFirst(Number.POSITIVE_INFINITY);
      if (delivery === undefined) break;
      delivery.queue.requeue(delivery.segment, delivery.index, failed);
      delivery.owner?.settledOne();
      queues.add(delivery.queue);
    }
    for (const queue of queues) queue.resume();
  }
}
