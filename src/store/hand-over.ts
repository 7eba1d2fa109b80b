import type { DefinitionChange } from "./definition-rows.ts";
import type { RecoveredRows } from "./recovery.ts";
import type { Damage, StoredMessages } from "./store.ts";

/**
 * What the main thread asks of the writer: "open" first; a batch only when the one before is written; reads and batches
 * in any order.
 */
export type WriterRequest =
  | { readonly name: "open" }
  | BatchRequest
  | { readonly name: "read"; readonly segment: number }
  | CloseRequest;

/** The memory is shared: it is the writer's until it answers "written". */
export interface BatchRequest {
  readonly name: "batch";
  readonly number: number;
  readonly definitions: readonly DefinitionChange[];
  readonly droppedQueues: readonly number[];
  readonly memory: SharedArrayBuffer;
  readonly length: number;
}

/** Comes with nothing to write, or with `abandon` while writing fails, to give up what was not written. */
export interface CloseRequest {
  readonly name: "close";
  readonly abandon: boolean;
}

/**
 * What the writer answers: "opened" or "refused" first, "closed" last, reads in the order they were asked for, "written"
 * for each batch. "synced" says that all up to a batch is on disk.
 */
export type WriterAnswer =
  | { readonly name: "opened"; readonly rows: RecoveredRows }
  | { readonly name: "refused"; readonly reason: string }
  | { readonly name: "written" }
  | { readonly name: "synced"; readonly number: number }
  | { readonly name: "read"; readonly messages: StoredMessages; readonly damage: Damage | undefined }
  | { readonly name: "failing"; readonly reason: string }
  | { readonly name: "recovered" }
  | { readonly name: "closed" };
