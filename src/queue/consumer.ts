import type { Segment } from "./segment.ts";

/** Who takes messages from a queue. A queue knows nothing else of channels or sockets. */
export interface Consumer {
  readonly tag: string;
  /** Messages are settled as they are delivered. */
  readonly noAck: boolean;
  /** No other consumer beside this one. */
  readonly exclusive: boolean;
  /** Higher ones are served first while they have credit (x-priority). */
  readonly priority: number;
  /** Whether a message would be taken now. After a no, the queue must be told (consumerReady) when it is a yes. */
  hasCredit(): boolean;
  /**
   * Takes a message: its address is bytes[addressStart, addressEnd), its content bytes[contentStart, contentEnd);
   * copy what must outlive the call, unless `bytesStay`. Unless noAck, it stays unacked in `segment` at `index` until
   * the queue is told.
   */
  deliver(
    bytes: Buffer,
    addressStart: number,
    addressEnd: number,
    contentStart: number,
    contentEnd: number,
    bytesStay: boolean,
    redelivered: boolean,
    segment: Segment | undefined,
    index: number,
  ): void;
  /** The queue has gone. */
  cancelled(): void;
}

/** Asks for one message (basic.get). Exactly one of the calls comes, perhaps later; none once `waiting` is false. */
export interface Getter extends Pick<Consumer, "noAck" | "deliver"> {
  readonly waiting: boolean;
  empty(): void;
}
