import { putU32, putU64 } from "../../bytes.ts";
import { BrokerError } from "../../errors.ts";
import type { FieldTable } from "../../field-table.ts";
import { directReplyTo, generateConsumerTag } from "../../names.ts";
import { isInteger } from "../../queue/arguments.ts";
import type { Getter } from "../../queue/consumer.ts";
import type { Queue } from "../../queue/queue.ts";
import type { Segment } from "../../queue/segment.ts";
import type { Channel } from "./channel.ts";
import { consumerCreated, consumerDeleted } from "./client-events.ts";
import { type Method, type MethodArguments, methodId } from "./codec/methods.ts";
import { ChannelConsumer } from "./deliver.ts";
import { checkReplies, consumeReplies } from "./direct-reply.ts";
import { queueName, readableQueue, textOf } from "./queue-class.ts";
import { settleOne, settleUpTo } from "./settlements.ts";
import type { Settlement } from "./unacked.ts";

type BasicMethod = Extract<
  Method,
  {
    name:
      | "basic.qos"
      | "basic.consume"
      | "basic.cancel"
      | "basic.cancel-ok"
      | "basic.get"
      | "basic.ack"
      | "basic.nack"
      | "basic.reject"
      | "basic.recover"
      | "basic.recover-async";
  }
>;

/** The basic class, but for publishing. */
export function handleBasic(channel: Channel, method: BasicMethod): void {
  switch (method.name) {
    case "basic.ack":
      return settle(channel, method.args.deliveryTag, method.args.multiple, "ack");
    case "basic.nack":
      return settle(channel, method.args.deliveryTag, method.args.multiple, method.args.requeue ? "requeue" : "reject");
    case "basic.reject":
      return settle(channel, method.args.deliveryTag, false, method.args.requeue ? "return" : "reject");
    case "basic.get":
      return get(channel, method.args);
    case "basic.consume":
      return consume(channel, method.args);
    case "basic.cancel":
      return cancel(channel, method.args);
    case "basic.cancel-ok":
      return;
    case "basic.qos":
      return qos(channel, method.args);
    case "basic.recover":
      recover(channel, method.args.requeue);
      return channel.send("basic.recover-ok", {});
    case "basic.recover-async":
      return recover(channel, method.args.requeue);
    default:
      method satisfies never;
  }
}

/** Tag 0 with multiple stands for all. */
function settle(channel: Channel, tag: number, multiple: boolean, how: Settlement): void {
  const all = multiple && tag === 0;
  if (channel.transaction !== undefined) return settleAtCommit(channel, all ? 0 : tag, multiple, how);
  if (!multiple) {
    if (!settleOne(channel, tag, how)) throw unknownTag(tag);
  } else if (all || channel.owes(tag)) settleUpTo(channel, all ? channel.unacked.lastTag : tag, how);
  else throw unknownTag(tag);
}

function settleAtCommit(channel: Channel, tag: number, multiple: boolean, how: Settlement): void {
  const { transaction, unacked } = channel;
  if (transaction === undefined) return;
  if (tag !== 0 || !multiple) if (!channel.owes(tag) || transaction.isSettled(tag)) throw unknownTag(tag);
  const tags = multiple ? unacked.tagsUpTo(tag === 0 ? unacked.lastTag : tag) : [tag];
  transaction.settle(
    tags.filter((each) => !transaction.isSettled(each)),
    how,
  );
}

function unknownTag(tag: number): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", `unknown delivery tag ${tag}`);
}

function recover(channel: Channel, requeue: boolean): void {
  if (!requeue) throw new BrokerError("NOT_IMPLEMENTED", "requeue=false");
  channel.requeueAll(false);
  for (const consumer of channel.consumers.values()) consumer.serve();
}

/**
 * Without global the count is for each consumer, with it for the channel as a whole. Unlike RabbitMQ's, a change
 * reaches the consumers that are there already.
 */
function qos(channel: Channel, args: MethodArguments<"basic.qos">): void {
  if (args.prefetchSize !== 0) throw new BrokerError("NOT_IMPLEMENTED", `prefetch_size!=0 (${args.prefetchSize})`);
  if (args.global) channel.channelPrefetch = args.prefetchCount;
  else channel.prefetch = args.prefetchCount;
  for (const consumer of channel.consumers.values()) if (!args.global) consumer.prefetch = args.prefetchCount;
  channel.send("basic.qos-ok", {});
  for (const consumer of channel.consumers.values()) consumer.serve();
}

function consume(channel: Channel, args: MethodArguments<"basic.consume">): void {
  const tag = args.consumerTag === "" ? generateConsumerTag() : args.consumerTag;
  if (args.queue === directReplyTo) checkReplies(channel, args.noAck);
  if (channel.consumers.has(tag) || channel.replies?.tag === tag) {
    throw new BrokerError("NOT_ALLOWED", `attempt to reuse consumer tag '${tag}'`);
  }
  const most = channel.host.config.limits.consumersOfChannel;
  if (channel.consumers.size + (channel.replies === undefined ? 0 : 1) >= most) {
    throw new BrokerError("NOT_ALLOWED", `reached maximum (${most}) of consumers per channel`);
  }
  if (args.queue === directReplyTo) channel.replies = consumeReplies(channel, tag);
  else return consumeQueue(channel, tag, args);
  if (!args.nowait) channel.send("basic.consume-ok", { consumerTag: tag });
}

