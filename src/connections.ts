import type { ChannelCounters } from "./channel-counters.ts";
import type { FieldTable } from "./field-table.ts";
import type { Queue } from "./queue/queue.ts";
import type { TlsView } from "./tls-peer.ts";

/** A client connection as management sees it, whatever its protocol. */
export interface ConnectionView {
  /** `peer:port -> host:port`. */
  readonly name: string;
  /** The user it is logged in as; empty before. */
  readonly username: string;
  readonly vhost: string | undefined;
  readonly channelCount: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** When it was accepted, in milliseconds since the epoch. */
  readonly connectedAt: number;
  /** Closes it; the client is told why. */
  close(reason: string): void;
  /** Cuts it without a word to the client. */
  drop(): void;
  /** Cancels its consumers; the client is told, and may go on otherwise. */
  cancelConsumers(): void;
  /** What else there is to say of it at the moment. */
  details(): ConnectionDetails;
  channels(): Iterable<ChannelView>;
}

export interface ConnectionDetails {
  readonly protocol: string;
  /** In RabbitMQ's words: running, blocked by an alarm, in flow control, or a step of opening or closing. */
  readonly state: string;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly host: string;
  readonly port: number;
  readonly authMechanism: string;
  readonly clientProperties: FieldTable;
  readonly channelMax: number;
  readonly frameMax: number;
  /** Seconds; 0 is off. */
  readonly heartbeat: number;
  /** Reads and writes of the socket. */
  readonly reads: number;
  readonly writes: number;
  /** Bytes that the peer has not taken yet. */
  readonly bytesPending: number;
  /** Undefined without TLS. */
  readonly tls: TlsView | undefined;
}

/** A channel of a connection. Limits of 0 are none. */
export interface ChannelView {
  readonly number: number;
  readonly state: string;
  /** Prefetch of consumers to come, and of the channel as a whole. */
  readonly prefetch: number;
  readonly channelPrefetch: number;
  readonly confirms: boolean;
  readonly transactional: boolean;
  readonly unacked: number;
  /** Publishes that wait for their confirm. */
  readonly unconfirmed: number;
  /** Publishes and settlements that wait for tx.commit. */
  readonly uncommitted: number;
  readonly uncommittedAcks: number;
  readonly consumers: readonly ConsumerView[];
  readonly counters: ChannelCounters;
}

/** A consumer on a channel. */
export interface ConsumerView {
  readonly tag: string;
  readonly queue: Queue;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly prefetch: number;
  readonly arguments: FieldTable;
}

/** All client connections of the broker. */
export class ConnectionRegistry {
  readonly #connections = new Set<ConnectionView>();
  readonly #waiting: (() => void)[] = [];
  #opened = 0;
  #securing = 0;

  /** Those that have opened a vhost. */
  get opened(): number {
    return this.#opened;
  }

  /** Those that are not that far, and those that TLS has yet to make connections of. */
  get handshakes(): number {
    return this.#connections.size - this.#opened + this.#securing;
  }

  /** Notes that a handshake of TLS has begun. */
  noteSecuring(): void {
    this.#securing++;
  }

  /** Notes that one is over. */
  noteSecured(): void {
    this.#securing--;
  }

  /** Notes that one has opened its vhost. */
  noteOpened(): void {
    this.#opened++;
  }

  get size(): number {
    return this.#connections.size;
  }

  add(connection: ConnectionView): void {
    this.#connections.add(connection);
  }

  remove(connection: ConnectionView): void {
    if (this.#connections.delete(connection) && connection.vhost !== undefined) this.#opened--;
    if (this.#connections.size > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }

  list(): Iterable<ConnectionView> {
    return this.#connections;
  }

  /** Closes those of a vhost that goes away. */
  closeVhost(vhost: string): void {
    this.#closeWhere((connection) => connection.vhost === vhost, `vhost '${vhost}' is deleted`);
  }

  /** Closes those of a user who goes away. */
  closeUser(username: string): void {
    this.#closeWhere((connection) => connection.username === username, `user '${username}' is deleted`);
  }

  #closeWhere(applies: (connection: ConnectionView) => boolean, reason: string): void {
    for (const connection of [...this.#connections].filter(applies)) connection.close(reason);
  }

  cancelConsumers(): void {
    for (const connection of [...this.#connections]) connection.cancelConsumers();
  }

  /** Whether clients have messages to settle, confirms to get, or a transaction to end. */
  get holdSomething(): boolean {
    return [...this.#connections].some((connection) => [...connection.channels()].some(holdsSomething));
  }

  /** Closes all of them and resolves when the last one has gone. */
  async closeAll(reason: string): Promise<void> {
    for (const connection of [...this.#connections]) connection.close(reason);
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function holdsSomething({ unacked, unconfirmed, uncommitted, uncommittedAcks }: ChannelView): boolean {
  return unacked + unconfirmed + uncommitted + uncommittedAcks > 0;
}
