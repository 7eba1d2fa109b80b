import type { Database } from "better-sqlite3";
import { type DefinitionKind, definitionFromRow, definitionKinds, definitionTables } from "./definition-rows.ts";
import { MessageTables } from "./message-tables.ts";
import { unlessDamaged } from "./segment-reader.ts";
import { type Definition, type StoredSegment, type StoredState, StoreError, segmentMessagesMax } from "./store.ts";

/** What a start needs as plain rows, fit to be posted from thread to thread. */
export interface RecoveredRows {
  readonly definitions: readonly { readonly kind: DefinitionKind; readonly rows: readonly unknown[][] }[];
  readonly segments: readonly unknown[][];
  readonly lastSegment: number;
  readonly lastQueueId: number;
}

/** Reads definitions and segments; never messages, so it takes as long with a million of them as with none. */
export function readRows(db: Database): RecoveredRows {
  // A segment whose last message is gone may have its row left; nobody would drop it any more.
  if (!db.readonly) db.prepare("DELETE FROM segment WHERE count = 0").run();
  return {
    definitions: definitionKinds.map((kind) => ({ kind, rows: definitionRows(db, kind) })),
    segments: rowsOf(
      db,
      "SELECT number, queue_id, level, count, body_bytes, delivered_to, first_expires_at, ttl_ms FROM segment ORDER BY number",
    ),
    lastSegment: lastSegment(db),
    lastQueueId: highest(db, "SELECT value FROM high_water WHERE name = 'queue'", "SELECT max(id) FROM queue"),
  };
}

/** Of all places that tell: when one is from an earlier time, a number that is in use must not be given out again. */
function lastSegment(db: Database): number {
  const inMessages = new MessageTables(db)
    .of(0)
    .map(({ name }) => `SELECT max(id) / ${segmentMessagesMax} FROM ${name}`);
  return highest(
    db,
    "SELECT value FROM high_water WHERE name = 'segment'",
    "SELECT max(number) FROM segment",
    "SELECT max(number) FROM dropped_segment",
    ...inMessages,
  );
}

/** The highest number that these find where they can be asked. */
function highest(db: Database, ...queries: readonly string[]): number {
  return Math.max(...queries.map((sql) => unlessDamaged(() => integer(db.prepare(sql).pluck().get() ?? 0)) ?? 0));
}

function definitionRows(db: Database, kind: DefinitionKind): unknown[][] {
  const { table, key, columns } = definitionTables[kind];
  return rowsOf(db, `SELECT ${[...key, ...columns].join(", ")} FROM ${table}`);
}

function rowsOf(db: Database, sql: string): unknown[][] {
  return db
    .prepare(sql)
    .raw()
    .all()
    .filter((row) => Array.isArray(row));
}

/** Makes of rows what they stand for; throws StoreError where one cannot be. */
export function stateFromRows(rows: RecoveredRows): Omit<StoredState, "mended" | "isTidy"> {
  const definitions: Definition[] = [];
  for (const { kind, rows: kindRows } of rows.definitions) {
    for (const row of kindRows) definitions.push(definitionFromRow(kind, row));
  }
  return {
    definitions,
    segments: rows.segments.map(segmentFromRow),
    lastSegment: rows.lastSegment,
    lastQueueId: rows.lastQueueId,
  };
}

function segmentFromRow(row: readonly unknown[]): StoredSegment {
  const [number, queueId, level, count, bodyBytes, deliveredTo, firstExpiresAt, ttlMs] = row.map(integer);
  return {
    number: integer(number),
    queueId: integer(queueId),
    level: integer(level),
    count: integer(count),
    bodyBytes: integer(bodyBytes),
    deliveredTo: integer(deliveredTo),
    firstExpiresAt: integer(firstExpiresAt),
    ttlMs: integer(ttlMs),
  };
}

function integer(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new StoreError(`the data file is damaged: it holds ${JSON.stringify(value)} where a number belongs`);
}
