import Sqlite, { type Database } from "better-sqlite3";
import { checksumOfRow } from "./checksum.ts";
import {
  checksumColumn,
  type DefinitionKind,
  definitionFromRow,
  definitionKinds,
  definitionTables,
} from "./definition-rows.ts";
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
 * the file by another name, since SQLite cannot take them apart. Adds the names of the tables to `mended`, and throws StoreError
 * when neither side of one can be read.
 */
export function mendSmallTables(db: Database, mended: string[]): void {
  for (const table of damagedSmallTables(db)) {
    mend(db, table);
    mended.push(table);
  }
}

/** Of a table and its copy, the one that seems to be right makes it anew; the other one where that cannot be. */
function mend(db: Database, table: string): void {
  const sides = sidesOf(db, table);
  for (const side of sides) {
    const rows = completed(table, side, sides);
    if (rows !== undefined && makeAnew(db, table, rows)) return;
  }
  throw new StoreError(
    `the data file is damaged where its table '${table}' is, and its copy: restore a backup, or repair the disk and start again`,
  );
}

type Row = readonly unknown[];

/** What can be read of a table, or of the index that is its copy. */
interface Side {
  /** Those that the other side has as well, or whose checksum is right. */
  readonly rows: readonly Row[];
  /** How many others there are. */
  readonly wrong: number;
  /** That SQLite complains of neither its pages nor their order. */
  readonly isSound: boolean;
}

/** The better side first: what is damaged may have lost rows. The table where nothing tells. */
function sidesOf(db: Database, table: string): Side[] {
  const names = columnsOf(db, table);
  const [key] = indexesOf(db, table, "pk");
  const copy = copyOf(db, table);
  const complaints = unlessDamaged(() => textsOf(db, `PRAGMA integrity_check(${table})`)) ?? [];
  // A table WITHOUT ROWID is the index of its key. To scan it SQLite would take the copy, unless it is told.
  const read = [
    { tree: table, by: key === undefined ? "NOT INDEXED" : `INDEXED BY ${key}`, sign: "PRIMARY KEY order" },
    { tree: copy, by: `INDEXED BY ${copy}`, sign: "?" },
  ].flatMap(({ tree, by, sign }) => {
    const all = unlessDamaged(() => rowsOf(db, `SELECT ${names.join(", ")} FROM ${table} ${by}`));
    return all === undefined ? [] : [{ tree, sign, all }];
  });
  const sides = read.map(({ tree, sign, all }) => {
    const others = new Set(read.filter((one) => one.tree !== tree).flatMap((one) => one.all.map(textOf)));
    const isKept = (row: Row) =>
      names.at(-1) !== checksumColumn || others.has(textOf(row)) || row.at(-1) === checksumOfRow(row.slice(0, -1));
    const rows = all.filter((row) => isKept(row) && isReadable(table, row));
    const root = textsOf(db, `SELECT rootpage FROM sqlite_schema WHERE name = '${tree}'`).join();
    const isSound = !complaints.some((text) => text.includes(`Tree ${root} `) || text.includes(sign));
    return { rows, wrong: all.length - rows.length, isSound };
  });
  return sides.sort(
    (a, b) => Number(b.isSound) - Number(a.isSound) || a.wrong - b.wrong || b.rows.length - a.rows.length,
  );
}

function textOf(row: Row): string {
  return JSON.stringify(row);
}

/** Whether a row of definitions stands for one. */
function isReadable(table: string, row: Row): boolean {
  const kind = kindOf(table);
  if (kind === undefined) return true;
  try {
    definitionFromRow(kind, row);
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return false;
  }
}

function kindOf(table: string): DefinitionKind | undefined {
  return definitionKinds.find((kind) => definitionTables[kind].table === table);
}

/** The rows of a side, with those of the other in the place of what is wrong; undefined where there are too few. */
function completed(table: string, side: Side, sides: readonly Side[]): readonly Row[] | undefined {
  const kind = kindOf(table);
  if (side.wrong === 0 || kind === undefined) return side.rows;
  const keySize = definitionTables[kind].key.length;
  const keyOf = (row: Row) => textOf(row.slice(0, keySize));
  const there = new Set(side.rows.map(keyOf));
  const others = sides.filter((one) => one !== side).flatMap(({ rows }) => rows);
  const missing = others.filter((row) => !there.has(keyOf(row)));
  return missing.length < side.wrong ? undefined : [...side.rows, ...missing];
}

/** False when these cannot be its rows. */
function makeAnew(db: Database, table: string, rows: readonly Row[]): boolean {
  try {
    replaceTable(db, table, rows);
    return true;
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError) || !error.code.startsWith("SQLITE_CONSTRAINT")) throw error;
    return false;
  }
}

function replaceTable(db: Database, table: string, rows: readonly Row[]): void {
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

/** Sets the checksums of all rows of a table of definitions, and makes its copy anew: after a column was added. */
export function renewChecksums(db: Database, table: string): void {
  const columns = columnsOf(db, table).filter((name) => name !== checksumColumn);
  const all = [...columns, checksumColumn];
  const rows = rowsOf(db, `SELECT ${columns.join(", ")} FROM ${table}`);
  const copy = copyOf(db, table);
  db.exec(`DROP INDEX ${copy}; DELETE FROM ${table}`);
  const put = db.prepare(`INSERT INTO ${table} (${all.join(", ")}) VALUES (${all.map(() => "?").join(", ")})`);
  for (const row of rows) put.run(...row, checksumOfRow(row));
  db.exec(`CREATE INDEX ${copy} ON ${table} (${all.join(", ")})`);
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
