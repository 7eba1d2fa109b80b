import type { QueueOptions } from "../../src/queue/arguments.ts";

/** A message as the model knows it. Batch numbers are those of the store that the broker has just then. */
export interface ModelMessage {
  readonly id: number;
  readonly level: number;
  /** Whether it outlives the broker. */
  readonly stored: boolean;
  readonly bytes: number;
  /** 0 for never. */
  readonly expiresAt: number;
  state: "ready" | "unacked" | "settled";
  /** Undefined where nothing is promised: it was delivered, but perhaps the store has not heard of that. */
  redelivered: boolean | undefined;
  wasDelivered: boolean;
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
>;

/** A queue as one would describe it: a list of messages, searched from the start for whatever is wanted. */
export class QueueModel {
  readonly options: ModelOptions;
  readonly durable: boolean;
  readonly messages: ModelMessage[] = [];
  /** As "id reason". */
  readonly deadLetters: string[] = [];
  /** The batch being gathered. */
  readonly #gathering: () => number;

  constructor(options: ModelOptions, durable: boolean, gathering: () => number) {
    this.options = options;
    this.durable = durable;
    this.#gathering = gathering;
  }

  add(rest: { id: number; priority: number; persistent: boolean; bytes: number; expiresAt: number }): ModelMessage {
    const message: ModelMessage = {
      id: rest.id,
      level: Math.min(rest.priority, this.options.maxPriority),
      stored: rest.persistent && this.durable,
      bytes: rest.bytes,
      expiresAt: rest.expiresAt,
      state: "ready",
      redelivered: false,
      wasDelivered: false,
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
    return this.messages.filter(({ state }) => state === "unacked");
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

  requeue(message: ModelMessage): void {
    message.state = "ready";
    message.redelivered = true;
  }

  settle(message: ModelMessage): void {
    message.state = "settled";
    message.settledIn = this.#gathering();
  }

  bury(message: ModelMessage, reason: string): void {
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
    for (const message of this.messages) {
      message.deliveryIsStored ||= message.deliveredIn !== 0 && message.deliveredIn <= committed;
      message.deliveredIn = 0;
      message.waits = false;
      message.redelivered = message.deliveryIsStored ? true : message.wasDelivered ? undefined : false;
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
