import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { openDatabase, pageBytes, setDurable } from "./database.ts";
import { pagesFolder } from "./page-files.ts";
import { copiesVersion, readVersion, upgradeSchema } from "./schema.ts";
import { isDamage } from "./segment-reader.ts";
import { mendSmallTables } from "./small-tables.ts";
import { StoreError } from "./store.ts";
import { forgetUnusedPages, knowsUnusedPages } from "./unused-pages.ts";

/** Rights on the data directory. */
const ownerMode = 0o700;

/**
 * Locks a data directory for this process by a transaction on a file beside the data, which ends with the process. The
 * data file itself stays open to a shell or a backup.
 */
export function lockDirectory(directory: string): Database {
  let lock: Database | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: ownerMode });
    closeToOthers(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    lock = new Sqlite(join(directory, "tsbroker.lock"), { timeout: 0 });
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if (error instanceof Sqlite.SqliteError && error.code === "SQLITE_BUSY") {
      throw new StoreError(`data directory '${directory}' is in use by another tsbroker`, { cause: error });
    }
    throw new StoreError(`data directory '${directory}' cannot be used: ${directoryReason(error)}`, { cause: error });
  }
}

/** Takes the rights of others on a directory that was there, if it is ours: messages and hashes of passwords are in it. */
function closeToOthers(directory: string): void {
  const { mode, uid } = statSync(directory);
  if (uid === process.getuid?.() && (mode & 0o077) !== 0) chmodSync(directory, ownerMode);
}

/** A data file that is open, and what was amiss with it. */
export interface Opened {
  readonly db: Database;
  /** The small tables that were damaged. */
  readonly mended: readonly string[];
  /** False when what it says of its unused pages had to be forgotten. */
  readonly isTidy: boolean;
}

/** Opens or creates a data file, and mends what can be; throws StoreError when it cannot be used. */
export function openDataFile(file: string): Opened {
  try {
    refuseEmptied(file);
    endLog(file);
    // While somebody reads the file its log may stay, and what of it was copied need not fit together.
    const isTidy = !hasContent(file) || hasContent(`${file}-wal`) || knowsUnusedPages(file);
    if (!isTidy) forgetUnusedPages(file);
    const mended: string[] = [];
    return isTidy ? openTidy(file, mended) : { db: openWhole(file, mended), mended, isTidy };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(openFailure(file, error), { cause: error });
  }
}

/** To make a table anew SQLite moves a page, which may be, or be found from, one that is damaged: then none is moved any more. */
function openTidy(file: string, mended: string[]): Opened {
  try {
    return { db: openWhole(file, mended), mended, isTidy: true };
  } catch (error) {
    if (!isDamage(error) || hasContent(`${file}-wal`)) throw error;
    forgetUnusedPages(file);
    return { db: openWhole(file, mended), mended, isTidy: false };
  }
}

/** A file without a byte is what a first start leaves that was ended at once; later ones have made more than that. */
function refuseEmptied(file: string): void {
  const isThere = statSync(file, { throwIfNoEntry: false }) !== undefined;
  // Whatever its log has: SQLite would remove the log of an empty file.
  if (!isThere || hasContent(file) || !existsSync(join(dirname(file), pagesFolder))) return;
  throw new StoreError(`data file '${file}' is empty, and once was not: restore a backup, or remove it to begin anew`);
}

/** Has what a crash left in the log copied into the data file. */
function endLog(file: string): void {
  if (!hasContent(`${file}-wal`)) return;
  const db = openDatabase(file);
  try {
    readVersion(db);
    setDurable(db);
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}

function hasContent(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Adds the names of small tables that were damaged to `mended`. */
function openWhole(file: string, mended: string[]): Database {
  const db = openDatabase(file);
  try {
    // Looked at before anything is written to it: it may be another program's.
    const version = readVersion(db);
    db.pragma(`page_size = ${pageBytes}`);
    db.pragma("auto_vacuum = INCREMENTAL");
    const mode = db.pragma("journal_mode = WAL", { simple: true });
    if (mode !== "wal") throw new StoreError(`the file system of '${file}' cannot hold a write-ahead log`);
    setDurable(db);
    // Before anything else: a step to a newer version reads them.
    if (version >= copiesVersion) mendSmallTables(db, mended);
    upgradeSchema(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function openFailure(file: string, error: unknown): string {
  if (error instanceof Sqlite.SqliteError && error.code.startsWith("SQLITE_NOTADB")) {
    return `'${file}' is not a data file of tsbroker, or its first page is damaged: ${reason(error)}`;
  }
  if (isDamage(error)) {
    return `data file '${file}' is too damaged to be used (${reason(error)}): restore a backup, or repair the disk and start again`;
  }
  return `data file '${file}' cannot be used: ${reason(error)}`;
}

function directoryReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EPERM") return "permission denied: this user must be able to write there";
  if (code === "EEXIST" || code === "ENOTDIR") return "it is a file, or in one, not a directory";
  const text = reason(error);
  // A long list of places follows, and nothing that helps.
  if (/bindings file/.test(text))
    return "SQLite was not built: run npm rebuild better-sqlite3 where tsbroker is installed";
  return text;
}

/** What went wrong, in a few words. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