function consumeQueue(channel: Channel, tag: string, args: MethodArguments<"basic.consume">): void {
  const name = queueName(channel, args.queue);
  const queue = readableQueue(channel, name);
  const consumer = new ChannelConsumer(channel, queue, {
    tag,
    noAck: args.noAck,
    exclusive: args.exclusive,
    priority: integerOf(args.arguments, "x-priority", textOf(channel, name)) ?? 0,
    timeoutMs: timeoutOf(args.arguments, textOf(channel, name)),
    prefetch: channel.prefetch,
    arguments: args.arguments,
  });
  if (queue.type === "quorum" && channel.channelPrefetch > 0) {
    throw new BrokerError("NOT_IMPLEMENTED", `${textOf(channel, name)} does not support global qos`);
  }
  queue.checkExclusiveUse(consumer);
  channel.consumers.set(tag, consumer);
  // The client must know its consumer before the first message comes for it.
  if (!args.nowait) channel.send("basic.consume-ok", { consumerTag: tag });
  consumerCreated(channel, consumer);
  queue.addConsumer(consumer);
}

function integerOf(args: FieldTable, name: string, queue: string): number | undefined {
  const field = args.get(name);
  if (field === undefined) return undefined;
  if (isInteger(field)) return Number(field.value);
  throw new BrokerError(
    "PRECONDITION_FAILED",
    `invalid arg '${name}' for ${queue}: "expected integer, got ${field.type}"`,
  );
}

function timeoutOf(args: FieldTable, queue: string): number | undefined {
  const ms = integerOf(args, "x-consumer-timeout", queue);
  if (ms === undefined || ms >= 0) return ms;
  throw new BrokerError("PRECONDITION_FAILED", `invalid arg 'x-consumer-timeout' for ${queue}: {value_negative,${ms}}`);
}

/** Unknown tags are cancelled all the same. Messages delivered stay unacked. */
function cancel(channel: Channel, args: MethodArguments<"basic.cancel">): void {
  const consumer = channel.consumers.get(args.consumerTag);
  if (consumer !== undefined) {
    channel.consumers.delete(args.consumerTag);
    consumerDeleted(channel, consumer);
    consumer.queue.removeConsumer(consumer);
  } else if (channel.replies?.tag === args.consumerTag) {
    channel.vhost.replyTargets.delete(channel.replies.name);
    channel.replies = undefined;
  }
  if (!args.nowait) channel.send("basic.cancel-ok", { consumerTag: args.consumerTag });
}

function get(channel: Channel, args: MethodArguments<"basic.get">): void {
  const queue = readableQueue(channel, queueName(channel, args.queue));
  if (queue.type === "quorum" && queue.options.singleActiveConsumer) {
    const text = `cannot obtain access to locked ${textOf(channel, queue.name)}. basic.get operations are not supported by`;
    throw new BrokerError("RESOURCE_LOCKED", `${text} quorum queues with single active consumer`);
  }
  const getter = new ChannelGetter(channel, queue, args.noAck);
  queue.get(getter);
  // The message is still on disk: the frames behind must not overtake the answer.
  if (getter.waiting) channel.suspended = true;
}

/** A basic.get waiting for its message. */
class ChannelGetter implements Getter {
  readonly noAck: boolean;
  readonly #channel: Channel;
  readonly #queue: Queue;
  #answered = false;

  constructor(channel: Channel, queue: Queue, noAck: boolean) {
    this.#channel = channel;
    this.#queue = queue;
    this.noAck = noAck;
  }

  get waiting(): boolean {
    return !this.#answered && this.#channel.isOpen;
  }

  empty(): void {
    this.#channel.counters.gotEmpty++;
    this.#answer(() => this.#channel.send("basic.get-empty", { clusterId: "" }));
  }

  deliver(
    bytes: Buffer,
    addressStart: number,
    addressEnd: number,
    contentStart: number,
    contentEnd: number,
    bytesStay: boolean,
    redelivered: boolean,
    segment: Segment | undefined,
    index: number,
  ): void {
    const channel = this.#channel;
    const { unacked, writer, frameMax, number, counters } = channel;
    if (redelivered) counters.redelivered++;
    if (segment === undefined) counters.gotNoAck++;
    else counters.got++;
    if (channel.vhost.firehose.isOn) {
      const parts = [addressStart, addressEnd, contentStart, contentEnd] as const;
      channel.traceDelivery(bytes, parts, this.#queue.name, redelivered);
    }
    this.#answer(() => {
      const tag = segment === undefined ? unacked.skip() : unacked.add(this.#queue, segment, index, undefined);
      if (segment !== undefined) channel.timeDelivery(tag, this.#queue, undefined);
      const head = Buffer.alloc(13);
      putU32(head, 0, methodId("basic.get-ok"));
      putU64(head, 4, tag);
      head.writeUInt8(redelivered ? 1 : 0, 12);
      const count = Buffer.alloc(4);
      putU32(count, 0, this.#queue.ready);
      writer.contentMethod(number, head, bytes, addressStart, addressEnd, count);
      writer.content(number, bytes, contentStart + 1, contentEnd, frameMax, bytesStay);
      channel.wrote();
    });
  }

  #answer(send: () => void): void {
    this.#answered = true;
    if (this.#channel.suspended) this.#channel.resume(send);
    else send();
  }
}
