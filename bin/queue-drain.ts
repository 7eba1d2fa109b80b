import type { ChannelModel, ConfirmChannel, ConsumeMessage, Options } from "amqplib";
import { connect } from "amqplib";
import { CommandError, exitCode } from "./command-error.ts";
import { reachText } from "./management-client.ts";
import type { TlsTrust } from "./tls-trust.ts";

/** A queue whose messages move to the one of the same name elsewhere. */
export interface Drained {
  readonly vhost: string;
  readonly name: string;
  /** Ready in it before. */
  readonly messages: number;
}

/** How many of them have arrived. */
export interface DrainResult {
  readonly moved: number;
  /** In the queue that they moved to, before and after. */
  readonly before: number;
  readonly after: number;
}

/** Messages that are on their way at one time. */
const inFlightMax = 500;
/** How long nothing must have come before the queue is asked whether there is anything. */
const quietMs = 500;

/** Where AMQP is spoken: a URL with a login and without a path, and whom to trust over TLS. */
export interface AmqpPlace {
  readonly url: string;
  readonly tls: TlsTrust;
  /** How the options of that begin, for what is said of it. */
  readonly flag: string;
}

/** Two brokers, in the same vhost of each. */
export class Drain {
  readonly #from: ChannelModel;
  readonly #to: ChannelModel;

  private constructor(from: ChannelModel, to: ChannelModel) {
    this.#from = from;
    this.#to = to;
  }

  /** Connects to both. Throws when one cannot be reached. */
  static async open(from: AmqpPlace, to: AmqpPlace, vhost: string): Promise<Drain> {
    const source = await connectTo(from, vhost);
    return new Drain(source, await connectTo(to, vhost));
  }

  /**
   * Moves what is ready in a queue. A message is acked where it was once it is safe where it goes, so that none is lost
   * whatever fails in between.
   */
  async queue({ name, messages }: Drained, onMoved: () => void): Promise<DrainResult> {
    const from = await this.#from.createChannel();
    const to = await this.#to.createConfirmChannel();
    const { messageCount: before } = await to.checkQueue(name);
    const move = new Move(from, to, name, onMoved);
    await from.prefetch(inFlightMax);
    await move.run(messages);
    const { messageCount: after } = await to.checkQueue(name);
    await from.close();
    await to.close();
    return { moved: move.moved, before, after };
  }

  async close(): Promise<void> {
    await this.#from.close();
    await this.#to.close();
  }
}

async function connectTo({ url, tls, flag }: AmqpPlace, vhost: string): Promise<ChannelModel> {
  try {
    return await connect(`${url}/${encodeURIComponent(vhost)}`, tls);
  } catch (error) {
    throw error instanceof Error ? unreachable(error, url, flag) : error;
  }
}

/** Says where, without the password. */
function unreachable(cause: Error, url: string, flag: string): CommandError {
  const { protocol, host } = new URL(url);
  return new CommandError(exitCode.unavailable, `Cannot connect to ${protocol}//${host}: ${reachText(cause, flag)}`, {
    cause,
  });
}

type SourceChannel = Awaited<ReturnType<ChannelModel["createChannel"]>>;

/** The messages of one queue on their way. */
class Move {
  moved = 0;
  readonly #from: SourceChannel;
  readonly #to: ConfirmChannel;
  readonly #queue: string;
  readonly #onMoved: () => void;
  #taken = 0;
  #settled = 0;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;

  constructor(from: SourceChannel, to: ConfirmChannel, queue: string, onMoved: () => void) {
    this.#from = from;
    this.#to = to;
    this.#queue = queue;
    this.#onMoved = onMoved;
    for (const channel of [from, to]) channel.on("error", (error: Error) => this.#fail(error));
  }

  /** Ends when so many were moved, or when the queue is empty: a consumer may have had the others. */
  async run(messages: number): Promise<void> {
    if (messages === 0) return;
    const { consumerTag } = await this.#from.consume(this.#queue, (message) => {
      if (message !== null) this.#pass(message, messages);
    });
    while (this.#settled < messages && !(await this.#isEmpty())) await this.#next();
    if (this.#failure !== undefined) throw this.#failure;
    await this.#from.cancel(consumerTag);
    // What came beyond the count goes back.
    this.#from.nackAll(true);
  }

  #pass(message: ConsumeMessage, messages: number): void {
    if (this.#taken >= messages) return;
    this.#taken++;
    this.#to.publish("", this.#queue, message.content, optionsOf(message), (error: unknown) => {
      if (error === null || error === undefined) {
        this.moved++;
        this.#from.ack(message);
        this.#onMoved();
      } else this.#from.nack(message);
      this.#settled++;
      this.#wake?.();
    });
  }

  /** Nothing is on its way, and the queue has nothing more to give. */
  async #isEmpty(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#taken > this.#settled) return false;
    const settled = this.#settled;
    await this.#next();
    if (this.#settled > settled || this.#taken > this.#settled) return false;
    return (await this.#from.checkQueue(this.#queue)).messageCount === 0;
  }

  /** Something happened, or nothing for a while. */
  #next(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, quietMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#wake?.();
  }
}

/** All of its properties but the user, which the broker would not believe of somebody else. */
function optionsOf({ properties }: ConsumeMessage): Options.Publish {
  const { userId: _, deliveryMode, ...rest } = properties;
  return { ...rest, persistent: deliveryMode === 2, mandatory: true };
}
