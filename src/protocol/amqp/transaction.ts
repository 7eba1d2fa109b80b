import { BrokerError } from "../../errors.ts";
import { Message } from "../../record.ts";
import type { Route } from "../../route.ts";
import type { Settlement } from "./unacked.ts";

interface Publish {
  readonly record: Buffer;
  readonly expiresAfterMs: number;
  readonly route: Route;
  readonly mandatory: boolean;
}

interface Settle {
  readonly tags: readonly number[];
  readonly how: Settlement;
}

/** Does what a transaction held back. */
interface Committer {
  route(message: Message, route: Route, mandatory: boolean): void;
  settle(tag: number, how: Settlement): void;
}

/** What one transaction may hold before it is committed. */
const operationsMax = 1_000_000;

/** A transaction of a channel: publishes and settlements held back until tx.commit. */
export class Transaction {
  readonly #message = new Message();
  #publishes: Publish[] = [];
  #settles: Settle[] = [];
  /** Tags that are settled as far as the client is concerned. */
  #settled = new Set<number>();

  publish(message: Message, route: Route, mandatory: boolean): void {
    this.#checkSize();
    this.#publishes.push({ record: message.own(), expiresAfterMs: message.expiresAfterMs, route, mandatory });
  }

  /** Holds back the settlement of deliveries. Throws PRECONDITION_FAILED for a tag settled before. */
  settle(tags: readonly number[], how: Settlement): void {
    this.#checkSize();
    for (const tag of tags) {
      if (this.#settled.has(tag)) throw new BrokerError("PRECONDITION_FAILED", `unknown delivery tag ${tag}`);
    }
    for (const tag of tags) this.#settled.add(tag);
    this.#settles.push({ tags, how });
  }

  /** Publishes held back. */
  get publishCount(): number {
    return this.#publishes.length;
  }

  /** Deliveries whose settlement is held back. */
  get settledCount(): number {
    return this.#settled.size;
  }

  isSettled(tag: number): boolean {
    return this.#settled.has(tag);
  }

  #checkSize(): void {
    if (this.#publishes.length + this.#settled.size < operationsMax) return;
    throw new BrokerError("RESOURCE_ERROR", `transaction holds more than ${operationsMax} operations`);
  }

  /** Does what was held back, all in one turn and so in one batch of the store. */
  commit(committer: Committer): void {
    const publishes = this.#publishes;
    const settles = this.#settles;
    this.rollback();
    for (const { record, expiresAfterMs, route, mandatory } of publishes) {
      const message = this.#message.setOwned(record);
      message.expiresAfterMs = expiresAfterMs;
      committer.route(message, route, mandatory);
    }
    for (const { tags, how } of settles) for (const tag of tags) committer.settle(tag, how);
  }

  /** Forgets what was held back. Settled deliveries are unacked again. */
  rollback(): void {
    this.#publishes = [];
    this.#settles = [];
    this.#settled = new Set();
  }
}
