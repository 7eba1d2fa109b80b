import assert from "node:assert/strict";
import { GatheredBatch } from "./batch.ts";
import { keyRow, row } from "./definition-rows.ts";
import type { BatchSource, Definition, DefinitionKey } from "./store.ts";

/** Calls `step` at the end of the loop turn, or when a test wants it. */
export type Schedule = (step: () => void) => void;

/**
 * Gathers one batch while the one before is written: no timer, the busier the larger. At the end of a loop turn with
 * nothing being written, or when the one being written is done, the next is packed and goes to `write`, whose owner
 * calls {@link written} when it is on disk. A batch with nothing in it, its messages all settled meanwhile, commits
 * without being written.
 */
export class GroupCommit {
  readonly #write: (batch: GatheredBatch) => void;
  readonly #schedule: Schedule;
  readonly #free: GatheredBatch[] = [];
  #gathered = new GatheredBatch(1);
  #inFlight: GatheredBatch | undefined;
  #sources: BatchSource[] = [];
  #packedSources: BatchSource[] = [];
  #committed = 0;
  #scheduled = false;

  constructor(write: (batch: GatheredBatch) => void, schedule: Schedule) {
    this.#write = write;
    this.#schedule = schedule;
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
    this.#arrange();
  }

  undefine(definition: DefinitionKey): void {
    this.#gathered.definitions.push({ kind: definition.kind, removed: true, values: keyRow(definition) });
    this.#arrange();
  }

  dropMessages(queueId: number): void {
    this.#gathered.droppedQueues.push(queueId);
    this.#arrange();
  }

  mark(source: BatchSource): void {
    this.#sources.push(source);
    this.#arrange();
  }

  whenCommitted(number: number, done: () => void): void {
    if (number <= this.#committed) {
      done();
    } else if (number === this.#inFlight?.number) {
      this.#inFlight.callbacks.push(done);
    } else {
      assert(number === this.gathering, "waits for a batch that nobody gathers yet");
      this.#gathered.callbacks.push(done);
      this.#arrange();
    }
  }

  /** The batch last given to `write` is on disk. */
  written(): void {
    const batch = this.#inFlight;
    assert(batch !== undefined, "nothing was being written");
    this.#committed = batch.number;
    // The writer gets its next batch before anyone hears of this one, so that it works while they do.
    this.#inFlight = undefined;
    if (this.#hasGathered()) this.#handOver();
    this.#tell(batch);
    this.#skipEmpty();
  }

  #arrange(): void {
    if (this.#scheduled || this.#inFlight !== undefined) return;
    this.#scheduled = true;
    this.#schedule(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#scheduled = false;
    if (this.#inFlight !== undefined) return;
    this.#handOver();
    this.#skipEmpty();
  }

  #hasGathered(): boolean {
    return this.#sources.length > 0 || this.#gathered.callbacks.length > 0 || !this.#gathered.isEmpty;
  }

  #handOver(): void {
    const batch = this.#gathered;
    const sources = this.#sources;
    this.#sources = this.#packedSources;
    this.#packedSources = sources;
    this.#gathered = this.#free.pop() ?? new GatheredBatch(0);
    this.#gathered.number = batch.number + 1;
    this.#inFlight = batch;
    for (const source of sources) source.pack(batch);
    sources.length = 0;
    if (!batch.isEmpty) this.#write(batch);
  }

  /** Commits the batch that was handed over when there is nothing in it to write. */
  #skipEmpty(): void {
    const batch = this.#inFlight;
    if (batch === undefined || !batch.isEmpty) return;
    this.#committed = batch.number;
    this.#inFlight = undefined;
    this.#tell(batch);
    if (this.#hasGathered()) this.#arrange();
  }

  #tell(batch: GatheredBatch): void {
    batch.fire();
    batch.reset(0);
    this.#free.push(batch);
  }
}
