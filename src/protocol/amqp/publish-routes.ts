import { isUtf8 } from "node:buffer";
import { BrokerError } from "../../errors.ts";
import { parseExpiration } from "../../expiration.ts";
import { emptyTable } from "../../field-table.ts";
import { checkHeaders } from "../../header-limits.ts";
import { MessageContent } from "../../message-content.ts";
import { directReplyTo, exchangeText } from "../../names.ts";
import { Message, propertyFlag } from "../../record.ts";
import { editRecord } from "../../record-edit.ts";
import type { Route } from "../../route.ts";
import { hidingBcc, mayBeSenderSelected, senderSelected } from "../../sender-selected.ts";
import type { Channel } from "./channel.ts";

/** Properties that mean something to the broker when a message comes in. */
const checkedFlags = propertyFlag.headers | propertyFlag.expiration | propertyFlag.userId | propertyFlag.replyTo;

/** Finds where a channel's messages go. Most publishers repeat an exchange and a key: the last route is remembered. */
export class PublishRoutes {
  readonly #channel: Channel;
  readonly #edited = new Message();
  #lastAddress: Buffer = Buffer.alloc(0);
  #lastRoute: Route | undefined;
  #lastVersion = -1;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** The targets of a message. Throws when its user may not send it there, or there is no such exchange. */
  find(message: Message, mandatory: boolean): Route {
    const route = this.#lastRoute;
    if (route === undefined || !this.#isSame(message) || mayBeSenderSelected(message))
      return this.#resolve(message, mandatory);
    return route;
  }

  #isSame(message: Message): boolean {
    if (this.#channel.host.topologyVersion !== this.#lastVersion) return false;
    const { bytes, addressStart, addressEnd } = message;
    const last = this.#lastAddress;
    const size = addressEnd - addressStart;
    if (size !== last.length) return false;
    for (let i = size - 1; i >= 0; i--) if (bytes[addressStart + i] !== last[i]) return false;
    return true;
  }

  #resolve(message: Message, mandatory: boolean): Route {
    const channel = this.#channel;
    const address = message.bytes.subarray(message.addressStart, message.addressEnd);
    if (!isUtf8(address)) throw new BrokerError("FRAME_ERROR", "Malformed UTF-8 in shortstr");
    const { exchange: name, routingKey } = message;
    channel.authorize("write", "exchange", name);
    const exchange = channel.vhost.getExchange(name);
    if (exchange.internal) {
      const text = `cannot publish to internal ${exchangeText(name, channel.vhost.name)}`;
      throw new BrokerError("ACCESS_REFUSED", text);
    }
    if (exchange.type === "topic") channel.authorizeTopic("write", name, routingKey);
    const headers = message.headersAt === 0 ? emptyTable : message.headers();
    const { cc, bcc } = senderSelected(headers);
    const content = new MessageContent(message, headers);
    const route = channel.vhost.route(name, [routingKey, ...cc, ...bcc], content, mandatory);
    this.#remember(address, route, cc.length + bcc.length === 0 && route.fixed);
    return route;
  }

  #remember(address: Buffer, route: Route, reusable: boolean): void {
    this.#lastRoute = reusable ? route : undefined;
    if (!reusable) return;
    this.#lastAddress = Buffer.from(address);
    this.#lastVersion = this.#channel.host.topologyVersion;
  }

  /** Checks the properties that the broker acts on; returns the message as it is to be delivered. */
  check(message: Message): Message {
    if ((message.propertyFlags & checkedFlags) === 0) return message;
    checkHeaders(message, this.#channel.host.config.limits);
    this.#checkUserId(message);
    const { expiration } = message;
    const expiresAfterMs = expiration === undefined ? -1 : parseExpiration(expiration);
    const edited = this.#edit(message);
    edited.expiresAfterMs = expiresAfterMs;
    return edited;
  }

  #checkUserId(message: Message): void {
    const { userId } = message;
    const { username, host } = this.#channel.connection;
    if (userId === undefined || userId === username) return;
    if (host.users.find(username)?.tags.includes("impersonator")) return;
    const text = `user_id property set to '${userId}' but authenticated user was '${username}'`;
    throw new BrokerError("PRECONDITION_FAILED", text);
  }

  /** No client sees BCC; amq.rabbitmq.reply-to stands for the address of the channel's reply consumer. */
  #edit(message: Message): Message {
    const replyTo = message.replyTo === directReplyTo ? this.#replyAddress() : undefined;
    const hiding = mayBeSenderSelected(message) ? hidingBcc(message.headers()) : undefined;
    if (replyTo === undefined && hiding === undefined) return message;
    return this.#edited.setOwned(editRecord(message, { ...(replyTo !== undefined && { replyTo }), ...hiding }));
  }

  #replyAddress(): string {
    const { replies } = this.#channel;
    if (replies !== undefined) return replies.name;
    throw new BrokerError("PRECONDITION_FAILED", "fast reply consumer does not exist");
  }
}
