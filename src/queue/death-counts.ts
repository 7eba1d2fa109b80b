import type { QueueType } from "./arguments.ts";
import type { DeathReason } from "./dead-letter.ts";

/** What becomes of messages that die in a queue: nothing, a dead letter, or one that is sent until it has arrived. */
export type DeadLetterStrategy = "disabled" | "at_most_once" | "at_least_once";

/** How messages died since the broker started. */
export class DeathCounts {
  readonly #counts = new Map<string, number>();

  note(type: QueueType, strategy: DeadLetterStrategy, reason: DeathReason | "confirmed"): void {
    const key = keyOf(type, strategy, reason);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  of(type: QueueType, strategy: DeadLetterStrategy, reason: DeathReason | "confirmed"): number {
    return this.#counts.get(keyOf(type, strategy, reason)) ?? 0;
  }
}

function keyOf(type: QueueType, strategy: DeadLetterStrategy, reason: string): string {
  return `${type} ${strategy} ${reason}`;
}
