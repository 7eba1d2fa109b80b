import { workerData } from "node:worker_threads";
import Sqlite from "better-sqlite3";
import type { BackupJob } from "./data-backups.ts";

/** Pages that are copied at a time. */
const stepPages = 256;

/** Copies what `from` holds now. Within a transaction that reads, what others commit meanwhile is not seen. */
async function copy({ from, to }: BackupJob): Promise<void> {
  const db = new Sqlite(from, { readonly: true, fileMustExist: true });
  try {
    db.exec("BEGIN");
    // A snapshot is taken at the first read.
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    await db.backup(to, { progress: () => stepPages });
    db.exec("COMMIT");
  } catch (error) {
    // SQLite's own error class arrives in the other thread without its message.
    throw new Error(error instanceof Error ? error.message : String(error), { cause: error });
  } finally {
    db.close();
  }
}

await copy(workerData as BackupJob);
