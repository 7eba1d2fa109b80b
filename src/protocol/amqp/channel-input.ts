import { u32 } from "../../bytes.ts";
import { BrokerError } from "../../errors.ts";
import type { Message } from "../../record.ts";
import { handleBasic } from "./basic-class.ts";
import type { Channel } from "./channel.ts";
import { frameType } from "./codec/frame-decoder.ts";
import { decodeMethod, type Method, type MethodName, methodId } from "./codec/methods.ts";
import { handleConfirm } from "./confirm-class.ts";
import { handleExchange } from "./exchange-class.ts";
import { PublishRoutes } from "./publish-routes.ts";
import { handleQueue } from "./queue-class.ts";
import { handleTx } from "./tx-class.ts";

const publishId = methodId("basic.publish");

/**
 * Methods whose answer waits for nothing of their own. It tells the client that the acks it sent before were taken, so
 * those must be on disk by then: the method waits for them.
 */
const answeredAtOnce: ReadonlySet<MethodName> = new Set<MethodName>([
  "channel.close",
  "channel.flow",
  "access.request",
  "exchange.declare",
  "exchange.delete",
  "exchange.bind",
  "exchange.unbind",
  "queue.declare",
  "queue.bind",
  "queue.unbind",
  "queue.purge",
  "queue.delete",
  "basic.qos",
  "basic.consume",
  "basic.cancel",
  "basic.get",
  "basic.recover",
  "confirm.select",
  "tx.select",
  "tx.rollback",
]);

/** The way in of a channel: from its frames to messages and methods, and these to the class that they belong to. */
export class ChannelInput {
  readonly channel: Channel;
  readonly number: number;
  readonly #routes: PublishRoutes;

  constructor(channel: Channel) {
    this.channel = channel;
    this.number = channel.number;
    this.#routes = new PublishRoutes(channel);
  }

  /** Takes a frame with its payload in bytes[start, end). */
  frame(type: number, bytes: Buffer, start: number, end: number): void {
    const { channel } = this;
    const { assembly } = channel;
    if (!channel.isOpen) return this.#closingFrame(type, bytes, start, end);
    let message: Message | undefined;
    if (type === frameType.method) {
      channel.method = end - start < 4 ? 0 : u32(bytes, start);
      if (!assembly.idle) throw this.#interrupted();
      if (channel.method !== publishId) return this.#handle(decodeMethod(bytes, start, end));
      assembly.method(bytes, start, end);
    } else if (type === frameType.header) message = assembly.header(bytes, start, end);
    else message = assembly.body(bytes, start, end);
    if (message !== undefined) this.#publish(message, assembly.mandatory);
  }

  /** Takes some bytes of a body frame. */
  bodyPart(bytes: Buffer, start: number, end: number): void {
    const { isOpen, assembly } = this.channel;
    if (!isOpen) return;
    const message = assembly.bodyPart(bytes, start, end);
    if (message !== undefined) this.#publish(message, assembly.mandatory);
  }

  #interrupted(): BrokerError {
    this.channel.method = publishId;
    return new BrokerError("UNEXPECTED_FRAME", this.channel.assembly.expected);
  }

  /** After a close was sent, everything is discarded until its close-ok (AMQP 0-9-1, channel.close). */
  #closingFrame(type: number, bytes: Buffer, start: number, end: number): void {
    if (type !== frameType.method) return;
    const id = u32(bytes, start);
    if (id === methodId("channel.close")) {
      decodeMethod(bytes, start, end);
      this.channel.send("channel.close-ok", {});
    } else if (id !== methodId("channel.close-ok")) return;
    this.channel.end();
  }

  #publish(message: Message, mandatory: boolean): void {
    const { channel } = this;
    channel.connection.published();
    const route = this.#routes.find(message, mandatory);
    const checked = this.#routes.check(message);
    if (channel.transaction !== undefined) channel.transaction.publish(checked, route, mandatory);
    else channel.route(checked, route, mandatory);
    channel.assembly.handedOn();
  }

  #handle(method: Method): void {
    const { channel } = this;
    if (channel.owesAcks && answeredAtOnce.has(method.name)) {
      channel.owesAcks = false;
      return channel.whenStored(() => this.#handle(method));
    }
    channel.beginMethod();
    try {
      this.#dispatch(method);
    } finally {
      channel.endMethod();
    }
    channel.sendCancels();
  }

  #dispatch(method: Method): void {
    switch (method.name) {
      case "channel.open":
        throw new BrokerError("CHANNEL_ERROR", "second 'channel.open' seen");
      case "channel.close":
        return this.#closedByPeer();
      case "channel.flow":
        return this.#flow(method.args.active);
      case "access.request":
        return this.channel.send("access.request-ok", { ticket: 1 });
      case "exchange.declare":
      case "exchange.delete":
      case "exchange.bind":
      case "exchange.unbind":
        return handleExchange(this.channel, method);
      case "queue.declare":
      case "queue.bind":
      case "queue.unbind":
      case "queue.purge":
      case "queue.delete":
        return handleQueue(this.channel, method);
      case "basic.qos":
      case "basic.consume":
      case "basic.cancel":
      case "basic.cancel-ok":
      case "basic.get":
      case "basic.ack":
      case "basic.nack":
      case "basic.reject":
      case "basic.recover":
      case "basic.recover-async":
        return handleBasic(this.channel, method);
      case "confirm.select":
        return handleConfirm(this.channel, method.args.nowait);
      case "tx.select":
      case "tx.commit":
      case "tx.rollback":
        return handleTx(this.channel, method.name);
      default:
        throw new BrokerError("COMMAND_INVALID", "unimplemented method");
    }
  }

  #flow(active: boolean): void {
    if (!active) throw new BrokerError("NOT_IMPLEMENTED", "active=false");
    this.channel.send("channel.flow-ok", { active });
  }

  #closedByPeer(): void {
    this.channel.end();
    this.channel.send("channel.close-ok", {});
  }
}
