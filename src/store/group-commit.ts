import assert from "node:assert/strict";
import { GatheredBatch } from "./batch.ts";
import { CommitStats } from "./commit-stats.ts";
import { keyRow, row } from "./definition-rows.ts";
import type { BatchSource, Definition, DefinitionKey } from "./store.ts";

/** Calls `step` at the end of the loop turn, or when a test wants it. */
export type Schedule = (step: () => void) => void;

/** Calls `step` some milliseconds from now. */
export type Delay = (step: () => void, ms: number) => void;

/** How long what was marked as less urgent may be left for a later batch once more: see BatchSource.pack. */
const lingerMs = 2;

/** Batches that may be written without being on disk. While the disk is slower than that, they get larger instead. */
const pendingMax = 4;

/**
 * Gathers one batch while the one before is written: the busier, the larger. At the end of a loop turn with nothing
 * being written, or when the one being written is done, the next is packed and goes to `write`, whose owner calls
 * {@link written} when the next one may come, and {@link synced} when it is on disk, perhaps later and with others. A
 * batch with nothing in it, its messages all settled meanwhile, commits with those before it, without being written.
 *
 * What is not urgent waits for a `delay` instead: a message that is acked in that time need never be written. Without
 * a delay everything is urgent.
 */
export class GroupCommit {
  readonly #write: (batch: GatheredBatch) => void;
  readonly #schedule: Schedule;
  readonly #delay: Delay | undefined;
  readonly #free: GatheredBatch[] = [];
  readonly stats = new CommitStats();
  #gathered = new GatheredBatch(1);
  /** Batches handed over and not committed, the oldest first; the last may be being written. */
  readonly #pending: GatheredBatch[] = [];
  #isWriting = false;
  readonly #sources = new Set<BatchSource>();
  #committed = 0;
  #synced = 0;
  #scheduled = false;
  /** The batch being gathered must be handed over as soon as the writer is free, */
  #urgent = false;
  /** and with all that was marked. */
  #all = false;
  /** In how many milliseconds {@link #delayOver} will be called, and whether it was while a batch was being written. */
  #delayMs = Number.POSITIVE_INFINITY;
  #isDelayOver = false;
  readonly #delayed = (): void => this.#delayOver();
  readonly #turnEnded = (): void => this.#endTurn();

  constructor(write: (batch: GatheredBatch) => void, schedule: Schedule, delay?: Delay) {
    this.#write = write;
    this.#schedule = schedule;
    this.#delay = delay;
  }

  get gathering(): number {
    return this.#gathered.number;
  }

  get committed(): number {
    return this.#committed;
  }

  /** True when everything that was added is committed. */
  get isIdle(): boolean {
    return this.#pending.length === 0 && !this.#hasGathered();
  }

  define(definition: Definition): void {
    this.#gathered.definitions.push({ kind: definition.kind, removed: false, values: row(definition) });
    this.hurry();
  }

  undefine(definition: DefinitionKey): void {
    this.#gathered.definitions.push({ kind: definition.kind, removed: true, values: keyRow(definition) });
    this.hurry();
  }

  dropMessages(queueId: number): void {
    this.#gathered.droppedQueues.push(queueId);
    this.hurry();
  }

  mark(source: BatchSource, withinMs: number): void {
    this.#sources.add(source);
    if (this.#delay === undefined) this.hurry();
    else if (withinMs === 0) this.#arrange();
    else this.#startDelay(this.#delay, withinMs);
  }

  hurry(): void {
    this.#all = true;
    this.#arrange();
  }

  /** Has the batch being gathered handed over at the end of the turn, or when the writer can take it. */
  #arrange(): void {
    this.#urgent = true;
    if (this.#scheduled || this.#isBusy) return;
    this.#scheduled = true;
    this.#schedule(this.#turnEnded);
  }

  whenCommitted(number: number, done: () => void): void {
    if (number <= this.#committed) {
      done();
    } else if (number === this.gathering) {
      this.#gathered.callbacks.push(done);
      this.hurry();
    } else {
      const batch = this.#pending[number - this.#committed - 1];
      assert(batch !== undefined, "waits for a batch that nobody gathers yet");
      batch.callbacks.push(done);
    }
  }

  /** The batch last given to `write` is written, and the writer can take the next. */
  written(): void {
    assert(this.#isWriting, "nothing was being written");
    this.#isWriting = false;
    this.#goOn();
  }

  /** The batches up to this one are on disk. */
  synced(number: number): void {
    this.#synced = number;
    this.#goOn();
  }

  /** The writer gets its next batch before anyone hears of those that are committed, so that it works while they do. */
  #goOn(): void {
    if (this.#urgent || this.#isDelayOver) this.#handOver();
    this.#tellCommitted();
  }

  get #isBusy(): boolean {
    const unsynced = this.gathering - 1 - Math.max(this.#synced, this.#committed);
    return this.#isWriting || unsynced >= pendingMax;
  }

  #startDelay(delay: Delay, ms: number): void {
    if (this.#delayMs <= ms || this.#isDelayOver) return;
    this.#delayMs = ms;
    delay(this.#delayed, ms);
  }

  #delayOver(): void {
    this.#delayMs = Number.POSITIVE_INFINITY;
    if (this.#sources.size === 0) return;
    this.#isDelayOver = true;
    if (!this.#scheduled) this.#endTurn();
  }

  #endTurn(): void {
    this.#scheduled = false;
    this.#handOver();
    this.#tellCommitted();
  }

  #hasGathered(): boolean {
    return this.#sources.size > 0 || this.#gathered.callbacks.length > 0 || !this.#gathered.isEmpty;
  }

  #handOver(): void {
    if (this.#isBusy) return;
    const batch = this.#gathered;
    const all = this.#all;
    this.#all = this.#urgent = this.#isDelayOver = false;
    for (const source of this.#sources) if (!source.pack(batch, all)) this.#sources.delete(source);
    if (this.#sources.size > 0 && this.#delay !== undefined) this.#startDelay(this.#delay, lingerMs);
    // What nobody waits for and has come to nothing need not count as a batch.
    if (!all && batch.isEmpty) return;
    this.#gathered = this.#free.pop() ?? new GatheredBatch(0);
    this.#gathered.number = batch.number + 1;
    this.#pending.push(batch);
    if (batch.isEmpty) return;
    this.#isWriting = true;
    batch.handedOverAt = performance.now();
    this.#write(batch);
  }

  #tellCommitted(): void {
    for (let batch = this.#pending[0]; batch !== undefined; batch = this.#pending[0]) {
      if (batch.number > this.#synced && !batch.isEmpty) return;
      this.#pending.shift();
      this.#committed = batch.number;
      if (!batch.isEmpty) this.stats.committed(batch.handedOverAt, batch.messages, batch.length);
      batch.fire();
      batch.reset(0);
      this.#free.push(batch);
    }
  }
}
