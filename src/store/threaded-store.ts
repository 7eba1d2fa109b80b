import assert from "node:assert/strict";
import type { Worker } from "node:worker_threads";
import type { GatheredBatch } from "./batch.ts";
import type { CommitStats } from "./commit-stats.ts";
import { GroupCommit } from "./group-commit.ts";
import type { ReadAnswer, WriterAnswer, WriterRequest } from "./hand-over.ts";
import { stateFromRows } from "./recovery.ts";
import {
  type BatchSource,
  type Definition,
  type DefinitionKey,
  type Store,
  type StoredMessages,
  type StoredState,
  StoreError,
  type StoreListener,
} from "./store.ts";
import { startWriter } from "./writer-thread.ts";

export interface ThreadedStoreOptions {
  /** The data directory, created when missing. Only one store in one process can have it open. */
  readonly directory: string;
  /** The writer for it, when it was started already. */
  readonly writer?: Worker | undefined;
  readonly listener: StoreListener;
  /** The writer has died of a mistake of ours: nothing is committed any more, and the process should stop. */
  readonly onCrash: (error: StoreError) => void;
}

type ReadDone = (messages: StoredMessages, unread: number) => void;

interface Promised<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

type Life =
  | { readonly name: "new" }
  | { readonly name: "opening"; readonly opened: Promised<StoredState> }
  | { readonly name: "open" }
  | { readonly name: "closing"; readonly closed: Promised<void>; readonly lost?: string }
  | { readonly name: "closed" }
  | { readonly name: "crashed"; readonly error: StoreError };

/** The store on disk: gathers batches here and hands each over to a thread that writes them with SQLite. */
export class ThreadedStore implements Store {
  readonly #options: ThreadedStoreOptions;
  readonly #commits: GroupCommit;
  /** Who waits for which segment. */
  readonly #reads = new Map<number, ReadDone[]>();
  #worker: Worker | undefined;
  #failure: string | undefined;
  #life: Life = { name: "new" };

  constructor(options: ThreadedStoreOptions) {
    this.#options = options;
    this.#commits = new GroupCommit((batch) => this.#handOver(batch), setImmediate, setTimeout);
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

  open(): Promise<StoredState> {
    assert(this.#life.name === "new", "a store is opened once");
    return new Promise((resolve, reject) => {
      this.#life = { name: "opening", opened: { resolve, reject } };
      this.#worker = this.#options.writer ?? startWriter(this.#options.directory);
      this.#worker.on("message", (answer: WriterAnswer) => this.#answered(answer));
      this.#worker.on("error", (error) => this.#crashed(error));
      this.#worker.on("exit", () => this.#exited());
      this.#ask({ name: "open" });
    });
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

  /** As the port says; a batch that is handed over but not committed may be in what is read. */
  readSegment(segment: number, done: ReadDone): void {
    const waiting = this.#reads.get(segment);
    if (waiting === undefined) this.#reads.set(segment, [done]);
    else waiting.push(done);
    this.#ask({ name: "read", segment });
  }

  #read({ segment, messages, damage }: ReadAnswer): void {
    if (damage !== undefined) this.#options.listener.storeDamaged(damage);
    const waiting = this.#reads.get(segment) ?? [];
    const done = waiting.shift();
    if (waiting.length === 0) this.#reads.delete(segment);
    done?.(readable(messages), damage?.messages ?? 0);
  }

  /** As the port says; rejects when writing fails, with the reason, and gives up what it could not write. */
  async close(): Promise<void> {
    if (this.#life.name === "crashed") throw this.#life.error;
    if (this.#life.name === "new" || this.#life.name === "closed") return;
    assert(this.#life.name === "open", "a store is closed once, after it has opened");
    await new Promise<void>((resolve, reject) => {
      this.#closeWhenIdle({ resolve, reject });
    });
  }

  #closeWhenIdle(closed: Promised<void>): void {
    if (this.#failure !== undefined) {
      this.#life = { name: "closing", closed, lost: this.#failure };
      this.#ask({ name: "close", abandon: true });
      return;
    }
    const life: Life = { name: "closing", closed };
    this.#life = life;
    if (this.#commits.isIdle) {
      this.#ask({ name: "close", abandon: false });
    } else {
      this.#commits.whenCommitted(this.gathering, () => {
        if (this.#life === life) this.#closeWhenIdle(closed);
      });
    }
  }

  #handOver(batch: GatheredBatch): void {
    const { definitions, droppedQueues, memory, length } = batch;
    this.#ask({ name: "batch", definitions, droppedQueues, memory, length });
  }

  #ask(request: WriterRequest): void {
    assert(this.#worker !== undefined, "the store is not open");
    this.#worker.postMessage(request);
  }

  #answered(answer: WriterAnswer): void {
    switch (answer.name) {
      case "opened":
        if (this.#life.name === "opening") {
          const { rows, mended, isTidy } = answer;
          this.#opened(this.#life.opened, () => ({ ...stateFromRows(rows), mended, isTidy }));
        }
        break;
      case "refused":
        if (this.#life.name === "opening") this.#life.opened.reject(new StoreError(answer.reason));
        this.#life = { name: "closed" };
        break;
      case "committed":
        this.#commits.written();
        break;
      case "read":
        this.#read(answer);
        break;
      case "mended":
        this.#options.listener.storeMended(answer.tables);
        break;
      case "untidy":
        this.#options.listener.storeUntidy();
        break;
      case "failing":
        this.#failing(answer.reason);
        break;
      case "recovered":
        this.#failure = undefined;
        this.#options.listener.storeRecovered();
        break;
      case "closed":
        this.#closed();
        break;
      default:
        answer satisfies never;
    }
  }

  #opened(opened: Promised<StoredState>, state: () => StoredState): void {
    try {
      opened.resolve(state());
      this.#life = { name: "open" };
    } catch (error) {
      this.#ask({ name: "close", abandon: true });
      this.#life = { name: "closed" };
      opened.reject(error instanceof Error ? error : new StoreError(String(error)));
    }
  }

  #failing(reason: string): void {
    this.#failure = reason;
    this.#options.listener.storeFailing(new StoreError(`the data cannot be written: ${reason}`));
    if (this.#life.name === "closing" && this.#life.lost === undefined) this.#closeWhenIdle(this.#life.closed);
  }

  #closed(): void {
    if (this.#life.name !== "closing") return;
    const { closed, lost } = this.#life;
    this.#life = { name: "closed" };
    if (lost === undefined) closed.resolve();
    else closed.reject(new StoreError(`closed with changes that could not be written: ${lost}`));
  }

  #exited(): void {
    if (this.#life.name !== "closed" && this.#life.name !== "crashed") this.#crashed(new Error("it ended"));
  }

  #crashed(cause: Error): void {
    const error = new StoreError(`the store's writer has failed: ${cause.message}`, { cause });
    const life = this.#life;
    this.#life = { name: "crashed", error };
    if (life.name === "opening") {
      life.opened.reject(error);
    } else if (life.name === "closing") {
      life.closed.reject(error);
    } else {
      this.#options.listener.storeFailing(error);
      this.#options.onCrash(error);
    }
  }
}

/** Between threads a Buffer becomes a plain Uint8Array. */
function readable(messages: StoredMessages): StoredMessages {
  const { buffer, byteOffset, length } = messages.bytes;
  return { ...messages, bytes: Buffer.from(buffer, byteOffset, length) };
}
