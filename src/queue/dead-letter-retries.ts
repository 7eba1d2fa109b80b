import type { Clock } from "../clock.ts";
import type { DeathReason } from "./dead-letter.ts";
import { HeldMessages } from "./held-messages.ts";
import type { Segment } from "./segment.ts";

/** How long a dead letter that arrived nowhere waits before it is sent again. */
export const deadLetterRetryMs = 5000;

/** Messages of a queue whose dead letters arrived nowhere, and are to be sent again. */
export class DeadLetterRetries {
  readonly #clock: Clock;
  readonly #send: (segment: Segment, index: number, reason: DeathReason) => void;
  readonly #byReason = new Map<DeathReason, HeldMessages>();

  constructor(clock: Clock, send: (segment: Segment, index: number, reason: DeathReason) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Sends the dead letter of a held message again in a while. */
  later(segment: Segment, index: number, reason: DeathReason): void {
    this.#of(reason).hold(segment, index, this.#clock.now() + deadLetterRetryMs);
  }

  stop(): void {
    for (const held of this.#byReason.values()) held.stop();
  }

  #of(reason: DeathReason): HeldMessages {
    const found = this.#byReason.get(reason);
    if (found !== undefined) return found;
    const held = new HeldMessages(
      this.#clock,
      (segment, index) => this.#send(segment, index, reason),
      () => {},
    );
    this.#byReason.set(reason, held);
    return held;
  }
}
