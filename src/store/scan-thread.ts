import assert from "node:assert/strict";
import { setTimeout as later } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import Sqlite from "better-sqlite3";
import { MessageScan } from "./data-check.ts";

/*
 * A thread that looks once at all messages that were there at the start, and tells of those that are damaged. It rests
 * as long as it works, so that the disk is there for others.
 */
async function scan(file: string): Promise<void> {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    const messages = new MessageScan(db);
    for (const segment of messages.segments()) {
      const from = performance.now();
      const damage = messages.check(segment);
      if (damage !== undefined) parentPort?.postMessage(damage);
      await later(performance.now() - from);
    }
  } finally {
    db.close();
  }
}

const file: unknown = workerData;
assert(typeof file === "string", "the scan runs in a thread, with the data file");
await scan(file);
