import type { Consumer } from "./consumer.ts";
import { ConsumerTurns } from "./consumer-turns.ts";

/** The consumers of one queue: who may join, and whose turn it is. */
export class QueueConsumers {
  readonly #all = new Set<Consumer>();
  readonly #turns = new ConsumerTurns();

  get size(): number {
    return this.#all.size;
  }

  get all(): ReadonlySet<Consumer> {
    return this.#all;
  }

  has(consumer: Consumer): boolean {
    return this.#all.has(consumer);
  }

  add(consumer: Consumer): void {
    this.#all.add(consumer);
  }

  /** Removes a consumer; false when it was not here. */
  remove(consumer: Consumer): boolean {
    if (!this.#all.delete(consumer)) return false;
    this.#turns.remove(consumer);
    return true;
  }

  /** Removes and returns all of them. */
  clear(): readonly Consumer[] {
    const all = [...this.#all];
    this.#all.clear();
    return all;
  }

  /** Whether a consumer cannot join because it or another one is exclusive. */
  excludes(consumer: Consumer, singleActive: boolean): boolean {
    if (consumer.exclusive && singleActive) return true;
    if (this.#all.size === 0) return false;
    if (consumer.exclusive) return true;
    for (const other of this.#all) if (other.exclusive) return true;
    return false;
  }

  /** With x-single-active-consumer, the one that was there first gets the messages. */
  get active(): Consumer | undefined {
    return this.#all.values().next().value;
  }

  /** Lets a consumer that has credit take part. */
  ready(consumer: Consumer): void {
    this.#turns.add(consumer);
  }

  /** The next one with credit. */
  next(): Consumer | undefined {
    return this.#turns.next();
  }
}
