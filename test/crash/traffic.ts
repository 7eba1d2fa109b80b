import { type Channel, type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { transactionCall } from "../support/amqp-transactions.ts";
import type { TestBroker } from "../support/broker.ts";
import type { SeededRandom } from "../support/random.ts";
import { bodyOf, type Ledger, OrderCheck, readId, type Stream } from "./ledger.ts";

/** Publishes that may wait for their confirm. */
const windowMax = 400;
const prefetch = 100;
/** A consumer asks for an answer after so many acks. */
const answeredAfter = 60;

/**
 * Whether consumers ack. What was acked is not missed, so where they do, a batch that is lost may go unnoticed; where none
 * does, all that was confirmed must be there.
 */
export type Acks = "some" | "none";
const bodySizeMax = 3000;

/** A connection whose end is no news: the broker is about to be killed. */
export async function openConnection(broker: TestBroker): Promise<ChannelModel> {
  const connection = await connect(broker.url);
  connection.on("error", () => {});
  return connection;
}

/** Resolves when the connection has ended, however. */
function ended(connection: ChannelModel): Promise<void> {
  return new Promise((resolve) => connection.once("close", () => resolve()));
}

/** Everything that clients do until their connections end. */
export class Traffic {
  readonly #broker: TestBroker;
  readonly #ledger: Ledger;
  readonly #random: SeededRandom;
  readonly #acks: Acks;
  readonly #ends: Promise<void>[] = [];
  /** Called at the next answer that makes acks sure, in the same turn: nothing has more time to be written. */
  onAnswer: (() => void) | undefined;

  constructor(broker: TestBroker, ledger: Ledger, random: SeededRandom, acks: Acks) {
    this.#acks = acks;
    this.#broker = broker;
    this.#ledger = ledger;
    this.#random = random;
  }

  async start(streams: readonly Stream[], consumed: readonly string[]): Promise<void> {
    for (const stream of streams) {
      const connection = await this.#connect();
      if (stream.transaction > 0) this.#commit(await connection.createChannel(), connection, stream);
      else this.#publish(await connection.createConfirmChannel(), stream);
    }
    for (const queue of consumed) await this.#consume((await this.#connect()).createChannel(), queue);
  }

  /** Resolves when the broker has been killed and every client has noticed. */
  async end(): Promise<void> {
    await Promise.all(this.#ends);
  }

  async #connect(): Promise<ChannelModel> {
    const connection = await openConnection(this.#broker);
    this.#ends.push(ended(connection));
    return connection;
  }

  #body(stream: Stream): { number: number; body: Buffer; priority: number } {
    const id = this.#ledger.next(stream.name);
    const priority = stream.priorities === 0 ? 0 : id.number % (stream.priorities + 1);
    return { number: id.number, body: bodyOf(id, this.#random.integer(1, bodySizeMax)), priority };
  }

  #publish(channel: ConfirmChannel, stream: Stream): void {
    channel.on("error", () => {});
    const { confirmed } = this.#ledger.book(stream.name);
    let isOpen = true;
    let waiting = 0;
    channel.once("close", () => {
      isOpen = false;
    });
    const fill = (): void => {
      while (isOpen && waiting < windowMax) {
        const { number, body, priority } = this.#body(stream);
        waiting++;
        channel.publish(stream.exchange, stream.routingKey, body, { persistent: true, priority }, (error) => {
          waiting--;
          if (error === null) confirmed.add(number);
          if (waiting === windowMax / 2) setImmediate(fill);
        });
      }
    };
    fill();
  }

  /** amqplib has no transactions, so their methods are sent as its own are. */
  #commit(channel: Channel, connection: ChannelModel, stream: Stream): void {
    channel.on("error", () => {});
    const { confirmed } = this.#ledger.book(stream.name);
    let isOpen = true;
    connection.once("close", () => {
      isOpen = false;
    });
    const run = async (): Promise<void> => {
      await transactionCall(channel, "select");
      while (isOpen) {
        const numbers = Array.from({ length: stream.transaction }, () => {
          const { number, body } = this.#body(stream);
          channel.publish(stream.exchange, stream.routingKey, body, { persistent: true });
          return number;
        });
        await transactionCall(channel, "commit");
        for (const number of numbers) confirmed.add(number);
      }
    };
    // The broker was killed: nothing was promised of what is under way.
    run().catch(() => {});
  }

  async #consume(opening: PromiseLike<Channel>, queue: string): Promise<void> {
    const channel = await opening;
    channel.on("error", () => {});
    const order = new OrderCheck(this.#ledger, queue);
    // One that acks all is held back by its prefetch; others get whatever there is, and hold every other message, or all.
    const step = this.#acks === "none" ? Number.POSITIVE_INFINITY : this.#random.integer(1, 2);
    const limit = step === 1 ? prefetch : 0;
    let taken = 0;
    let unanswered: { stream: string; number: number }[] = [];
    await channel.prefetch(limit);
    await channel.consume(queue, (message) => {
      if (message === null) return;
      const id = readId(message.content);
      this.#ledger.delivered(queue, id);
      if (queue !== "dead") order.next(id, Number(message.properties.priority ?? 0));
      if (++taken % step !== 0) return;
      this.#ledger.book(id.stream).acked.add(id.number);
      channel.ack(message);
      unanswered.push(id);
      if (unanswered.length < answeredAfter) return;
      const acked = unanswered;
      unanswered = [];
      channel.prefetch(limit).then(
        () => {
          for (const { stream, number } of acked) this.#ledger.book(stream).sure.add(number);
          this.onAnswer?.();
        },
        () => {}, // The broker was killed before it answered.
      );
    });
  }
}
