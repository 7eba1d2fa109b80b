import { join } from "node:path";
import Sqlite, { type Database, type Statement } from "better-sqlite3";
import { applyBatch } from "./batch.ts";
import { Checkpoints } from "./checkpoints.ts";
import { pageBytes } from "./database.ts";
import type { DefinitionChange } from "./definition-rows.ts";
import { isFull, Mender } from "./mender.ts";
import { lockDirectory, openDataFile, reason } from "./open-data-file.ts";
import { type RecoveredRows, readRows } from "./recovery.ts";
import { damageOf, isDamage, ownerStatement, type SegmentRead, SegmentReader } from "./segment-reader.ts";
import { SqliteDefinitions } from "./sqlite-definitions.ts";
import { SqliteMessages } from "./sqlite-messages.ts";
import { type Damage, type StoredMessages, StoreError } from "./store.ts";

/** Log to gather before it is copied into the data file. Less costs throughput at 1 KiB. */
const checkpointPages = (16 * 1024 * 1024) / pageBytes;

/**
 * When no more than this is left of the log it is copied here and now, which takes some milliseconds: only when all of
 * it is in the data file can it start over.
 */
const checkpointPagesHere = (2 * 1024 * 1024) / pageBytes;

/** A log that got this long is copied here and now, as the other thread cannot keep up. */
const checkpointPagesMax = (256 * 1024 * 1024) / pageBytes;

/** Time that a batch may spend on deleting what was dropped, and a step between batches. */
const sweepMs = 5;

/** Unused pages that stay in the file for the next messages. */
const freePagesKept = (4 * 1024 * 1024) / pageBytes;

/** Unused pages given back to the file system at a time: some milliseconds. */
const freePagesStep = (8 * 1024 * 1024) / pageBytes;

/**
 * Pages, 4 GiB of them, that may come before the next checkpoint. A message whose size is damaged makes SQLite look for pages
 * anywhere, and once it has come to one far away, it could never copy the log into the file.
 */
const pagesAhead = 256 * 1024;

/** The file in the data directory that holds everything. */
export const dataFileName = "tsbroker.db";

/** A batch, whose operations are packed. */
export interface BatchToWrite {
  readonly definitions: readonly DefinitionChange[];
  readonly droppedQueues: readonly number[];
  readonly operations: Buffer;
  readonly isLastTry: boolean;
}

/** The data directory: one SQLite file in WAL mode, and a lock that keeps a second broker out while others may read. */
export class DataFile {
  readonly mender: Mender;
  readonly #lock: Database;
  readonly #db: Database;
  readonly #definitions: SqliteDefinitions;
  readonly #messages: SqliteMessages;
  readonly #reader: SegmentReader;
  readonly #owner: Statement;
  readonly #checkpoints: Checkpoints;
  #mustCheckpointHere = false;
  #mayShrink = true;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #checkpointState: Statement;
  readonly #freePages: Statement;

  /** Opens or creates the data in a directory; throws StoreError when it cannot be used. */
  constructor(directory: string) {
    this.#lock = lockDirectory(directory);
    try {
      const opened = openDataFile(join(directory, dataFileName));
      this.#db = opened.db;
      this.mender = new Mender(opened);
    } catch (error) {
      this.#lock.close();
      throw error;
    }
    this.#definitions = new SqliteDefinitions(this.#db);
    this.#messages = new SqliteMessages(this.#db);
    this.#reader = new SegmentReader(this.#db);
    this.#owner = ownerStatement(this.#db);
    this.#begin = this.#db.prepare("BEGIN IMMEDIATE");
    this.#commit = this.#db.prepare("COMMIT");
    this.#checkpointState = this.#db.prepare("PRAGMA wal_checkpoint(NOOP)").raw();
    this.#freePages = this.#db.prepare("PRAGMA freelist_count").pluck();
    this.#limitGrowth();
    this.#checkpoints = new Checkpoints(this.#db.name, (failure) => this.#checkpointed(failure));
  }

  /** Reads what a start needs; throws StoreError when the file is damaged. */
  recover(): RecoveredRows {
    try {
      return readRows(this.#db);
    } catch (error) {
      throw new StoreError(`data file '${this.#db.name}' cannot be read: ${reason(error)}`, { cause: error });
    }
  }

  /**
   * Writes a batch in one transaction and returns when it is on disk; throws, with nothing changed, when it cannot. The last
   * try gives up a table to which nothing can be added.
   */
  write({ definitions, droppedQueues, operations, isLastTry }: BatchToWrite): void {
    if (isLastTry) this.#limitGrowth();
    this.#transaction(isLastTry, () => {
      for (const change of definitions) this.#definitions.apply(change);
      for (const queueId of droppedQueues) this.#messages.dropQueue(queueId);
      applyBatch(operations, this.#messages);
      this.#messages.flush();
      this.#messages.sweep(sweepMs);
    });
  }

