import type { DefinitionChange } from "./definition-rows.ts";
import type { RecoveredRows } from "./recovery.ts";
import type { Damage, StoredMessages } from "./store.ts";

/** What the main thread asks of the writer: "open" first; one batch at a time; reads and batches in any order. */
export type WriterRequest = { readonly name: "open" } | BatchRequest | ReadRequest | CloseRequest;

export interface ReadRequest {
  readonly name: "read";
  readonly segment: number;
}

/** The memory is shared: it is the writer's until it answers. */
export interface BatchRequest {
  readonly name: "batch";
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

/** What the writer answers: "opened" or "refused" first, "closed" last; reads of a segment in the order they were asked for. */
export type WriterAnswer =
  | OpenedAnswer
  | { readonly name: "refused"; readonly reason: string }
  | { readonly name: "committed" }
  | ReadAnswer
  | { readonly name: "mended"; readonly tables: readonly string[] }
  | { readonly name: "untidy" }
  | { readonly name: "failing"; readonly reason: string }
  | { readonly name: "recovered" }
  | { readonly name: "closed" };

export interface OpenedAnswer {
  readonly name: "opened";
  readonly rows: RecoveredRows;
  readonly mended: readonly string[];
  readonly isTidy: boolean;
}

export interface ReadAnswer {
  readonly name: "read";
  readonly segment: number;
  readonly messages: StoredMessages;
  readonly damage: Damage | undefined;
}
