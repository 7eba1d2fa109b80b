import assert from "node:assert/strict";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { openDatabase, setDurable } from "./database.ts";

/*
 * A thread beside the writer that copies the write-ahead log into the data file. SQLite lets one connection do that
 * while another one commits; in the writer's own thread nothing is committed meanwhile, for some 20 ms each time.
 */

/** Asked of the checkpointer; "close" ends the thread. */
export type CheckpointRequest = "checkpoint" | "close";
/** What it answers to "checkpoint": what could be copied is, or why it failed. */
export type CheckpointAnswer = { readonly failure: string | undefined };

function serve(port: MessagePort, file: string): void {
  const db = openDatabase(file);
  setDurable(db);
  port.on("message", (request: CheckpointRequest) => {
    if (request === "close") {
      db.close();
      port.close();
      return;
    }
    let failure: string | undefined;
    try {
      db.pragma("wal_checkpoint(PASSIVE)");
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    port.postMessage({ failure } satisfies CheckpointAnswer);
  });
}

const file: unknown = workerData;
assert(parentPort !== null && typeof file === "string", "the checkpointer runs in a thread, with the data file");
serve(parentPort, file);
