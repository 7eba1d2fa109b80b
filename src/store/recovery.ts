import type { Database } from "better-sqlite3";
import { type DefinitionKind, definitionFromRow, definitionKinds, definitionTables } from "./definition-rows.ts";
import { type Definition, type StoredSegment, type StoredState, StoreError } from "./store.ts";

/** What a start needs as plain rows, fit to be posted from thread to thread. */
export interface RecoveredRows {
  readonly definitions: readonly { readonly kind: DefinitionKind; readonly rows: readonly unknown[][] }[];
  readonly segments: readonly unknown[][];
  readonly lastSegment: unknown;
  readonly lastQueueId: unknown;
}

/** Reads definitions and segments; never messages, so it takes as long with a million of them as with none. */
export function readRows(db: Database): RecoveredRows {
  // A segment whose last message is gone may have its row left; nobody would drop it any more.
  if (!db.readonly) db.prepare("DELETE FROM segment WHERE count = 0").run();
  const highWater = db.prepare("SELECT value FROM high_water WHERE name = ?").pluck();
  return {
    definitions: definitionKinds.map((kind) => ({ kind, rows: definitionRows(db, kind) })),
    segments: rowsOf(
      db,
      "SELECT number, queue_id, level, count, body_bytes, delivered_to, first_expires_at, ttl_ms FROM segment ORDER BY number",
    ),
    lastSegment: highWater.get("segment"),
    lastQueueId: highWater.get("queue"),
  };
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
export function stateFromRows(rows: RecoveredRows): Omit<StoredState, "mended"> {
  const definitions: Definition[] = [];
  for (const { kind, rows: kindRows } of rows.definitions) {
    for (const row of kindRows) definitions.push(definitionFromRow(kind, row));
  }
  return {
    definitions,
    segments: rows.segments.map(segmentFromRow),
    lastSegment: integer(rows.lastSegment),
    lastQueueId: integer(rows.lastQueueId),
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
