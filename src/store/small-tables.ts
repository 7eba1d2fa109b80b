import Sqlite, { type Database } from "better-sqlite3";
import { definitionFromRow, definitionKinds, definitionTables } from "./definition-rows.ts";
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
  for (const table of damaged) mend(db, table);
  return damaged;
}

/** Of a table and its copy, the one that seems to be right makes it anew; the other one where that cannot be. */
function mend(db: Database, table: string): void {
  for (const { rows } of sidesOf(db, table)) if (makeAnew(db, table, rows)) return;
  throw new StoreError(
    `the data file is damaged where its table '${table}' is, and its copy: restore a backup, or repair the disk and start again`,
  );
}

/** What can be read of a table, or of the index that is its copy. */
interface Side {
  readonly rows: readonly unknown[][];
  /** That SQLite complains of neither its pages nor their order. */
  readonly isSound: boolean;
}

/** The better side first: what is damaged may have lost rows. The table where nothing tells. */
function sidesOf(db: Database, table: string): Side[] {
  const columns = columnsOf(db, table).join(", ");
  const [key] = indexesOf(db, table, "pk");
  const copy = copyOf(db, table);
  const complaints = unlessDamaged(() => textsOf(db, `PRAGMA integrity_check(${table})`)) ?? [];
  // A table WITHOUT ROWID is the index of its key. To scan it SQLite would take the copy, unless it is told.
  const sides = [
    { tree: table, by: key === undefined ? "NOT INDEXED" : `INDEXED BY ${key}`, wrong: "PRIMARY KEY order" },
    { tree: copy, by: `INDEXED BY ${copy}`, wrong: "?" },
  ].flatMap(({ tree, by, wrong }) => {
    const rows = unlessDamaged(() => rowsOf(db, `SELECT ${columns} FROM ${table} ${by}`));
    if (rows === undefined || !areReadable(table, rows)) return [];
    const root = textsOf(db, `SELECT rootpage FROM sqlite_schema WHERE name = '${tree}'`).join();
    return [{ rows, isSound: !complaints.some((text) => text.includes(`Tree ${root} `) || text.includes(wrong)) }];
  });
  return sides.sort((a, b) => Number(b.isSound) - Number(a.isSound) || b.rows.length - a.rows.length);
}

/** Whether rows of definitions stand for some. */
function areReadable(table: string, rows: readonly unknown[][]): boolean {
  const kind = definitionKinds.find((one) => definitionTables[one].table === table);
  if (kind === undefined) return true;
  try {
    for (const row of rows) definitionFromRow(kind, row);
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return false;
  }
}

/** False when these cannot be its rows. */
function makeAnew(db: Database, table: string, rows: readonly unknown[][]): boolean {
  try {
    replaceTable(db, table, rows);
    return true;
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError) || !error.code.startsWith("SQLITE_CONSTRAINT")) throw error;
    return false;
  }
}

function replaceTable(db: Database, table: string, rows: readonly unknown[][]): void {
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

function rowsOf(db: Database, sql: string): unknown[][] {
  const rows: unknown[] = db.prepare(sql).raw().all();
  return rows.filter((row) => Array.isArray(row));
}
