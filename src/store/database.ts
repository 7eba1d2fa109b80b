import Sqlite, { type Database } from "better-sqlite3";

/** Measured: records of 1 KiB are written twice as fast as with 4 KiB; small and large ones a little faster. */
export const pageBytes = 16 * 1024;

/** What the log may keep of its size once all of it is in the data file. */
const logBytesKept = 64 * 1024 * 1024;

/** How long to wait for somebody else's lock on the data file, a person's shell that writes to it, before that fails. */
const lockWaitMs = 100;

/** Opens a data file whose commits, and checkpoints, are on disk when they return. */
export function openDatabase(file: string): Database {
  return new Sqlite(file, { timeout: lockWaitMs });
}

/** Sets what holds for a connection, once the file is known to be ours. */
export function setDurable(db: Database): void {
  db.pragma("synchronous = FULL");
  db.pragma("wal_autocheckpoint = 0");
  // A page whose cells cannot be where they say is damage, and nothing is written to it.
  db.pragma("cell_size_check = ON");
  db.pragma(`journal_size_limit = ${logBytesKept}`);
}
