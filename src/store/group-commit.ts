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

/**
 * Gathers one batch while the one before is written: the busier, the larger. At the end of a loop turn with nothing
 * being written, or when the one being written is done, the next is packed and goes to `write`, whose owner calls
 * {@link written} when it is on disk. A batch with nothing in it, its messages all settled meanwhile, commits without
 * being written.
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
  #inFlight: GatheredBatch | undefined;
  readonly #sources = new Set<BatchSource>();
  #committed = 0;
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
    return this.#inFlight === undefined && !this.#hasGathered();
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

  /** Has the batch being gathered handed over at the end of the turn, or when the one being written is done. */
  #arrange(): void {
    this.#urgent = true;
    if (this.#scheduled || this.#inFlight !== undefined) return;
    this.#scheduled = true;
    this.#schedule(this.#turnEnded);
  }

  whenCommitted(number: number, done: () => void): void {
    if (number <= this.#committed) {
      done();
    } else if (number === this.#inFlight?.number) {
      this.#inFlight.callbacks.push(done);
    } else {
      assert(number === this.gathering, "waits for a batch that nobody gathers yet");
      this.#gathered.callbacks.push(done);
      this.hurry();
    }
  }

  /** The batch last given to `write` is on disk. */
  written(): void {
    const batch = this.#inFlight;
    assert(batch !== undefined, "nothing was being written");
    this.#committed = batch.number;
    // The writer gets its next batch before anyone hears of this one, so that it works while they do.
    this.#inFlight = undefined;
    if (this.#urgent || this.#isDelayOver) this.#handOver();
    this.#tell(batch);
    this.#skipEmpty();
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
    if (this.#inFlight === undefined && !this.#scheduled) this.#endTurn();
  }

  #endTurn(): void {
    this.#scheduled = false;
    if (this.#inFlight !== undefined) return;
    this.#handOver();
    this.#skipEmpty();
  }

  #hasGathered(): boolean {
    return this.#sources.size > 0 || this.#gathered.callbacks.length > 0 || !this.#gathered.isEmpty;
  }

  #handOver(): void {
    const batch = this.#gathered;
    const all = this.#all;
    this.#all = this.#urgent = this.#isDelayOver = false;
    for (const source of this.#sources) if (!source.pack(batch, all)) this.#sources.delete(source);
    if (this.#sources.size > 0 && this.#delay !== undefined) this.#startDelay(this.#delay, lingerMs);
    // What nobody waits for and has come to nothing need not count as a batch.
    if (!all && batch.isEmpty) return;
    this.#gathered = this.#free.pop() ?? new GatheredBatch(0);
    this.#gathered.number = batch.number + 1;
    this.#inFlight = batch;
    if (batch.isEmpty) return;
    batch.handedOverAt = performance.now();
    this.#write(batch);
  }

  /** Commits the batch that was handed over when there is nothing in it to write. */
  #skipEmpty(): void {
    const batch = this.#inFlight;
    if (batch === undefined || !batch.isEmpty) return;
    this.#committed = batch.number;
    this.#inFlight = undefined;
    this.#tell(batch);
    if (this.#urgent) this.#arrange();
  }

  #tell(batch: GatheredBatch): void {
    if (!batch.isEmpty) this.stats.committed(batch.handedOverAt, batch.messages, batch.length);
    batch.fire();
    batch.reset(0);
    this.#free.push(batch);
  }
}
