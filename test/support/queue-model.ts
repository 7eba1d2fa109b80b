import type { QueueOptions } from "../../src/queue/arguments.ts";

/** A message as the model knows it. Batch numbers are those of the store that the broker has just then. */
export interface ModelMessage {
  readonly id: number;
  readonly level: number;
  /** Whether it outlives the broker. */
  readonly stored: boolean;
  readonly bytes: number;
  /** Its own time to live; infinite when it has none. */
  readonly ownTtlMs: number;
  /** 0 for never. */
  expiresAt: number;
  /** All that expiresAt has been: the store may have an earlier one. */
  readonly expiries: number[];
  /** Held messages wait until `heldUntil`; dying ones for their dead letter to arrive. Both count as unacked. */
  state: "ready" | "unacked" | "held" | "dying" | "settled";
  heldUntil: number;
  /** Deliveries that failed, as far as they are counted. */
  failures: number;
  /** Undefined where nothing is promised: it was delivered, but perhaps the store has not heard of that. */
  redelivered: boolean | undefined;
  wasDelivered: boolean;
  wasDying: boolean;
  /** The batch that says so, once committed. */
  deliveredIn: number;
  deliveryIsStored: boolean;
  /** The batch that removes it. */
  settledIn: number;
  /** A dead letter stands in for it. */
  replaced: boolean;
  waits: boolean;
  told: boolean;
}

export type ModelOptions = Pick<
  QueueOptions,
  | "messageTtlMs"
  | "maxLength"
  | "maxLengthBytes"
  | "overflow"
  | "deadLetterExchange"
  | "maxPriority"
  | "singleActiveConsumer"
  | "deliveryLimit"
  | "delayedRetry"
  | "deadLettersAtLeastOnce"
>;

/** A dead letter that arrived nowhere, to be sent again. */
interface Retry {
  readonly message: ModelMessage;
  readonly reason: string;
  readonly at: number;
}

/** A queue as one would describe it: a list of messages, searched from the start for whatever is wanted. */
export class QueueModel {
  options: ModelOptions;
  readonly durable: boolean;
  readonly messages: ModelMessage[] = [];
  retries: Retry[] = [];
  /** As "id reason". */
  readonly deadLetters: string[] = [];
  /** The batch being gathered. */
  readonly #gathering: () => number;
  readonly #now: () => number;

  constructor(options: ModelOptions, durable: boolean, gathering: () => number, now: () => number) {
    this.#now = now;
    this.options = options;
    this.durable = durable;
    this.#gathering = gathering;
  }

  add(rest: { id: number; priority: number; persistent: boolean; bytes: number; ownTtlMs: number }): ModelMessage {
    const expiresAt = this.#expiry(rest.ownTtlMs, this.#now());
    const message: ModelMessage = {
      id: rest.id,
      level: Math.min(rest.priority, this.options.maxPriority),
      stored: rest.persistent && this.durable,
      bytes: rest.bytes,
      ownTtlMs: rest.ownTtlMs,
      expiresAt,
      expiries: [expiresAt],
      state: "ready",
      heldUntil: 0,
      failures: 0,
      redelivered: false,
      wasDelivered: false,
      wasDying: false,
      deliveredIn: 0,
      deliveryIsStored: false,
      settledIn: 0,
      replaced: false,
      waits: false,
      told: false,
    };
    this.messages.push(message);
    return message;
  }

  get(id: number): ModelMessage {
    const message = this.messages.find((each) => each.id === id);
    if (message === undefined) throw new Error(`no message ${id}`);
    return message;
  }

  /** What is ready, in the order of delivery. */
  get ready(): ModelMessage[] {
    const ready = this.messages.filter(({ state }) => state === "ready");
    // Sorting keeps the order of equals, and messages are in order of publishing.
    return ready.sort((a, b) => b.level - a.level);
  }

  get unacked(): ModelMessage[] {
    return this.messages.filter(({ state }) => state !== "settled" && state !== "ready");
  }

  /** Whether one more would be refused. */
  refuses(bytes: number): boolean {
    const { overflow, maxLength = Infinity, maxLengthBytes = Infinity } = this.options;
    if (overflow === "drop-head") return false;
    return this.ready.length + 1 > maxLength || bytesOf(this.ready) + bytes > maxLengthBytes;
  }

  delivered(message: ModelMessage, settled: boolean): void {
    if (message.deliveredIn === 0) message.deliveredIn = this.#gathering();
    message.wasDelivered = true;
    message.state = "unacked";
    if (settled) this.settle(message);
  }

  requeue(message: ModelMessage, failed: boolean): void {
    const { deliveryLimit, delayedRetry: retry } = this.options;
    if (failed && deliveryLimit !== undefined && ++message.failures > deliveryLimit) {
      return this.bury(message, "delivery_limit");
    }
    message.redelivered = true;
    message.state = "ready";
    if (retry === undefined || (retry.of !== "all" && (retry.of === "failed") !== failed)) return;
    message.state = "held";
    message.heldUntil = this.#now() + Math.min(retry.minMs * Math.max(1, message.failures), retry.maxMs);
  }

