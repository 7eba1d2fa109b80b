/** Why a message is dead-lettered, as x-death spells it. */
export type DeathReason = "rejected" | "expired" | "maxlen" | "delivery_limit";

/** The queue that a message dies in, as far as dead-lettering needs it. */
export interface Grave {
  readonly name: string;
  readonly deadLetterExchange: string | undefined;
  readonly deadLetterRoutingKey: string | undefined;
}

/** Where queues send their dead letters. */
export interface DeadLetterSink {
  /**
   * Takes the record in bytes[start, end) on its way to the queue's dead-letter exchange; copies it before it returns.
   * Calls `sent`, when it is given, with whether the letter arrived in any queue; not before this returns, but in the
   * batch that the letter is in.
   */
  deadLetter(
    queue: Grave,
    reason: DeathReason,
    bytes: Buffer,
    start: number,
    end: number,
    sent?: (arrived: boolean) => void,
  ): void;
}
