import type { Socket } from "node:net";
import { endpoint, plainAddress } from "../../addresses.ts";
import type { AlarmListener } from "../../alarms.ts";
import type { ChannelView, ConnectionDetails, ConnectionView } from "../../connections.ts";
import { BrokerError } from "../../errors.ts";
import { emptyTable, type FieldTable } from "../../field-table.ts";
import type { Queue } from "../../queue/queue.ts";
import { erlangBinary, erlangText } from "../../record.ts";
import type { TlsPeer } from "../../tls-peer.ts";
import { removeQueue } from "../../topology.ts";
import type { Vhost } from "../../vhost.ts";
import { Channel } from "./channel.ts";
import type { ChannelConnection, ConnectionChannel } from "./channel-connection.ts";
import { ChannelInput } from "./channel-input.ts";
import { channelView } from "./channel-view.ts";
import { channelCreated, connectionClosed, connectionCreated } from "./client-events.ts";
import { FrameDecoder, type FrameHandler, frameType } from "./codec/frame-decoder.ts";
import type { FrameWriter } from "./codec/frame-writer.ts";
import { decodeMethod, type Method, type MethodArguments, type MethodName, methodId } from "./codec/methods.ts";
import { advance, type ConnectionState, type HandshakeEvent } from "./connection-state.ts";
import {
  acceptTuning,
  checkChannelLimit,
  LoginRefusedError,
  logIn,
  openVhost,
  protocolHeader,
  start,
} from "./handshake.ts";
import type { HeartbeatPeer } from "./heartbeat.ts";
import type { AmqpHost } from "./host.ts";
import { type InputListener, SocketInput } from "./input.ts";
import { type OutputListener, SocketOutput, type Starved } from "./output.ts";
import type { ContentAssembly } from "./publish.ts";

