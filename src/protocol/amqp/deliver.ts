import { putU32 } from "../../bytes.ts";
import type { ConsumerView } from "../../connections.ts";
import type { FieldTable } from "../../field-table.ts";
import type { Consumer } from "../../queue/consumer.ts";
import type { Queue } from "../../queue/queue.ts";
import type { Segment } from "../../queue/segment.ts";
import type { Channel } from "./channel.ts";
import { methodId } from "./codec/methods.ts";
import type { DeliveryOwner } from "./unacked.ts";

/** What a basic.consume asked for. */
export interface ConsumerOptions {
  readonly tag: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  /** How long a delivery may stay unacked; undefined leaves it to the queue. */
  readonly timeoutMs: number | undefined;
  /** Most deliveries unacked at a time; 0 for no limit. */
  readonly prefetch: number;
  readonly arguments: FieldTable;
}

/** A consumer on a channel: takes messages from its queue and sends them as basic.deliver. */
export class ChannelConsumer implements Consumer, ConsumerView, DeliveryOwner {
  readonly tag: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly queue: Queue;
  readonly arguments: FieldTable;
  prefetch: number;
  readonly #channel: Channel;
  readonly #prefix: Buffer;
  readonly #timeoutMs: number | undefined;
  #unacked = 0;

  constructor(channel: Channel, queue: Queue, options: ConsumerOptions) {
    this.#channel = channel;
    this.queue = queue;
    this.tag = options.tag;
    this.noAck = options.noAck;
    this.exclusive = options.exclusive;
    this.priority = options.priority;
    this.prefetch = options.prefetch;
    this.#timeoutMs = options.timeoutMs;
    this.arguments = options.arguments;
    this.#prefix = deliverPrefix(options.tag);
  }

  hasCredit(): boolean {
    if (!this.#channel.maySend(this)) return false;
    if (this.noAck) return true;
    return (this.prefetch === 0 || this.#unacked < this.prefetch) && this.#channel.hasPrefetchRoom();
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
    let tag: number;
    if (redelivered) channel.counters.redelivered++;
    if (segment === undefined) {
      channel.counters.deliveredNoAck++;
      tag = channel.unacked.skip();
    } else {
      channel.counters.delivered++;
      tag = channel.unacked.add(this.queue, segment, index, this);
      this.#unacked++;
      channel.timeDelivery(tag, this.queue, this.#timeoutMs);
    }
    if (channel.vhost.firehose.isOn) {
      const parts = [addressStart, addressEnd, contentStart, contentEnd] as const;
      channel.traceDelivery(bytes, parts, this.queue.name, redelivered);
    }
    const { writer, frameMax } = channel;
    writer.deliver(channel.number, this.#prefix, tag, redelivered, bytes, addressStart, addressEnd);
    writer.content(channel.number, bytes, contentStart + 1, contentEnd, frameMax, bytesStay);
    channel.wrote();
  }

  settledOne(): void {
    this.#unacked--;
  }

  serve(): void {
    this.queue.consumerReady(this);
  }

  cancelled(): void {
    this.#channel.consumerCancelled(this);
  }
}

/** The start of every basic.deliver to a consumer: class, method and consumer tag. */
export function deliverPrefix(tag: string): Buffer {
  const text = Buffer.from(tag, "utf8");
  const prefix = Buffer.alloc(5 + text.length);
  putU32(prefix, 0, methodId("basic.deliver"));
  prefix.writeUInt8(text.length, 4);
  text.copy(prefix, 5);
  return prefix;
}