  /**
   * Reads the messages of a segment, those that are whole, and says what is wrong with the others. Before the last try it
   * throws where the disk does not give a page, or one that is none: the next time it may.
   */
  read(
    segment: number,
    isLastTry: boolean,
  ): { readonly messages: StoredMessages; readonly damage: Damage | undefined } {
    const { messages, damaged } = this.#read(segment, isLastTry);
    return { messages, damage: damaged === 0 ? undefined : damageOf(this.#owner, segment, damaged) };
  }

  #read(segment: number, isLastTry: boolean): SegmentRead {
    try {
      return this.#reader.read(segment, isLastTry);
    } catch (error) {
      // What says where messages are is in small tables.
      if (!isLastTry || !isDamage(error) || !this.mender.mendTables(error)) throw error;
      return this.#reader.read(segment, isLastTry);
    }
  }

  /** True when it was damage that made a transaction fail, and the next attempt may succeed. */
  #avoidDamage(error: unknown, isLastTry: boolean): boolean {
    if (isFull(error)) return this.#messages.avoidChanging();
    if (!isDamage(error)) return false;
    const isAvoided = this.mender.orWithoutMoving(() => this.#messages.avoidDamage(isLastTry));
    return isAvoided || (isLastTry && this.mender.mendTables(error));
  }

  /** Has the log copied into the data file once enough of it has gathered; throws when that fails here. */
  checkpointIfDue(): void {
    if (this.#mustCheckpointHere || this.#logged() > checkpointPagesMax) this.#checkpoint();
    else if (!this.#checkpoints.isRunning && this.#uncopied() >= checkpointPages) {
      this.#limitGrowth();
      this.#checkpoints.start();
    }
  }

  /** What came meanwhile is copied there again while it is much, and here once it is little. */
  #checkpointed(failure: string | undefined): void {
    // A disk that fails is reported by the next attempt, which is made here.
    if (failure !== undefined || this.#uncopied() <= checkpointPagesHere) this.#mustCheckpointHere = true;
    else this.#checkpoints.start();
  }

  /** Pages in the log, which starts over once all are copied and no one reads them. */
  #logged(): number {
    const [, logged] = this.#checkpointNumbers();
    return logged;
  }

  /** Those of them that are not in the data file yet. */
  #uncopied(): number {
    const [, logged, copied] = this.#checkpointNumbers();
    return logged - copied;
  }

  #checkpointNumbers(): [busy: number, logged: number, copied: number] {
    const row: unknown = this.#checkpointState.get();
    const [busy, logged, copied]: unknown[] = Array.isArray(row) ? row : [];
    return [Number(busy), Number(logged), Number(copied)];
  }

  /** Deletes a bounded part of what was dropped, or gives a part of the unused pages back; true when there is more. */
  tidySome(): boolean {
    if (this.#messages.hasDropped) {
      this.#transaction(false, () => this.#messages.sweep(sweepMs));
      this.checkpointIfDue();
      return true;
    }
    if (!this.#hasUnused()) return false;
    this.#shrink();
    this.#checkpoint();
    return this.#hasUnused();
  }

  #shrink(): void {
    try {
      this.#db.pragma(`incremental_vacuum(${freePagesStep})`);
    } catch (error) {
      // To move pages it looks at others: a file that is damaged keeps its size.
      if (!isDamage(error)) throw error;
      this.#mayShrink = false;
    }
  }

  /** SQLite copies the log into the data file and removes it, unless somebody else is reading. Then calls `closed`. */
  close(closed: () => void): void {
    this.#checkpoints.close(() => {
      this.#db.close();
      this.mender.close();
      this.#lock.close();
      closed();
    });
  }

  #transaction(isLastTry: boolean, step: () => void): void {
    this.#begin.run();
    try {
      step();
      this.#commit.run();
    } catch (error) {
      // Some errors, a full disk for one, have rolled back already.
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      const isAvoided = this.#avoidDamage(error, isLastTry);
      this.#messages.discard();
      if (!isAvoided) throw error;
      this.#transaction(isLastTry, step);
    }
  }

  #limitGrowth(): void {
    const pages = Number(this.#db.pragma("page_count", { simple: true }));
    this.#db.pragma(`max_page_count = ${pages + pagesAhead}`);
  }

  #checkpoint(): void {
    this.#limitGrowth();
    this.#db.pragma("wal_checkpoint(PASSIVE)");
    this.#mustCheckpointHere = false;
  }

  #hasUnused(): boolean {
    return this.#mayShrink && this.mender.movesPages && Number(this.#freePages.get()) > freePagesKept;
  }
}

const ownMistakes = ["ERROR", "MISUSE", "RANGE", "MISMATCH", "CONSTRAINT", "TOOBIG", "INTERNAL"];

/** True for what the disk or the operating system did to SQLite, false for mistakes of ours. */
export function isDiskError(error: unknown): error is Error {
  return error instanceof Sqlite.SqliteError && !ownMistakes.includes(error.code.split("_")[1] ?? "");
}
