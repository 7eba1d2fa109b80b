import type { BrokerError } from "../../errors.ts";
import type { Queue } from "../../queue/queue.ts";
import type { FrameWriter } from "./codec/frame-writer.ts";
import type { AmqpHost } from "./host.ts";
import type { Starved } from "./output.ts";
import type { ChunkUser } from "./publish.ts";

/** What a channel needs of the connection that it is on. */
export interface ChannelConnection extends ChunkUser {
  readonly host: AmqpHost;
  readonly name: string;
  /** The user logged in. */
  readonly username: string;
  readonly writer: FrameWriter;
  /** Bytes that the peer has not taken yet. */
  readonly backlog: number;
  /** Whether the client said in start-ok that it understands a capability. */
  clientCan(capability: string): boolean;
  /** Something was written into {@link writer}, which the end of the turn must flush. */
  wrote(): void;
  /** Whether more may be written now. After a no, {@link starve} tells whom to serve when it is a yes. */
  hasRoom(): boolean;
  starve(starved: Starved): void;
  /** The channel has confirms to send at the end of the turn. */
  confirmsPending(channel: ConnectionChannel): void;
  /** Runs something that belongs to the channel; errors close what they must. */
  guard(channel: ConnectionChannel, action: () => void): void;
  channelClosed(channel: ConnectionChannel): void;
  /** Goes on with frames that had to wait. */
  resumeReading(): void;
  /** The client publishes: while an alarm is set it must wait. */
  published(): void;
  /** The client publishes faster than its messages are consumed. */
  slowDown(): void;
  /** The queue goes when the connection does. */
  owns(queue: Queue): void;
}

/** A channel as its connection sees it. */
export interface ConnectionChannel {
  readonly number: number;
  /** The method being handled, class in the high 16 bits. */
  readonly method: number;
  /** Closes it on an error of the peer's. */
  fail(error: BrokerError): void;
  sendConfirms(): void;
}
