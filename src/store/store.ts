import type { FieldTable } from "../field-table.ts";
import type { CommitStats } from "./commit-stats.ts";

/**
 * The store keeps definitions and messages. It gathers what changes into a batch; a batch is written in one
 * transaction, whole or not at all, in order, and is then committed. Nothing here knows what a message says.
 *
 * A stored message is named by its segment's number and its index in that segment. Numbers of segments are given out
 * by the queues, grow over the whole broker, and are never used twice, so (segment, index) is unique for ever and
 * messages of one queue and priority level sort by it in their order.
 */
export interface Store {
  /** The number of the batch being gathered: what is added now is safe once `committed` has reached it. */
  readonly gathering: number;
  /** The number of the last batch known to be on disk; 0 before the first. */
  readonly committed: number;
  /** How long batches took, and what was in them. */
  readonly commits: CommitStats;

  /** Opens or creates the data and reads what a start needs. Rejects with {@link StoreError}. Call it once, first. */
  open(): Promise<StoredState>;

  /** Adds a definition, or replaces the one of the same kind and key, in the batch being gathered. */
  define(definition: Definition): void;
  /** Removes a definition by its kind and key in the batch being gathered. Absent is no error. */
  undefine(definition: DefinitionKey): void;
  /** Removes every stored message of a queue in the batch being gathered; what sources pack into it comes after. */
  dropMessages(queueId: number): void;

  /**
   * Says that `source` has something to be written within so many milliseconds, 0 for with the batch being gathered.
   * Its pack() is called until it says that nothing is left; marking it again only makes it more urgent.
   */
  mark(source: BatchSource, withinMs: number): void;
  /** All that was marked so far, however little urgent, goes into the batch being gathered. */
  hurry(): void;

  /**
   * Calls `done` once batch `number` is committed: at once if it is already, else when it is, in order of number. To
   * wait for the batch being gathered hurries.
   */
  whenCommitted(number: number, done: () => void): void;

  /**
   * Reads the messages of a stored segment that committed batches left in it. `unread` of them, which are damaged or on
   * pages that the disk does not give, are not among them; they stay in the store.
   */
  readSegment(segment: number, done: (messages: StoredMessages, unread: number) => void): void;

  /** Commits what is gathered and closes. */
  close(): Promise<void>;
}

/** Messages of a queue that are not what was written, or cannot be read. */
export interface Damage {
  readonly vhost: string;
  /** Empty when even that is not known. */
  readonly queue: string;
  readonly segment: number;
  /** How many there are at least. */
  readonly messages: number;
}

/** Told when writing begins to fail (disk full, I/O error) and when it works again. Nothing is lost in between. */
export interface StoreListener {
  /** A batch could not be written and will be tried again. */
  storeFailing(error: Error): void;
  /** The batch that failed is committed. */
  storeRecovered(): void;
  /** Tables that were damaged are made anew from their copies, with nothing missing. */
  storeMended(tables: readonly string[]): void;
  /** Which parts of the data file are unused is forgotten, as that was damaged or in the way of mending: it only grows. */
  storeUntidy(): void;
  /** Messages were read that are not what was written; they are left out. */
  storeDamaged(damage: Damage): void;
}

/** Copies of the data that are made while it goes on being written. */
export interface Backups {
  /**
   * Makes a copy of what is committed at one moment after the call: a data file that a broker can be started on. Rejects
   * with {@link StoreError} when it cannot, or while another one is made or kept.
   */
  make(): Promise<Backup>;
}

export interface Backup {
  readonly file: string;
  readonly size: number;
  /** To be called when it is not needed any more. */
  remove(): Promise<void>;
}

/** A segment has indexes below this. */
export const segmentMessagesMax = 65_536;

/** The data cannot be used; the message says why and what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/** Something, a segment of a queue, that writes its changes since the last batch into the next one. */
export interface BatchSource {
  /**
   * Writes all that changed, or, when not `all` has to go into this batch, what should wait no longer. Returns whether
   * something was left for a later one.
   */
  pack(batch: Batch, all: boolean): boolean;
}

