import { closeSync, openSync, statfsSync } from "node:fs";
import Sqlite, { type Database } from "better-sqlite3";
import type { Opened } from "./open-data-file.ts";
import { isDamage } from "./segment-reader.ts";
import { mendSmallTables } from "./small-tables.ts";
import { StoreError } from "./store.ts";
import { forgetUnusedPagesInUse } from "./unused-pages.ts";

/** A disk with more than this free is not full. */
const roomBytes = 1024 * 1024;

/** Mends a data file while it is in use. */
export class Mender {
  readonly #db: Database;
  readonly #mended: string[];
  #isTidy: boolean;
  /** Of the data file, once its first page had to be changed. */
  #descriptor: number | undefined;

  constructor({ db, mended, isTidy }: Opened) {
    this.#db = db;
    this.#mended = [...mended];
    this.#isTidy = isTidy;
  }

  /** The small tables that were found to be damaged since this was called, and are whole now. */
  takeMended(): readonly string[] {
    return this.#mended.splice(0);
  }

  /** False when which pages are unused had to be forgotten. */
  get isTidy(): boolean {
    return this.#isTidy;
  }

  /** Whether SQLite moves pages: to make a table, and to give space back. */
  get movesPages(): boolean {
    return this.#db.pragma("auto_vacuum", { simple: true }) !== 0;
  }

  /** False when no small table is damaged, or one that is cannot be made anew: `damage` says why then, as a start may be able to. */
  mendTables(damage: Error): boolean {
    const before = this.#mended.length;
    try {
      this.orWithoutMoving(() => mendSmallTables(this.#db, this.#mended));
    } catch (error) {
      if (!isDamage(error) && !(error instanceof StoreError)) throw error;
      if (!damage.message.includes(error.message)) damage.message += `: ${error.message}`;
    }
    return this.#mended.length > before;
  }

  /** The page that SQLite moves to make a table may be, or be found from, one that is damaged: then none is moved any more. */
  orWithoutMoving<T>(makeTables: () => T): T {
    try {
      return makeTables();
    } catch (error) {
      if (!isInTheWay(error, this.#db.name) || !this.movesPages || !this.#stopMoving(error)) throw error;
      return makeTables();
    }
  }

  /** False while that cannot be: `damage` says why when the system refuses. */
  #stopMoving(damage: Error): boolean {
    try {
      this.#descriptor ??= openSync(this.#db.name, "r+");
      return forgetUnusedPagesInUse(this.#db, this.#descriptor);
    } catch (error) {
      if (!(error instanceof Error) || !("syscall" in error)) throw error;
      damage.message += `, and its first page cannot be written: ${error.message}`;
      return false;
    } finally {
      // An attempt that failed may have changed the file too; SQLite looks with the next transaction.
      this.#db.pragma("page_count");
      this.#isTidy &&= this.movesPages;
    }
  }

  /** Once the connection is closed. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}

/**
 * True for damage that was come across while a table was made, and for what looks like a full disk, but is a page far beyond the
 * others that damage has SQLite ask for. What memory or a disk did not give this time is no reason.
 */
function isInTheWay(error: unknown, file: string): error is Error {
  if (!(error instanceof Sqlite.SqliteError)) return false;
  return error.code.startsWith("SQLITE_CORRUPT") || (isFull(error) && hasRoom(file));
}

function hasRoom(file: string): boolean {
  const { bavail, bsize } = statfsSync(file);
  return bavail * bsize > roomBytes;
}

/** Said of a full disk, and of a page that is far beyond the others, which damage makes SQLite ask for. */
export function isFull(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith("SQLITE_FULL");
}
