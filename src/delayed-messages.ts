import { Deferred } from "./deferred.ts";
import { negateDelay } from "./delay-header.ts";
import { delayMsOf } from "./exchange/delayed.ts";
import { parseExpiration } from "./expiration.ts";
import { emptyTable, type FieldTable } from "./field-table.ts";
import { HeldQueue, type HoldingVhost } from "./held-queue.ts";
import { MessageContent } from "./message-content.ts";
import { parseQueueArguments } from "./queue/arguments.ts";
import type { DeathReason, Grave } from "./queue/dead-letter.ts";
import type { Enqueued } from "./queue/queue.ts";
import { Message } from "./record.ts";
import { editRecord } from "./record-edit.ts";
import type { Route, Target } from "./route.ts";
import { routingKeysOf } from "./sender-selected.ts";
import type { CommitWaiter } from "./store/store.ts";

/** What delayed messages need of the vhost they are in. */
export interface DelayingVhost extends HoldingVhost {
  readonly counters: { dropped: number };
  /** Routes a message whose time has come. */
  routeWaited(exchange: string, routingKeys: readonly string[], content: MessageContent): Pick<Route, "targets">;
}

/**
 * The messages that an x-delayed-message exchange has yet to route. In their queue each "expires" when its time has come,
 * so they are timed as messages in queues are.
 */
export class DelayedMessages extends HeldQueue implements Target {
  readonly behind = false;
  readonly #vhost: DelayingVhost;
  readonly #message = new Message();
  readonly #due = new Deferred<Buffer>(
    (record) => this.#send(record),
    () => this.store.hurry(),
  );

  constructor(vhost: DelayingVhost, exchange: string, id: number, durable: boolean) {
    // Without a dead-letter exchange what expires would be dropped. Where it goes is said here.
    const options = { ...parseQueueArguments(emptyTable, exchange), deadLetterExchange: exchange };
    super(vhost, exchange, { purpose: "delayed-message", id, durable, options });
    this.#vhost = vhost;
  }

  /** Messages that wait. */
  get count(): number {
    return this.queue.ready;
  }

  /** Takes a message whose headers say how long it waits. */
  enqueue(message: Message, waiter: CommitWaiter | undefined, tag: number): Enqueued {
    const { expiresAfterMs } = message;
    message.expiresAfterMs = delayMsOf(message.headers());
    const result = this.queue.enqueue(message, waiter, tag);
    message.expiresAfterMs = expiresAfterMs;
    return result;
  }

  /** The time of a message has come. */
  override deadLetter(_queue: Grave, _reason: DeathReason, bytes: Buffer, start: number, end: number): void {
    this.#due.add(Buffer.from(bytes.subarray(start, end)));
  }

  #send(record: Buffer): void {
    if (this.queue.deleted) return;
    const message = this.#message.setOwned(record);
    if (!negateDelay(message)) message.setOwned(editRecord(message, { headers: routedHeaders(message.headers()) }));
    const { exchange, expiration } = message;
    if (expiration !== undefined) message.expiresAfterMs = parseExpiration(expiration);
    const { targets } = this.#vhost.routeWaited(exchange, routingKeysOf(message), new MessageContent(message));
    if (targets.length === 0) this.#vhost.counters.dropped++;
    for (const target of targets) target.enqueue(message, undefined, 0);
  }
}

/** With its delay negative, so that it can be seen but is not waited for again. */
function routedHeaders(headers: FieldTable): FieldTable {
  return new Map(headers).set("x-delay", { type: "long", value: -delayMsOf(headers) });
}
