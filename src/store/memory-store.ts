import assert from "node:assert/strict";
import { applyBatch, type BatchTarget, type GatheredBatch } from "./batch.ts";
import type { CommitStats } from "./commit-stats.ts";
import {
  type DefinitionChange,
  type DefinitionKind,
  type DefinitionRow,
  definedQueueId,
  definitionFromRow,
  definitionKinds,
  definitionTables,
} from "./definition-rows.ts";
import { GroupCommit, type Schedule } from "./group-commit.ts";
import type {
  BatchSource,
  Definition,
  DefinitionKey,
  Store,
  StoredMessages,
  StoredSegment,
  StoredState,
  StoreListener,
} from "./store.ts";

export interface MemoryStoreOptions {
  /** What an earlier store committed, to start again from; empty when absent. */
  readonly disk?: MemoryDisk;
  readonly listener?: StoreListener;
  /** When a batch is handed over, and when what was handed over is committed: by default at the loop turn's end. */
  readonly schedule?: Schedule;
}

/** The store without a disk, for tests and for brokers inside a test: what is committed lives as long as its disk. */
export class MemoryStore implements Store {
  /** What is committed. A new store on it is a restart; one made without closing the old is a restart after a crash. */
  readonly disk: MemoryDisk;
  readonly #listener: StoreListener | undefined;
  readonly #schedule: Schedule;
  readonly #commits: GroupCommit;
  #failures = 0;
  #failing = false;

  constructor(options: MemoryStoreOptions = {}) {
    this.disk = options.disk ?? new MemoryDisk();
    this.#listener = options.listener;
    this.#schedule = options.schedule ?? setImmediate;
    this.#commits = new GroupCommit((batch) => this.#schedule(() => this.#flush(batch)), this.#schedule);
  }

  get gathering(): number {
    return this.#commits.gathering;
  }

  get committed(): number {
    return this.#commits.committed;
  }

  get commits(): CommitStats {
    return this.#commits.stats;
  }

  async open(): Promise<StoredState> {
    return this.disk.state();
  }

  define(definition: Definition): void {
    this.#commits.define(definition);
  }

  undefine(definition: DefinitionKey): void {
    this.#commits.undefine(definition);
  }

  dropMessages(queueId: number): void {
    this.#commits.dropMessages(queueId);
  }

  mark(source: BatchSource, withinMs: number): void {
    this.#commits.mark(source, withinMs);
  }

  hurry(): void {
    this.#commits.hurry();
  }

  whenCommitted(number: number, done: () => void): void {
    this.#commits.whenCommitted(number, done);
  }

  readSegment(segment: number, done: (messages: StoredMessages, unread: number) => void): void {
    this.#schedule(() => done(this.disk.messages(segment), 0));
  }

  async close(): Promise<void> {
    while (!this.#commits.isIdle) {
      await new Promise<void>((resolve) => this.#commits.whenCommitted(this.gathering, resolve));
    }
  }

  /** Makes the next `count` attempts to write a batch fail, as on a full disk. */
  failNextFlushes(count: number): void {
    this.#failures = count;
  }

  #flush(batch: GatheredBatch): void {
    if (this.#failures > 0) {
      this.#failures--;
      if (!this.#failing) this.#listener?.storeFailing(new Error("a failure that was asked for"));
      this.#failing = true;
      this.#schedule(() => this.#flush(batch));
      return;
    }
    this.disk.commit(batch);
    this.#commits.written();
    if (!this.#failing) return;
    this.#failing = false;
    this.#listener?.storeRecovered();
  }
}

interface MemoryMessage {
  readonly flags: number;
  readonly expiresAt: number;
  readonly bytes: Buffer;
}

interface MemorySegment {
  state: StoredSegment;
  readonly messages: Map<number, MemoryMessage>;
}

/** Stands for the data file: definitions as rows and messages by segment, changed by whole batches only. */
export class MemoryDisk implements BatchTarget {
  readonly #definitions = new Map<string, { kind: DefinitionKind; values: DefinitionRow }>();
  readonly #segments = new Map<number, MemorySegment>();
  #lastSegment = 0;
  #lastQueueId = 0;

  commit(batch: GatheredBatch): void {
    for (const change of batch.definitions) this.#change(change);
    for (const queueId of batch.droppedQueues) this.#dropQueue(queueId);
    applyBatch(Buffer.from(batch.memory, 0, batch.length), this);
  }

  state(): StoredState {
    const kept = [...this.#segments.values()].map(({ state }) => state).filter(({ count }) => count > 0);
    const rows = [...this.#definitions.values()];
    const definitions = definitionKinds.flatMap((kind) => rows.filter((row) => row.kind === kind));
    return {
      definitions: definitions.map(({ kind, values }) => definitionFromRow(kind, values)),
      segments: kept.sort((a, b) => a.number - b.number),
      lastSegment: this.#lastSegment,
      lastQueueId: this.#lastQueueId,
      mended: [],
      isTidy: true,
    };
  }

  messages(segment: number): StoredMessages {
    const messages = [...(this.#segments.get(segment)?.messages ?? [])].sort(([a], [b]) => a - b);
    let end = 0;
    return {
      indexes: Uint32Array.from(messages, ([index]) => index),
      flags: Uint32Array.from(messages, ([, { flags }]) => flags),
      expiresAt: Float64Array.from(messages, ([, { expiresAt }]) => expiresAt),
      ends: Uint32Array.from(messages, ([, { bytes }]) => {
        end += bytes.length;
        return end;
      }),
      bytes: Buffer.concat(messages.map(([, { bytes }]) => bytes)),
    };
  }

  segment(state: StoredSegment): void {
    const segment = this.#segments.get(state.number);
    if (segment === undefined) this.#segments.set(state.number, { state, messages: new Map() });
    else segment.state = state;
    this.#lastSegment = Math.max(this.#lastSegment, state.number);
  }

  message(
    number: number,
    index: number,
    flags: number,
    expiresAt: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const segment = this.#segments.get(number);
    assert(segment !== undefined, "a segment's state comes before its first message");
    segment.messages.set(index, { flags, expiresAt, bytes: Buffer.from(bytes.subarray(start, end)) });
  }

  restate(number: number, index: number, flags: number, expiresAt: number): void {
    const messages = this.#segments.get(number)?.messages;
    const message = messages?.get(index);
    if (message !== undefined) messages?.set(index, { ...message, flags, expiresAt });
  }

  settled(number: number, from: number, to: number): void {
    const messages = this.#segments.get(number)?.messages;
    for (const index of messages?.keys() ?? []) {
      if (index >= from && index < to) messages?.delete(index);
    }
  }

  dropSegment(segment: number): void {
    this.#segments.delete(segment);
  }

  #dropQueue(queueId: number): void {
    for (const [number, { state }] of this.#segments) {
      if (state.queueId === queueId) this.#segments.delete(number);
    }
  }

  #change(change: DefinitionChange): void {
    const { kind, values } = change;
    const name = JSON.stringify([kind, ...values.slice(0, definitionTables[kind].key.length)]);
    if (change.removed) this.#definitions.delete(name);
    else this.#definitions.set(name, { kind, values });
    this.#lastQueueId = Math.max(this.#lastQueueId, definedQueueId(change) ?? 0);
  }
}
