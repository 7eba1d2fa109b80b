import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  connect,
  type Options,
  type Replies,
} from "amqplib";
import { afterEach } from "vitest";
import type { TestBroker } from "./broker.ts";

/** A name nobody else uses, so that files run beside each other on one broker. */
export function unique(what: string): string {
  return `test-${what}-${randomBytes(6).toString("hex")}`;
}

/** Ends the TCP connection below one of amqplib's, as a killed process does. */
export function cutSocket(connection: ChannelModel): void {
  const socket: unknown = Reflect.get(connection.connection, "stream");
  assert(socket instanceof Socket);
  socket.destroy();
}

/** amqplib against a broker; whatever a test declares and opens through it is gone after that test. */
export class AmqpClient {
  readonly #broker: TestBroker;
  readonly #connections: ChannelModel[] = [];
  readonly #queues = new Set<string>();
  readonly #exchanges = new Set<string>();

  constructor(broker: TestBroker) {
    this.#broker = broker;
  }

  async connect(path = ""): Promise<ChannelModel> {
    return this.keep(await connect(this.#broker.url + path));
  }

  /** Closes the connection after the test. */
  keep(connection: ChannelModel): ChannelModel {
    // Without a listener an error of the connection would end the test run; tests that expect one add their own.
    connection.on("error", () => {});
    this.#connections.push(connection);
    return connection;
  }

  /** A channel on a connection of its own unless one is given. */
  async channel(connection?: ChannelModel): Promise<Channel> {
    const channel = await (connection ?? (await this.connect())).createChannel();
    channel.on("error", () => {});
    return channel;
  }

  async confirmChannel(connection?: ChannelModel): Promise<ConfirmChannel> {
    const channel = await (connection ?? (await this.connect())).createConfirmChannel();
    channel.on("error", () => {});
    return channel;
  }

  /** Declares a queue with a fresh name. */
  async queue(channel: Channel, options?: Options.AssertQueue): Promise<string> {
    const name = this.queueName();
    await channel.assertQueue(name, options);
    return name;
  }

  /** A fresh name; the queue is deleted after the test, whoever declared it. */
  queueName(what = "queue"): string {
    const name = unique(what);
    this.#queues.add(name);
    return name;
  }

  /** Declares an exchange with a fresh name. */
  async exchange(channel: Channel, type: string, options?: Options.AssertExchange): Promise<string> {
    const name = this.exchangeName();
    await channel.assertExchange(name, type, options);
    return name;
  }

  /** A fresh name; the exchange is deleted after the test, whoever declared it. */
  exchangeName(what = "exchange"): string {
    const name = unique(what);
    this.#exchanges.add(name);
    return name;
  }

  /** Drops the TCP connection without a word, as a killed process does. */
  cut(connection: ChannelModel): void {
    this.#connections.splice(this.#connections.indexOf(connection), 1);
    cutSocket(connection);
  }

  /** Closes every connection, then deletes what was declared. */
  async cleanUp(): Promise<void> {
    for (const connection of this.#connections.splice(0)) await connection.close().catch(isClosed);
    if (this.#queues.size === 0 && this.#exchanges.size === 0) return;
    const connection = await connect(this.#broker.url);
    const channel = await connection.createChannel();
    for (const queue of this.#queues) await channel.deleteQueue(queue);
    for (const exchange of this.#exchanges) await channel.deleteExchange(exchange);
    this.#queues.clear();
    this.#exchanges.clear();
    await connection.close();
  }
}

/** An `AmqpClient` that cleans up after each test of the file. */
export function useAmqpClient(broker: TestBroker): AmqpClient {
  const client = new AmqpClient(broker);
  afterEach(() => client.cleanUp());
  return client;
}

function isClosed(error: unknown): void {
  assert(error instanceof Error && error.name === "IllegalOperationError", String(error));
}

/** What one consumer received, in order. */
export class Inbox {
  readonly messages: ConsumeMessage[] = [];
  /** Set when the broker itself cancelled the consumer. */
  cancelled = false;
  tag = "";

  get bodies(): string[] {
    return this.messages.map(body);
  }

  /** The message at a place that a test has already seen filled. */
  at(index: number): ConsumeMessage {
    const message = this.messages[index];
    assert(message !== undefined, `only ${this.messages.length} messages arrived`);
    return message;
  }
}

/** Consumes into an inbox; with `noAck` unless the options say otherwise. */
export async function collect(channel: Channel, queue: string, options?: Options.Consume): Promise<Inbox> {
  const inbox = new Inbox();
  const onMessage = (message: ConsumeMessage | null) => {
    if (message === null) inbox.cancelled = true;
    else inbox.messages.push(message);
  };
  inbox.tag = (await channel.consume(queue, onMessage, { noAck: true, ...options })).consumerTag;
  return inbox;
}

/** Sends each body to a queue through the default exchange. */
export function send(channel: Channel, queue: string, bodies: readonly string[], options?: Options.Publish): void {
  for (const text of bodies) channel.sendToQueue(queue, Buffer.from(text), options);
}

/** Takes messages with basic.get until the queue is empty. */
export async function drain(channel: Channel, queue: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) return bodies;
    bodies.push(body(message));
  }
}

/** A message's body as text. */
export function body(message: { content: Buffer }): string {
  return message.content.toString();
}

/** Message and consumer counts, by passive declare. */
export async function counts(channel: Channel, queue: string): Promise<Omit<Replies.AssertQueue, "queue">> {
  const { messageCount, consumerCount } = await channel.checkQueue(queue);
  return { messageCount, consumerCount };
}

/** The error with which the broker closes the channel or connection. Ask before provoking it. */
export function nextError(emitter: Channel | ChannelModel): Promise<Error> {
  return new Promise((resolve) => emitter.once("error", resolve));
}

/** Why the broker ends the connection as an operator asked it to, which is no error to amqplib. Ask before. */
export function forcedClose(connection: ChannelModel): Promise<string> {
  return new Promise((resolve) => connection.once("close", (error: unknown) => resolve(String(error))));
}
