import { setTimeout as later } from "node:timers/promises";
import { type ChannelModel, connect } from "amqplib";
import type { TestBroker } from "../support/broker.ts";

/** How long the pair rests between two messages. */
const restMs = 5;

/** A publisher and a consumer who do nobody any harm, and how long their messages take. */
export class QuietPair {
  readonly latencies: number[] = [];
  readonly #connections: ChannelModel[] = [];
  #running: Promise<void> | undefined;
  #isOver = false;

  async start(broker: TestBroker): Promise<void> {
    const [publisher, consumer] = [await this.#channel(broker), await this.#channel(broker)];
    const { queue } = await consumer.assertQueue("quiet", { durable: false });
    let arrived = (): void => {};
    await consumer.consume(queue, () => arrived(), { noAck: true });
    this.#running = (async () => {
      while (!this.#isOver) {
        const arrival = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        const from = performance.now();
        publisher.sendToQueue(queue, Buffer.from("quiet"));
        await arrival;
        this.latencies.push(performance.now() - from);
        await later(restMs);
      }
    })();
  }

  async #channel(broker: TestBroker) {
    const connection = await connect(broker.url);
    this.#connections.push(connection);
    return await connection.createChannel();
  }

  /** Forgets what was measured so far. */
  reset(): void {
    this.latencies.length = 0;
  }

  /** Rejects when a message of the pair was lost on the way. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    for (const connection of this.#connections) await connection.close();
  }
}
