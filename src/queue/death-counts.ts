import { type QueueType, queueTypes } from "./arguments.ts";
import type { DeathReason } from "./dead-letter.ts";

/** What becomes of messages that die in a queue: nothing, a dead letter, or one that is sent until it has arrived. */
export type DeadLetterStrategy = "disabled" | "at_most_once" | "at_least_once";

type Counted = DeathReason | "confirmed";

const strategyIndex = { disabled: 0, at_most_once: 1, at_least_once: 2 } as const satisfies Record<
  DeadLetterStrategy,
  number
>;
const reasonIndex = {
  rejected: 0,
  expired: 1,
  maxlen: 2,
  delivery_limit: 3,
  confirmed: 4,
} as const satisfies Record<Counted, number>;
const strategyCount = 3;
const reasonCount = 5;

/** How messages died since the broker started. A queue that is full counts one for each message that comes. */
export class DeathCounts {
  readonly #counts = new Float64Array(queueTypes.length * strategyCount * reasonCount);

  note(type: QueueType, strategy: DeadLetterStrategy, reason: Counted): void {
    const index = indexOf(type, strategy, reason);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  of(type: QueueType, strategy: DeadLetterStrategy, reason: Counted): number {
    return this.#counts[indexOf(type, strategy, reason)] ?? 0;
  }
}

function indexOf(type: QueueType, strategy: DeadLetterStrategy, reason: Counted): number {
  const ofType = type === "classic" ? 0 : strategyCount * reasonCount;
  return ofType + strategyIndex[strategy] * reasonCount + reasonIndex[reason];
}