/** What a source may put into a batch. All numbers are integers; times are milliseconds since the epoch, 0 for none. */
export interface Batch {
  /** States what the segment holds on disk when this batch is applied. Comes before the segment's first message. */
  segment(segment: StoredSegment): void;
  /** Adds a message, with up to 32 bits of flags; the bytes are copied before this returns. */
  message(
    segment: number,
    index: number,
    flags: number,
    expiresAt: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  /** Changes what is kept of a message besides its bytes. One that is not there stays away. */
  restate(segment: number, index: number, flags: number, expiresAt: number): void;
  /** Removes the messages with `from` <= index < `to`. */
  settled(segment: number, from: number, to: number): void;
  /** Removes the segment with all that is left in it. */
  dropSegment(segment: number): void;
  /** Calls `waiter.committed(tag)` when this batch is on disk. */
  wait(waiter: CommitWaiter, tag: number): void;
}

/** Waits for a message to be safe: on disk, or no longer needed there. */
export interface CommitWaiter {
  committed(tag: number): void;
}

/** A segment of a queue as the store knows it, without its messages. */
export interface StoredSegment {
  readonly number: number;
  readonly queueId: number;
  /** The priority level it belongs to. */
  readonly level: number;
  /** Messages in it on disk. */
  readonly count: number;
  /** Sum of the sizes of their bodies. */
  readonly bodyBytes: number;
  /** Messages with an index below this have been delivered before. */
  readonly deliveredTo: number;
  /** When the first of them expires; 0 when none does. */
  readonly firstExpiresAt: number;
  /** The queue's time to live, in milliseconds, by which its messages expire when they do; -1 for none. */
  readonly ttlMs: number;
}

/** Messages of one segment, as columns in ascending order of index. Record i is bytes[ends[i - 1] ?? 0, ends[i]). */
export interface StoredMessages {
  readonly indexes: Uint32Array;
  readonly flags: Uint32Array;
  readonly expiresAt: Float64Array;
  readonly ends: Uint32Array;
  readonly bytes: Buffer;
}

/** What a start needs: everything but the messages themselves. */
export interface StoredState {
  readonly definitions: readonly Definition[];
  /** In ascending order of number; only those with count > 0. */
  readonly segments: readonly StoredSegment[];
  /** No segment with a higher number was ever written. */
  readonly lastSegment: number;
  /** No queue with a higher id was ever defined. */
  readonly lastQueueId: number;
  /** Tables that were damaged, and were made anew from their copies with nothing missing. */
  readonly mended: readonly string[];
  /** False when it was damaged which parts of the data file are unused: none of them is used again. */
  readonly isTidy: boolean;
}

export interface VhostDefinition {
  readonly kind: "vhost";
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** What queues are that do not say it; undefined for classic. */
  readonly defaultQueueType: string | undefined;
  readonly protectedFromDeletion: boolean;
}

export interface UserDefinition {
  readonly kind: "user";
  readonly name: string;
  /** Salt and digest in RabbitMQ's base64 form; empty refuses every password. */
  readonly passwordHash: string;
  readonly hashingAlgorithm: string;
  readonly tags: readonly string[];
}

export interface PermissionDefinition {
  readonly kind: "permission";
  readonly vhost: string;
  readonly user: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

export interface TopicPermissionDefinition {
  readonly kind: "topic-permission";
  readonly vhost: string;
  readonly user: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

/** Rules for the queues and exchanges of a vhost whose names a pattern is found in. */
export interface PolicyDefinition {
  readonly kind: "policy";
  /** An operator's policy: it bounds what users' policies and arguments ask for. */
  readonly operator: boolean;
  readonly vhost: string;
  readonly name: string;
  readonly pattern: string;
  readonly applyTo: string;
  readonly priority: number;
  /** Its rules, as arguments without their `x-`. */
  readonly rules: FieldTable;
}

/** Most of something that a vhost or a user may have. */
export interface LimitDefinition {
  readonly kind: "limit";
  readonly scope: "vhost" | "user";
  /** The vhost or user. */
  readonly subject: string;
  readonly name: string;
  readonly value: number;
}

/** A value that is the broker's as a whole. */
export interface GlobalParameterDefinition {
  readonly kind: "global-parameter";
  readonly name: string;
  /** As JSON. */
  readonly value: string;
}

export interface ExchangeDefinition {
  readonly kind: "exchange";
  readonly vhost: string;
  readonly name: string;
  readonly type: string;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: FieldTable;
  /** The user who declared it; undefined in files from before it was kept. */
  readonly declaredBy?: string | undefined;
}

export interface QueueDefinition {
  readonly kind: "queue";
  readonly vhost: string;
  readonly name: string;
  /** Names the queue's messages; never used twice. */
  readonly id: number;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

export interface BindingDefinition {
  readonly kind: "binding";
  readonly vhost: string;
  readonly source: string;
  readonly destinationKind: "queue" | "exchange";
  readonly destination: string;
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

export type Definition =
  | VhostDefinition
  | UserDefinition
  | PermissionDefinition
  | TopicPermissionDefinition
  | PolicyDefinition
  | LimitDefinition
  | GlobalParameterDefinition
  | ExchangeDefinition
  | QueueDefinition
  | BindingDefinition;

/** The fields that identify a definition among those of its kind. */
export type DefinitionKey =
  | Pick<VhostDefinition, "kind" | "name">
  | Pick<UserDefinition, "kind" | "name">
  | Pick<PermissionDefinition, "kind" | "vhost" | "user">
  | Pick<TopicPermissionDefinition, "kind" | "vhost" | "user" | "exchange">
  | Pick<PolicyDefinition, "kind" | "operator" | "vhost" | "name">
  | Pick<LimitDefinition, "kind" | "scope" | "subject" | "name">
  | Pick<GlobalParameterDefinition, "kind" | "name">
  | Pick<ExchangeDefinition, "kind" | "vhost" | "name">
  | Pick<QueueDefinition, "kind" | "vhost" | "name">
  | Pick<
      BindingDefinition,
      "kind" | "vhost" | "source" | "destinationKind" | "destination" | "routingKey" | "arguments"
    >;
