import type { Enqueued } from "./queue/queue.ts";
import type { Message } from "./record.ts";
import type { CommitWaiter } from "./store/store.ts";

/** Where a routed message ends up: a queue, a wait in an exchange, or the consumer behind a direct reply-to address. */
export interface Target {
  readonly name: string;
  /** Whether publishers should slow down. */
  readonly behind: boolean;
  enqueue(message: Message, waiter: CommitWaiter | undefined, tag: number): Enqueued;
}

/** Where messages to an exchange with a key go. */
export interface Route {
  readonly targets: readonly Target[];
  /** True when every message to that exchange with that key goes there, whatever its headers. */
  readonly fixed: boolean;
  /** True when all it goes to is a wait in an exchange. */
  readonly delayed: boolean;
  /** Of the exchange that it starts from. */
  readonly counters: ExchangeCounters;
}

/** Messages that came to an exchange, and those that went from it to queues. */
export interface ExchangeCounters {
  publishedIn: number;
  publishedOut: number;
}
