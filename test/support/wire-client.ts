import { connect, type Socket } from "node:net";
import { within } from "./wait-for.ts";
import {
  decodeContentHeader,
  decodeMethod,
  encodeContentHeader,
  encodeMethod,
  type Fields,
  Writer,
} from "./wire-codec.ts";
import { methodNamed } from "./wire-methods.ts";

/** What the broker sent, one frame each; `closed` is the end of the socket and repeats for ever. */
export type Received =
  | {
      readonly type: "method";
      readonly channel: number;
      readonly name: string;
      readonly fields: Record<string, unknown>;
    }
  | {
      readonly type: "header";
      readonly channel: number;
      readonly bodySize: number;
      readonly properties: Record<string, unknown>;
    }
  | { readonly type: "body"; readonly channel: number; readonly payload: Buffer }
  | { readonly type: "heartbeat"; readonly channel: number }
  | { readonly type: "protocol-header"; readonly bytes: Buffer }
  | { readonly type: "closed" };

export type ReceivedMethod = Extract<Received, { type: "method" }>;

/** A message as it came in a delivery, a get or a return. */
export interface ReceivedContent {
  readonly properties: Record<string, unknown>;
  readonly body: Buffer;
}

export interface HandshakeOptions {
  readonly vhost?: string;
  readonly username?: string;
  readonly password?: string;
  readonly mechanism?: string;
  readonly response?: string | Buffer;
  readonly clientProperties?: Fields;
  readonly channelMax?: number;
  readonly frameMax?: number;
  readonly heartbeat?: number;
}

const protocolHeader = Buffer.from("AMQP\0\0\x09\x01", "latin1");
const frameEnd = 0xce;
const frameTypes = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/** The capabilities that let the broker say everything it has to say. */
export const allCapabilities = {
  capabilities: {
    publisher_confirms: true,
    exchange_exchange_bindings: true,
    "basic.nack": true,
    consumer_cancel_notify: true,
    "connection.blocked": true,
    authentication_failure_close: true,
  },
};

/**
 * AMQP by hand: sends any bytes, shows every frame. It keeps no state and forgives nothing, and shares no code with the
 * broker, so that one mistake cannot cancel another.
 */
