import type { Database } from "better-sqlite3";
import { definitionKinds, definitionTables } from "./definition-rows.ts";
import { unlessDamaged } from "./segment-reader.ts";
import { StoreError } from "./store.ts";

/** All tables but those with messages. Each has an index of all its columns: its rows are in the file twice. */
export const smallTables: readonly string[] = [
  ...definitionKinds.map((kind) => definitionTables[kind].table),
  "segment",
  "high_water",
  "dropped_segment",
  "hidden_range",
  "message_table",
];

/** The names of those that have a damaged page, in the table or in its index. */
export function damagedSmallTables(db: Database): string[] {
  return smallTables.filter(
    (table) => unlessDamaged(() => db.pragma(`integrity_check(${table})`, { simple: true })) !== "ok",
  );
}

/**
 * Makes those small tables anew that have a damaged page, of what can be read: the table or the index. The damaged ones stay in
 * the file by another name, since SQLite cannot take them apart. Returns the names of the tables, and throws StoreError when
 * neither side of one can be read.
 */
export function mendSmallTables(db: Database): string[] {
  const damaged = damagedSmallTables(db);
  for (const table of damaged) makeAnew(db, table, rowsOf(db, table));
  return damaged;
}

/** Those of the table, or of the index where that has more: what is damaged may have lost some. */
function rowsOf(db: Database, table: string): readonly unknown[] {
  const columns = columnsOf(db, table).join(", ");
  const [key] = indexesOf(db, table, "pk");
  // A table WITHOUT ROWID is the index of its key. To scan it SQLite would take the copy, unless it is told.
  const sides = [key === undefined ? "NOT INDEXED" : `INDEXED BY ${key}`, `INDEXED BY ${copyOf(db, table)}`];
  const [one, other] = sides
    .map((side) => unlessDamaged(() => db.prepare(`SELECT ${columns} FROM ${table} ${side}`).raw().all()))
    .filter((rows) => rows !== undefined);
  if (one === undefined) throw new StoreError(`the data file is damaged where its table '${table}' is, and its copy`);
  return other !== undefined && other.length > one.length ? other : one;
}

function makeAnew(db: Database, table: string, rows: readonly unknown[]): void {
  const columns = columnsOf(db, table);
  const copied = textsOf(db, `SELECT name FROM pragma_index_info('${copyOf(db, table)}')`);
  const [create = ""] = textsOf(db, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = '${table}'`);
  // A view of a table follows it to its new name.
  const views = textsOf(db, "SELECT sql FROM sqlite_schema WHERE type = 'view'");
  const viewNames = textsOf(db, "SELECT name FROM sqlite_schema WHERE type = 'view'");
  db.transaction(() => {
    for (const view of viewNames) db.exec(`DROP VIEW ${view}`);
    const number = textsOf(db, `SELECT name FROM sqlite_schema WHERE name LIKE 'damaged_${table}_%'`).length + 1;
    db.exec(`ALTER TABLE ${table} RENAME TO damaged_${table}_${number}`);
    db.exec(create);
    const put = db.prepare(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    );
    for (const row of rows) put.run(row);
    db.exec(`CREATE INDEX ${table}_copy_${number} ON ${table} (${copied.join(", ")})`);
    for (const view of views) db.exec(view);
  }).immediate();
}

function columnsOf(db: Database, table: string): string[] {
  return textsOf(db, `SELECT name FROM pragma_table_info('${table}')`);
}

/** The index of all columns; the others belong to the table's constraints. */
function copyOf(db: Database, table: string): string {
  const [index] = indexesOf(db, table, "c");
  if (index === undefined) throw new StoreError(`the data file has no copy of its table '${table}'`);
  return index;
}

function indexesOf(db: Database, table: string, origin: "c" | "pk"): string[] {
  return textsOf(db, `SELECT name FROM pragma_index_list('${table}') WHERE origin = '${origin}'`);
}

function textsOf(db: Database, sql: string): string[] {
  return db.prepare(sql).pluck().all().map(String);
}
