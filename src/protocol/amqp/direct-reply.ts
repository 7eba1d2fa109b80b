import { BrokerError } from "../../errors.ts";
import { directReplyTo, randomToken } from "../../names.ts";
import type { Enqueued } from "../../queue/queue.ts";
import type { Message } from "../../record.ts";
import type { Target } from "../../route.ts";
import type { Channel } from "./channel.ts";
import { deliverPrefix } from "./deliver.ts";

/** A consumer on amq.rabbitmq.reply-to: replies published to its address go to its channel, through no queue. */
export class DirectReplyConsumer implements Target {
  readonly tag: string;
  readonly behind = false;
  /** The address that goes into requests; nobody can guess it. */
  readonly name = `${directReplyTo}.${randomToken()}`;
  readonly #channel: Channel;
  readonly #prefix: Buffer;
  /** Replies dropped since the last one that was sent. */
  #dropped = 0;

  constructor(channel: Channel, tag: string) {
    this.tag = tag;
    this.#channel = channel;
    this.#prefix = deliverPrefix(tag);
  }

  enqueue(message: Message): Enqueued {
    const channel = this.#channel;
    if (channel.connection.backlog > channel.host.config.limits.unsentReplyBytes) return this.#drop();
    this.#dropped = 0;
    const { writer, frameMax } = channel;
    const { bytes, addressStart, addressEnd, contentStart, contentEnd } = message;
    const tag = channel.unacked.skip();
    channel.counters.deliveredNoAck++;
    writer.deliver(channel.number, this.#prefix, tag, false, bytes, addressStart, addressEnd);
    writer.content(channel.number, bytes, contentStart + 1, contentEnd, frameMax, message.stays);
    channel.wrote();
    return "done";
  }

  #drop(): Enqueued {
    const { connection, host, number } = this.#channel;
    if (this.#dropped++ === 0) {
      host.logs.connection.warn(
        { connection: connection.name, channel: number },
        "replies are dropped: the client does not read them",
      );
    }
    return "done";
  }
}

/** Checks that a channel can have a consumer on amq.rabbitmq.reply-to. Throws PRECONDITION_FAILED. */
export function checkReplies(channel: Channel, noAck: boolean): void {
  if (!noAck) throw new BrokerError("PRECONDITION_FAILED", "reply consumer cannot acknowledge");
  if (channel.replies !== undefined) throw new BrokerError("PRECONDITION_FAILED", "reply consumer already set");
}

/** Makes the consumer of a basic.consume on amq.rabbitmq.reply-to. */
export function consumeReplies(channel: Channel, tag: string): DirectReplyConsumer {
  const consumer = new DirectReplyConsumer(channel, tag);
  channel.vhost.replyTargets.set(consumer.name, consumer);
  return consumer;
}