export class WireClient {
  readonly #socket: Socket;
  readonly #received: Received[] = [];
  #waiting: ((frame: Received) => void) | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #closed = false;
  frameMax = 131_072;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#read(chunk));
    // A reset while we write ends the connection as a close does; the test sees that.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#waiting?.({ type: "closed" });
    });
  }

  /** Whether the broker has closed the socket. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Gives the socket away: what comes from now on is not read here. */
  detach(): Socket {
    return this.#socket.removeAllListeners("data");
  }

  /** Opens the TCP connection and nothing more. */
  static connect(broker: { host: string; port: number }): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(broker.port, broker.host);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new WireClient(socket)));
    });
  }

  /** Connects and goes through the handshake up to connection.open-ok. */
  static async open(broker: { host: string; port: number }, options: HandshakeOptions = {}): Promise<WireClient> {
    const client = await WireClient.connect(broker);
    await client.tune(options);
    client.sendMethod(0, "connection.open", { "virtual-host": options.vhost ?? "/" });
    await client.expect("connection.open-ok");
    return client;
  }

  /** The handshake up to and including tune-ok. Returns connection.start and connection.tune. */
  async tune(options: HandshakeOptions = {}): Promise<{ start: Fields; tune: Fields }> {
    this.send(protocolHeader);
    const start = await this.expect("connection.start");
    this.startOk(options);
    const tune = await this.expect("connection.tune");
    this.frameMax = options.frameMax ?? Number(tune["frame-max"]);
    this.sendMethod(0, "connection.tune-ok", {
      "channel-max": options.channelMax ?? tune["channel-max"],
      "frame-max": this.frameMax,
      heartbeat: options.heartbeat ?? 0,
    });
    return { start, tune };
  }

  startOk(options: HandshakeOptions = {}): void {
    const { username = "guest", password = "guest", mechanism = "PLAIN" } = options;
    this.sendMethod(0, "connection.start-ok", {
      "client-properties": options.clientProperties ?? allCapabilities,
      mechanism,
      response: options.response ?? `\0${username}\0${password}`,
      locale: "en_US",
    });
  }

  async openChannel(channel = 1): Promise<void> {
    await this.call(channel, "channel.open");
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  sendProtocolHeader(): void {
    this.send(protocolHeader);
  }

  sendFrame(type: number, channel: number, payload: Buffer): void {
    this.send(new Writer().uint(1, type).uint(2, channel).longString(payload).uint(1, frameEnd).bytes);
  }

  sendMethod(channel: number, name: string, fields: Fields = {}): void {
    this.sendFrame(frameTypes.method, channel, encodeMethod(methodNamed(name), fields));
  }

  sendContentHeader(channel: number, bodySize: number, properties: Fields = {}, classId = 60): void {
    this.sendFrame(frameTypes.header, channel, encodeContentHeader(classId, bodySize, properties));
  }

  sendBody(channel: number, payload: Buffer): void {
    this.sendFrame(frameTypes.body, channel, payload);
  }

  sendHeartbeat(channel = 0): void {
    this.sendFrame(frameTypes.heartbeat, channel, Buffer.alloc(0));
  }

  /** basic.publish with its content, cut into frames that fit frame-max. */
  publish(channel: number, fields: Fields, body: string | Buffer = "", properties: Fields = {}): void {
    const bytes = Buffer.from(body);
    this.sendMethod(channel, "basic.publish", fields);
    this.sendContentHeader(channel, bytes.length, properties);
    const size = this.frameMax - 8;
    for (let at = 0; at < bytes.length; at += size) this.sendBody(channel, bytes.subarray(at, at + size));
  }

  /** The next frame, heartbeats left out. */
  async next(what = "a frame"): Promise<Received> {
    for (;;) {
      const frame = await this.nextFrame(what);
      if (frame.type !== "heartbeat") return frame;
    }
  }

  /** The next frame of any kind. */
  nextFrame(what = "a frame"): Promise<Received> {
    const frame = this.#received.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.#closed) return Promise.resolve({ type: "closed" });
    const arrived = new Promise<Received>((resolve) => {
      this.#waiting = (received) => {
        this.#waiting = undefined;
        resolve(received);
      };
    });
    return within(arrived, what);
  }

  /** The next frame, which must be a method. */
  async nextMethod(what = "a method"): Promise<ReceivedMethod> {
    const frame = await this.next(what);
    if (frame.type !== "method") throw new Error(`${what} wanted, got ${JSON.stringify(frame)}`);
    return frame;
  }

  /** The fields of the next frame, which must be this method. */
  async expect(name: string): Promise<Record<string, unknown>> {
    const method = await this.nextMethod(name);
    if (method.name !== name) throw new Error(`${name} wanted, got ${JSON.stringify(method)}`);
    return method.fields;
  }

  /** Sends a method and returns the fields of its `-ok`. */
  async call(channel: number, name: string, fields: Fields = {}): Promise<Record<string, unknown>> {
    this.sendMethod(channel, name, fields);
    return await this.expect(`${name}-ok`);
  }

  /** Header and body frames of a message whose method was just read. */
  async nextContent(): Promise<ReceivedContent> {
    const header = await this.next("a content header");
    if (header.type !== "header") throw new Error(`a content header wanted, got ${JSON.stringify(header)}`);
    const parts: Buffer[] = [];
    let missing = header.bodySize;
    while (missing > 0) {
      const frame = await this.next("a content body");
      if (frame.type !== "body") throw new Error(`a content body wanted, got ${JSON.stringify(frame)}`);
      parts.push(frame.payload);
      missing -= frame.payload.length;
    }
    return { properties: header.properties, body: Buffer.concat(parts) };
  }

  /** Ends the connection in the polite way, as far as the broker still goes along. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.sendMethod(0, "connection.close", { "reply-code": 200 });
      for (;;) {
        const frame = await this.next("connection.close-ok");
        if (frame.type === "closed" || (frame.type === "method" && frame.name === "connection.close-ok")) break;
        if (frame.type === "method" && frame.name === "connection.close") this.sendMethod(0, "connection.close-ok");
      }
    }
    this.destroy();
  }

  /** Drops the TCP connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    if (this.#pending.subarray(0, 4).toString("latin1") === "AMQP" && this.#pending.length >= 8) {
      this.#deliver({ type: "protocol-header", bytes: this.#take(8) });
    }
    while (this.#pending.length >= 8) {
      const size = this.#pending.readUInt32BE(3);
      if (this.#pending.length < size + 8) return;
      const frame = this.#take(size + 8);
      if (frame[size + 7] !== frameEnd) throw new Error(`frame ends with ${frame[size + 7]}`);
      this.#deliver(decodeFrame(frame.readUInt8(0), frame.readUInt16BE(1), frame.subarray(7, size + 7)));
    }
  }

  #take(length: number): Buffer {
    const taken = Buffer.from(this.#pending.subarray(0, length));
    this.#pending = this.#pending.subarray(length);
    return taken;
  }

  #deliver(frame: Received): void {
    if (this.#waiting === undefined) this.#received.push(frame);
    else this.#waiting(frame);
  }
}

function decodeFrame(type: number, channel: number, payload: Buffer): Received {
  switch (type) {
    case frameTypes.method:
      return { type: "method", channel, ...decodeMethod(payload) };
    case frameTypes.header:
      return { type: "header", channel, ...decodeContentHeader(payload) };
    case frameTypes.body:
      return { type: "body", channel, payload };
    case frameTypes.heartbeat:
      return { type: "heartbeat", channel };
    default:
      throw new Error(`frame of type ${type}`);
  }
}
