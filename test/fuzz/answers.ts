import { decodeContentHeader, decodeMethod } from "../support/wire-codec.ts";

const protocolHeader = Buffer.from("AMQP\0\0\x09\x01", "latin1");

/** No frame is longer than what the broker offers in connection.tune. */
const frameMax = 131_072;

/** What a broker sends to clients. */
const methods =
  /^(connection\.(start|secure|tune|open-ok|close|close-ok|blocked|unblocked|update-secret-ok)|channel\.(open-ok|flow|flow-ok|close|close-ok)|access\.request-ok|exchange\.(declare|delete|bind|unbind)-ok|queue\.(declare|bind|unbind|purge|delete)-ok|basic\.(qos-ok|consume-ok|cancel|cancel-ok|return|deliver|get-ok|get-empty|ack|nack|recover-ok)|confirm\.select-ok|tx\.(select|commit|rollback)-ok)$/;

/** What a content belongs to. */
const withContent = /^basic\.(return|deliver|get-ok)$/;

/** What a channel may send next: nothing while it is closed, and content as long as it was announced. */
type Channel =
  | { readonly name: "open" }
  | { readonly name: "header" }
  | { readonly name: "body"; readonly missing: number }
  | { readonly name: "closed" };

/** Holds all that a broker has sent on one connection against the protocol. Throws for what breaks it, and for INTERNAL_ERROR. */
export class Answers {
  readonly #channels = new Map<number, Channel>();
  #connection: "starting" | "open" | "closed" = "starting";

  /** The channels that were opened. */
  readonly opened: number[] = [];

  constructor(bytes: Buffer) {
    // Who does not say what protocol they speak is told, and nothing else.
    if (bytes.subarray(0, 4).equals(protocolHeader.subarray(0, 4))) {
      if (!bytes.equals(protocolHeader)) throw new Error(`more than the protocol header: ${bytes.toString("hex")}`);
      return;
    }
    let at = 0;
    while (bytes.length - at >= 8) {
      const size = bytes.readUInt32BE(at + 3);
      if (size + 8 > frameMax) throw new Error(`a frame of ${size} bytes`);
      const end = at + 7 + size;
      // A reset may cut off the last frame.
      if (end >= bytes.length) break;
      if (bytes[end] !== 0xce)
        throw new Error(`a frame without an end: ${bytes.subarray(at, at + 40).toString("hex")}`);
      this.#frame(bytes[at] ?? 0, bytes.readUInt16BE(at + 1), bytes.subarray(at + 7, end));
      at = end + 1;
    }
  }

  #frame(type: number, channel: number, payload: Buffer): void {
    switch (type) {
      case 1:
        return this.#method(channel, payload);
      case 2:
        return this.#header(channel, payload);
      case 3:
        return this.#body(channel, payload.length);
      case 8:
        if (channel === 0 && payload.length === 0) return;
        throw new Error(`a heartbeat of ${payload.length} bytes on channel ${channel}`);
      default:
        throw new Error(`a frame of type ${type}`);
    }
  }

  #method(channel: number, payload: Buffer): void {
    const { name, fields } = decodeMethod(payload);
    const told = `${name} on channel ${channel}`;
    if (!methods.test(name)) throw new Error(`the broker sent ${told}`);
    if (fields["reply-code"] === 541) throw new Error(`the broker failed: ${JSON.stringify(fields)}`);
    if (name.startsWith("connection.") !== (channel === 0)) throw new Error(`the broker sent ${told}`);
    if (this.#connection === "closed" && name !== "connection.close-ok") throw new Error(`${told} after the end`);
    if (channel === 0) this.#connectionMethod(name);
    else this.#channelMethod(channel, name, told);
  }

  #connectionMethod(name: string): void {
    if (name === "connection.open-ok") this.#connection = "open";
    if (name === "connection.close" || name === "connection.close-ok") this.#connection = "closed";
  }

  #channelMethod(channel: number, name: string, told: string): void {
    const state = this.#channels.get(channel) ?? { name: "closed" };
    if (this.#connection !== "open") throw new Error(`${told} before connection.open-ok`);
    if (name === "channel.open-ok") {
      if (state.name !== "closed") throw new Error(`${told}, which is open`);
      this.opened.push(channel);
      this.#channels.set(channel, { name: "open" });
      return;
    }
    // The client's own channel.close is answered after the broker's as well.
    if (name === "channel.close-ok" && state.name === "closed" && this.#channels.has(channel)) return;
    if (state.name !== "open") throw new Error(`${told} while it is ${JSON.stringify(state)}`);
    if (withContent.test(name)) this.#channels.set(channel, { name: "header" });
    if (name === "channel.close" || name === "channel.close-ok") this.#channels.set(channel, { name: "closed" });
  }

  #header(channel: number, payload: Buffer): void {
    const state = this.#channels.get(channel);
    if (state?.name !== "header") throw new Error(`a content header on channel ${channel}: ${JSON.stringify(state)}`);
    this.#awaitBody(channel, decodeContentHeader(payload).bodySize);
  }

  #body(channel: number, size: number): void {
    const state = this.#channels.get(channel);
    if (state?.name !== "body" || size > state.missing) {
      throw new Error(`${size} bytes of a body on channel ${channel}: ${JSON.stringify(state)}`);
    }
    this.#awaitBody(channel, state.missing - size);
  }

  #awaitBody(channel: number, missing: number): void {
    this.#channels.set(channel, missing === 0 ? { name: "open" } : { name: "body", missing });
  }
}