/** How long a peer may take to answer connection.close. */
const closeOkMsMax = 5000;
/** A failed login is answered so late when the client does not understand authentication_failure_close. */
const silentCloseMs = 3000;
/** One client connection: reads frames, passes them to channels, writes theirs, and closes. */
export class Connection
  implements
    FrameHandler,
    ChannelConnection,
    ConnectionView,
    HeartbeatPeer,
    AlarmListener,
    InputListener,
    OutputListener
{
  readonly host: AmqpHost;
  readonly name: string;
  readonly connectedAt: number;
  /** Where the client is. */
  readonly address: string;
  /** Who is at the other end of TLS; undefined without it. */
  readonly peer: TlsPeer | undefined;
  inChunk: ContentAssembly | undefined;
  clientProperties: FieldTable = emptyTable;
  #authMechanism = "";
  readonly #input: SocketInput;
  readonly #socket: Socket;
  readonly #output: SocketOutput;
  readonly #decoder: FrameDecoder;
  readonly #channels = new Map<number, ChannelInput>();
  readonly #exclusive = new Set<Queue>();
  #confirming: ConnectionChannel[] = [];
  #state: ConnectionState = { name: "awaiting-header" };
  /** Known for good once they are, for the log and for lists. */
  #username = "";
  #vhost: string | undefined;
  #lastChannel: ChannelInput | undefined;
  /** Bytes before the protocol header is whole. */
  #header: Buffer = Buffer.alloc(0);
  /** Bytes kept of messages that are not complete. */
  #unfinished = 0;
  /** The password is being checked: what follows the start-ok waits. */
  #loggingIn = false;
  /** An alarm is set and the client publishes. */
  #blocked = false;
  #deadline: NodeJS.Timeout;
  /** The method being handled outside of channels; 0 for none. */
  #method = 0;
  #why = "client closed the socket";

  /** Takes over an accepted, paused socket. */
  constructor(accepted: Socket, host: AmqpHost, peer: TlsPeer | undefined) {
    this.host = host;
    this.#input = new SocketInput(accepted, this);
    const { socket } = this.#input;
    this.#socket = socket;
    this.#output = new SocketOutput(socket, host.turns, this);
    this.#decoder = new FrameDecoder(host.config.initialFrameMax, this);
    this.connectedAt = host.clock.now();
    this.address = plainAddress(socket.remoteAddress);
    this.peer = peer;
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    this.name = `${endpoint(remoteAddress, remotePort)} -> ${endpoint(localAddress, localPort)}`;
    this.#deadline = setTimeout(() => this.#destroy("handshake timed out"), host.config.handshakeTimeoutMs).unref();
    socket.setNoDelay(true);
    socket.on("error", (error) => this.#destroy(error.message));
    socket.on("close", () => this.#gone());
    host.connections.add(this);
    host.churn.connectionsCreated++;
  }

  get writer(): FrameWriter {
    return this.#output.writer;
  }

  /** The user logged in; empty before. */
  get username(): string {
    return this.#username;
  }

  get vhost(): string | undefined {
    return this.#vhost;
  }

  get bytesReceived(): number {
    return this.#socket.bytesRead;
  }

  get bytesSent(): number {
    return this.#socket.bytesWritten;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  get heartbeat(): number {
    return this.#state.name === "running" ? this.#state.tuning.heartbeat : 0;
  }

  /** Whether the client said in start-ok that it understands a capability. */
  clientCan(capability: string): boolean {
    const capabilities = this.clientProperties.get("capabilities");
    const field = capabilities?.type === "table" ? capabilities.value.get(capability) : undefined;
    return field?.type === "bool" && field.value;
  }

  bytesCame(chunk: Buffer): void {
    try {
      if (this.#state.name === "awaiting-header") this.#takeHeader(chunk);
      else if (this.#state.name !== "closed") this.#decoder.push(chunk);
    } catch (error) {
      this.#failed(error, 0);
    }
    this.inChunk?.spill();
  }

  #takeHeader(chunk: Buffer): void {
    this.#header = Buffer.concat([this.#header, chunk]);
    if (this.#header.length < protocolHeader.length) return;
    const header = this.#header.subarray(0, protocolHeader.length);
    if (!header.equals(protocolHeader) && !header.equals(Buffer.from("AMQP\x01\x01\x00\x09", "latin1"))) {
      this.#socket.end(protocolHeader);
      return this.#destroySoon(`unsupported protocol header ${erlangBinary(header)}`);
    }
    this.#advance({ name: "protocol-header" });
    start(this);
    this.#decoder.push(this.#header.subarray(protocolHeader.length));
    this.#header = Buffer.alloc(0);
  }

  #advance(event: HandshakeEvent): void {
    this.#state = advance(this.#state, event);
  }

  frame(type: number, number: number, bytes: Buffer, start: number, end: number): boolean {
    if (this.#blocked) return false;
    const last = this.#lastChannel;
    const input = last !== undefined && last.number === number ? last : this.#channels.get(number);
    if (input !== undefined) return this.#channelFrame(input, type, bytes, start, end);
    if (this.#loggingIn) return false;
    this.#method = 0;
    try {
      if (number === 0) this.#connectionFrame(type, bytes, start, end);
      else this.#strayFrame(type, number, bytes, start, end);
    } catch (error) {
      this.#failed(error, this.#method);
    }
    return true;
  }

  #channelFrame(input: ChannelInput, type: number, bytes: Buffer, start: number, end: number): boolean {
    const { channel } = input;
    if (channel.suspended) return false;
    this.#lastChannel = input;
    try {
      if (type < frameType.method || type > frameType.body) throw unexpectedFrame(type, bytes, start, end);
      input.frame(type, bytes, start, end);
    } catch (error) {
      this.#failed(error, channel.method, channel);
    }
    return true;
  }

  /** A frame on a channel that is not open. */
  #strayFrame(type: number, number: number, bytes: Buffer, start: number, end: number): void {
    const state = this.#state;
    if (state.name === "closing" || state.name === "closed") return;
    if (state.name !== "running") throw unexpectedFrame(type, bytes, start, end);
    if (type === frameType.header || type === frameType.body) {
      throw new BrokerError("UNEXPECTED_FRAME", "expected method frame, got non method frame instead");
    }
    if (type !== frameType.method) throw unexpectedFrame(type, bytes, start, end);
    const method = decodeMethod(bytes, start, end);
    if (method.name !== "channel.open") this.#method = methodId(method.name);
    this.#openChannel(number, method, state.vhost);
  }

  #openChannel(number: number, method: Method, vhost: Vhost): void {
    if (method.name === "channel.close-ok") return;
    if (method.name !== "channel.open") throw new BrokerError("CHANNEL_ERROR", "expected 'channel.open'");
    const { channelMax, frameMax } = this.#tuning();
    if (channelMax > 0 && this.#channels.size >= channelMax) {
      const text = `number of channels opened (${this.#channels.size}) has reached the negotiated channel_max (${channelMax})`;
      throw new BrokerError("NOT_ALLOWED", text);
    }
    checkChannelLimit(this);
    const channel = new Channel(this, number, vhost, frameMax);
    this.#channels.set(number, new ChannelInput(channel));
    channelCreated(channel);
    this.host.churn.channelsCreated++;
    channel.send("channel.open-ok", { channelId: Buffer.alloc(0) });
  }

  #tuning(): { channelMax: number; frameMax: number } {
    if (this.#state.name === "running") return this.#state.tuning;
    throw new Error(`no tuning in state ${this.#state.name}`);
  }

  bodyPart(number: number, bytes: Buffer, start: number, end: number): boolean {
    const input = this.#channels.get(number);
    if (this.#blocked || this.#loggingIn || input?.channel.suspended === true) return false;
    if (this.#state.name !== "running") return true;
    if (input === undefined) throw new BrokerError("CHANNEL_ERROR", "expected 'channel.open'");
    try {
      input.bodyPart(bytes, start, end);
    } catch (error) {
      this.#failed(error, input.channel.method, input.channel);
    }
    return true;
  }

  /** A frame on channel 0. */
  #connectionFrame(type: number, bytes: Buffer, start: number, end: number): void {
    this.#method = 0;
    if (type === frameType.heartbeat) {
      if (start === end) return;
      throw unknownFrame(type, bytes, start, end);
    }
    if (this.#state.name === "closing") return this.#closingFrame(type, bytes, start, end);
    if (type !== frameType.method) throw unexpectedFrame(type, bytes, start, end);
    const method = decodeMethod(bytes, start, end);
    this.#method = methodId(method.name);
    this.#handle(method);
  }

  #closingFrame(type: number, bytes: Buffer, start: number, end: number): void {
    if (type !== frameType.method) return;
    const method = decodeMethod(bytes, start, end);
    if (method.name === "connection.close") this.send("connection.close-ok", {});
    if (method.name === "connection.close-ok" || method.name === "connection.close") this.#finish();
  }

  #handle(method: Method): void {
    switch (method.name) {
      case "connection.start-ok":
        return this.#startOk(method.args);
      case "connection.tune-ok":
        return this.#tuneOk(method.args);
      case "connection.open":
        return this.#open(method.args.virtualHost);
      case "connection.close":
        return this.#closedByPeer(method.args);
      case "connection.update-secret":
        return this.#updateSecret();
      default:
        throw this.#unexpectedMethod();
    }
  }

  #startOk(args: MethodArguments<"connection.start-ok">): void {
    if (this.#state.name !== "starting") throw this.#unexpectedMethod();
    this.clientProperties = args.clientProperties;
    this.#authMechanism = args.mechanism;
    const id = this.#method;
    this.#loggingIn = true;
    logIn(this, args.mechanism, args.response).then(
      (username) => this.#loginEnded(() => this.#loggedIn(username)),
      (error: unknown) => this.#loginEnded(() => this.#failed(error, id)),
    );
  }

  #loginEnded(goOn: () => void): void {
    this.#loggingIn = false;
    // The client may have gone meanwhile, or its time is over.
    if (this.#state.name === "starting") goOn();
    this.resumeReading();
  }

  #loggedIn(username: string): void {
    this.#advance({ name: "start-ok", username });
    this.#username = username;
    const { channelMax, frameMax, heartbeat } = this.host.config;
    this.send("connection.tune", { channelMax, frameMax, heartbeat });
  }

  #unexpectedMethod(): BrokerError {
    return new BrokerError("CHANNEL_ERROR", `unexpected method in connection state ${this.#state.name}`);
  }

  #tuneOk(args: MethodArguments<"connection.tune-ok">): void {
    const tuning = acceptTuning(args, this.host.config);
    this.#advance({ name: "tune-ok", tuning });
    this.#decoder.frameMax = tuning.frameMax;
  }

  #open(vhostName: string): void {
    if (this.#state.name !== "opening") throw this.#unexpectedMethod();
    const vhost = openVhost(this, this.#state.username, vhostName);
    this.#advance({ name: "open", vhost });
    this.#vhost = vhost.name;
    this.host.connections.noteOpened();
    clearTimeout(this.#deadline);
    this.host.heartbeats.watch(this);
    this.send("connection.open-ok", { knownHosts: "" });
    this.host.logs.connection.info(this.#logged(), "connection open");
    connectionCreated(this);
  }

  #updateSecret(): void {
    if (this.#state.name !== "running") throw this.#unexpectedMethod();
    this.send("connection.update-secret-ok", {});
  }

  #closedByPeer(args: MethodArguments<"connection.close">): void {
    this.#why = args.replyCode === 200 ? "client closed it" : `client closed it: ${args.replyCode} ${args.replyText}`;
    const { store } = this.host;
    const owesAcks = [...this.#channels.values()].some(({ channel }) => channel.owesAcks);
    this.#release();
    this.#state = { name: "closing" };
    // The answer says that the acks before it were taken.
    if (owesAcks) store.whenCommitted(store.gathering, () => this.#closeAnswered());
    else this.#closeAnswered();
  }

  #closeAnswered(): void {
    if (this.#state.name === "closed") return;
    this.send("connection.close-ok", {});
    this.#finish();
  }

  /** Sends a method on channel 0. */
  send<N extends MethodName>(name: N, args: MethodArguments<N>): void {
    this.writer.method(0, name, args);
    this.#output.wrote();
  }

  /** Runs something that belongs to a channel; errors close what they must. */
  guard(channel: ConnectionChannel, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#failed(error, channel.method, channel);
    }
  }

  #failed(error: unknown, method: number, channel?: ConnectionChannel): void {
    if (error instanceof LoginRefusedError) return this.#closeWith(error.refusal, 0);
    const broker = error instanceof BrokerError ? error : this.#ownFault(error);
    const scope = channel === undefined ? "connection" : broker.scope;
    const log = scope === "channel" ? this.host.logs.channel : this.host.logs.connection;
    log.warn({ connection: this.name, channel: channel?.number, user: this.username }, broker.replyText);
    if (scope === "channel") channel?.fail(broker);
    else this.#closeWith(broker, method);
  }

  #ownFault(error: unknown): BrokerError {
    this.host.logs.connection.error({ connection: this.name, err: error }, "internal error");
    return new BrokerError("INTERNAL_ERROR", "internal error", { cause: error });
  }

  /** Sends connection.close and waits for its close-ok. */
  #closeWith(error: BrokerError, method: number): void {
    const { name } = this.#state;
    if (name === "closing" || name === "closed") return;
    if (name === "awaiting-header") return this.#destroy(error.message);
    this.#why = error.replyText;
    if (name === "starting" && error.code === 403 && !this.clientCan("authentication_failure_close")) {
      return this.#closeSilently();
    }
    this.#release();
    this.#state = { name: "closing" };
    this.send("connection.close", {
      replyCode: error.code,
      replyText: error.code === 541 ? "INTERNAL_ERROR" : error.replyText,
      classId: method >>> 16,
      methodId: method & 0xffff,
    });
    this.#destroyLater(closeOkMsMax);
  }

  /** The old way to refuse a login: nothing is said, and late (AMQP 0-9-1, 2.2.4). */
  #closeSilently(): void {
    this.#state = { name: "closing" };
    this.#destroyLater(silentCloseMs);
  }

  details(): ConnectionDetails {
    const tuning = this.#state.name === "running" ? this.#state.tuning : undefined;
    return {
      protocol: "AMQP 0-9-1",
      state: this.#described(),
      peerHost: this.address,
      peerPort: this.#socket.remotePort ?? 0,
      host: plainAddress(this.#socket.localAddress),
      port: this.#socket.localPort ?? 0,
      authMechanism: this.#authMechanism,
      clientProperties: this.clientProperties,
      channelMax: tuning?.channelMax ?? 0,
      frameMax: tuning?.frameMax ?? 0,
      heartbeat: this.heartbeat,
      reads: this.#input.reads,
      writes: this.#output.writes,
      bytesPending: this.backlog,
      tls: this.peer?.view,
    };
  }

  #described(): string {
    if (this.#state.name !== "running") return this.#state.name;
    if (this.#blocked) return "blocked";
    return this.#input.isHeld ? "flow" : "running";
  }

  channels(): Iterable<ChannelView> {
    return [...this.#channels.values()].map(({ channel }) => channelView(channel));
  }

  cancelConsumers(): void {
    for (const { channel } of this.#channels.values()) channel.cancelConsumers();
    this.#output.wrote();
  }

  close(reason: string): void {
    this.#closeWith(new BrokerError("CONNECTION_FORCED", reason), 0);
  }

  drop(): void {
    this.#destroy("dropped on demand");
  }

  #destroyLater(ms: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#socket.destroy(), ms).unref();
  }

  #destroySoon(why: string): void {
    this.#why = why;
    this.#state = { name: "closing" };
    this.#destroyLater(closeOkMsMax);
  }

  #finish(): void {
    this.#output.flush();
    this.#state = { name: "closed" };
    this.#socket.end();
    this.#destroyLater(closeOkMsMax);
  }

  #destroy(why: string): void {
    this.#why = why;
    this.#socket.destroy();
  }

  /** Gives back what the connection holds: its channels and its exclusive queues. */
  #release(): void {
    const state = this.#state;
    this.host.heartbeats.forget(this);
    this.host.alarms.unlisten(this);
    this.#blocked = false;
    if (state.name !== "running") return;
    // From here on no consumer of this connection has credit, so what one channel gives back no other one gets.
    this.#state = { name: "closing" };
    for (const { channel } of this.#channels.values()) channel.terminate();
    this.host.churn.channelsClosed += this.#channels.size;
    this.#channels.clear();
    this.#lastChannel = undefined;
    for (const queue of this.#exclusive) if (!queue.deleted) removeQueue(state.vhost, queue);
    this.#exclusive.clear();
  }

  #gone(): void {
    clearTimeout(this.#deadline);
    const { vhost } = this;
    const level = this.#levelOfEnd();
    this.#release();
    this.host.churn.connectionsClosed++;
    if (vhost !== undefined) this.#countTraffic(vhost);
    this.#state = { name: "closed" };
    this.host.connections.remove(this);
    const seconds = (this.host.clock.now() - this.connectedAt) / 1000;
    this.host.logs.connection[level]({ ...this.#logged(), seconds, why: this.#why }, "connection closed");
    connectionClosed(this);
  }

  /** A client that is lost is worth a look; one that said nothing, as a health check's does, is not. */
  #levelOfEnd(): "warn" | "info" | "debug" {
    if (this.#state.name === "running") return "warn";
    return this.#state.name === "awaiting-header" && this.bytesReceived === 0 ? "debug" : "info";
  }

  /** Whose connection it is, for the log. */
  #logged(): object {
    const given = this.clientProperties.get("connection_name");
    const name = given?.type === "longstr" ? given.value.toString() : undefined;
    return { connection: this.name, name, user: this.#username, vhost: this.#vhost };
  }

  #countTraffic(vhost: string): void {
    const counters = this.host.vhosts.find(vhost)?.counters;
    if (counters === undefined) return;
    counters.received += this.bytesReceived;
    counters.sent += this.bytesSent;
  }

  channelClosed({ number }: ConnectionChannel): void {
    if (this.#channels.delete(number)) this.host.churn.channelsClosed++;
    if (this.#lastChannel?.number === number) this.#lastChannel = undefined;
  }

  /** The queue goes when the connection does. */
  owns(queue: Queue): void {
    this.#exclusive.add(queue);
  }

  /** Something was written into {@link writer}. */
  wrote(): void {
    this.#output.wrote();
  }

  hasRoom(): boolean {
    return this.#state.name === "running" && this.#output.hasRoom();
  }

  starve(starved: Starved): void {
    if (this.#state.name === "running") this.#output.starve(starved);
  }

  /** Bytes that the peer has not taken yet. */
  get backlog(): number {
    return this.#output.backlog;
  }

  confirmsPending(channel: ConnectionChannel): void {
    this.#confirming.push(channel);
    this.#output.wrote();
  }

  turnEnding(): void {
    if (this.#confirming.length === 0) return;
    const channels = this.#confirming;
    this.#confirming = [];
    for (const channel of channels) channel.sendConfirms();
  }

  outputDrained(): void {
    this.resumeReading();
  }

  get mustWait(): boolean {
    return (
      this.#decoder.refused ||
      this.#blocked ||
      (this.#output.full && this.backlog > this.host.config.limits.unsentBytes)
    );
  }

  waitOver(): void {
    if (this.#state.name === "closed" || this.#blocked) return;
    try {
      this.#decoder.resume();
    } catch (error) {
      this.#failed(error, 0);
    }
    this.inChunk?.spill();
  }

  resumeReading(): void {
    if (this.#state.name !== "closed") this.#input.goOn();
  }

  slowDown(): void {
    this.#input.rest();
  }

  held(change: number): void {
    this.#unfinished += change;
    if (change > 0) this.published();
  }

  checkHeld(): void {
    const most = this.host.config.limits.unfinishedBytes;
    if (this.#unfinished <= most) return;
    throw new BrokerError("RESOURCE_ERROR", `messages that are not complete take more than ${most} bytes`);
  }

  /** The client publishes: while an alarm is set it must wait. */
  published(): void {
    const { alarms } = this.host;
    if (!alarms.active || this.#blocked) return;
    this.#blocked = true;
    alarms.listen(this);
    this.alarmsSet(alarms.reason);
  }

  alarmsSet(reason: string): void {
    if (this.clientCan("connection.blocked")) this.send("connection.blocked", { reason });
  }

  alarmsCleared(): void {
    this.host.alarms.unlisten(this);
    this.#blocked = false;
    if (this.clientCan("connection.blocked")) this.send("connection.unblocked", {});
    this.resumeReading();
  }

  tookBytes(): boolean {
    return this.#input.tookBytes();
  }

  sentBytes(): boolean {
    return this.#output.sentBytes();
  }

  sendHeartbeat(): void {
    this.writer.heartbeat();
    this.#output.wrote();
  }

  heartbeatMissed(): void {
    this.#destroy(`missed heartbeats from client, timeout: ${this.heartbeat}s`);
  }
}

function unexpectedFrame(type: number, bytes: Buffer, start: number, end: number): BrokerError {
  const known = (type >= frameType.method && type <= frameType.body) || type === frameType.heartbeat;
  if (!known) return unknownFrame(type, bytes, start, end);
  return new BrokerError("UNEXPECTED_FRAME", `type ${type}, all octets = ${erlangText(bytes.subarray(start, end))}`);
}

function unknownFrame(type: number, bytes: Buffer, start: number, end: number): BrokerError {
  const payload = erlangText(bytes.subarray(start, end));
  return new BrokerError("FRAME_ERROR", `type ${type}, all octets = ${payload}: unknown_frame`);
}