  #expiry(ownTtlMs: number, came: number): number {
    const lives = Math.min(ownTtlMs, this.options.messageTtlMs ?? Infinity);
    return lives === Infinity ? 0 : came + lives;
  }

  /** The queue's time to live changes: messages expire as if it had been that when they came, if they know when. */
  changeTtl(messageTtlMs: number | undefined): void {
    const before = this.options.messageTtlMs ?? Infinity;
    this.options = { ...this.options, messageTtlMs };
    for (const message of this.messages) if (message.state !== "settled") this.retime(message, before);
  }

  /** Has a message expire by the time to live that is, when it did by the one `before`; infinite for none. */
  retime(message: ModelMessage, before: number): void {
    const had = Math.min(message.ownTtlMs, before);
    const isKnown = had !== Infinity && message.expiresAt !== 0;
    message.expiresAt = this.#expiry(message.ownTtlMs, isKnown ? message.expiresAt - had : this.#now());
    message.expiries.push(message.expiresAt);
  }

  settle(message: ModelMessage): void {
    message.state = "settled";
    message.settledIn = this.#gathering();
  }

  /** A dead letter has arrived, or it has not and will be sent again. */
  sent(id: number, arrived: boolean, retryMs: number): void {
    const message = this.get(id);
    if (message.state !== "dying") return;
    if (arrived) this.settle(message);
    else this.retries.push({ message, reason: this.#reasonOf(id), at: this.#now() + retryMs });
  }

  #reasonOf(id: number): string {
    return this.deadLetters.findLast((letter) => letter.startsWith(`${id} `))?.split(" ")[1] ?? "";
  }

  /** Does what is due: held messages come back, letters are sent again, messages expire. */
  catchUp(): void {
    const now = this.#now();
    const released = this.messages.filter(({ state, heldUntil }) => state === "held" && heldUntil <= now);
    for (const message of released) message.state = "ready";
    this.#retry();
    this.expire(now);
    if (released.length > 0) this.dropSurplus();
  }

  /** Sends what is due to be sent again. */
  #retry(): void {
    const due = this.retries.filter(({ at }) => at <= this.#now());
    this.retries = this.retries.filter((each) => !due.includes(each));
    for (const { message, reason } of due) this.deadLetters.push(`${message.id} ${reason}`);
  }

  bury(message: ModelMessage, reason: string): void {
    const { deadLettersAtLeastOnce, overflow, deadLetterExchange } = this.options;
    if (deadLettersAtLeastOnce && overflow === "reject-publish" && deadLetterExchange !== undefined) {
      message.state = "dying";
      message.wasDying = true;
      message.replaced = true;
      this.deadLetters.push(`${message.id} ${reason}`);
      return;
    }
    this.settle(message);
    message.replaced = this.options.deadLetterExchange !== undefined;
    if (message.replaced) this.deadLetters.push(`${message.id} ${reason}`);
  }

  dropSurplus(): void {
    const { overflow, maxLength = Infinity, maxLengthBytes = Infinity } = this.options;
    if (overflow !== "drop-head") return;
    for (let { ready } = this; ready.length > maxLength || bytesOf(ready) > maxLengthBytes; ready = this.ready) {
      const [first] = ready;
      if (first !== undefined) this.bury(first, "maxlen");
    }
  }

  expire(now: number): void {
    for (const message of this.ready) {
      if (message.expiresAt !== 0 && message.expiresAt <= now) this.bury(message, "expired");
    }
  }

  /** What must be said of a message on a disk that has batches up to `committed`. */
  onDisk({ stored, state, settledIn, told }: ModelMessage, committed: number): "there" | "gone" | "either" {
    if (!stored) return "gone";
    if (state === "settled") return settledIn <= committed ? "gone" : "either";
    return told ? "there" : "either";
  }

  /** The broker starts again, with these messages on disk. */
  restart(survivors: ReadonlySet<number>, committed: number): void {
    this.retries = [];
    for (const message of this.messages) {
      message.deliveryIsStored ||= message.deliveredIn !== 0 && message.deliveredIn <= committed;
      message.deliveredIn = 0;
      message.waits = false;
      // Of one that was to be dead-lettered it does not matter.
      const isOpen = message.wasDelivered || message.wasDying;
      message.redelivered = message.deliveryIsStored ? true : isOpen ? undefined : false;
      if (survivors.has(message.id)) {
        message.state = "ready";
        // That it is still there proves it safe.
        message.told = true;
        message.replaced = false;
      } else {
        message.state = "settled";
        message.settledIn = 0;
      }
    }
  }
}

export function bytesOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, { bytes }) => sum + bytes, 0);
}
