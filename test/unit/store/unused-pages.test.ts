import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataFile } from "../../../src/store/open-data-file.ts";
import { forgetUnusedPagesInUse } from "../../../src/store/unused-pages.ts";

const pageBytes = 16 * 1024;

let directory: string;
let file: string;
let db: Database;
let descriptor: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-unused-"));
  file = join(directory, "tsbroker.db");
  ({ db } = openDataFile(file));
  db.exec("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)");
  descriptor = openSync(file, "r+");
  put(db, 1, 300);
  // Leaves pages that are unused.
  db.exec("DELETE FROM note WHERE id > 100");
});

afterEach(() => {
  db.close();
  closeSync(descriptor);
  rmSync(directory, { recursive: true });
});

function put(to: Database, from: number, count: number): void {
  const insert = to.prepare("INSERT INTO note VALUES (?, ?)");
  to.transaction(() => {
    for (let id = from; id < from + count; id++) insert.run(id, String(id).padStart(4000, "."));
  })();
}

function pragma(name: string): number {
  return Number(db.pragma(name, { simple: true }));
}

/** What SQLite complains of, but for pages that nothing uses. */
function complaints(of: Database): string[] {
  const texts = of.prepare("PRAGMA integrity_check").pluck().all().map(String);
  return texts.filter((text) => text !== "ok" && !text.endsWith("never used"));
}

/** Has all of the log copied into the file, so that SQLite itself has no reason to look at its size. */
function emptyLog(): void {
  db.pragma("wal_checkpoint(TRUNCATE)");
}

describe("a file that is in use", () => {
  it("forgets its unused pages, while somebody reads it and goes on reading", () => {
    const reader = new Sqlite(file, { readonly: true });
    const all = reader.prepare("SELECT count(*), sum(length(text)) FROM note").raw();
    expect(all.get()).toEqual([100, 400_000]);
    expect([pragma("auto_vacuum"), pragma("freelist_count") > 40]).toEqual([2, true]);
    expect(forgetUnusedPagesInUse(db, descriptor)).toBe(true);
    pragma("page_count");
    expect([pragma("auto_vacuum"), pragma("freelist_count")]).toEqual([0, 0]);
    expect(all.get()).toEqual([100, 400_000]);
    put(db, 1000, 300);
    db.exec("CREATE TABLE other (x); CREATE INDEX other_x ON other (x); INSERT INTO other SELECT text FROM note");
    db.exec("DELETE FROM note WHERE id > 1100; DROP INDEX other_x");
    put(db, 2000, 100);
    emptyLog();
    put(db, 3000, 10);
    expect(all.get()).toEqual([311, 311 * 4000]);
    for (const one of [db, reader]) expect(complaints(one)).toEqual([]);
    reader.close();
    db.close();
    ({ db } = openDataFile(file));
    expect(pragma("auto_vacuum")).toBe(0);
    expect(complaints(db)).toEqual([]);
  });

  it("stays as it is while somebody reads what is in the log", () => {
    const reader = new Sqlite(file, { readonly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM note").get();
    put(db, 1000, 1);
    expect(forgetUnusedPagesInUse(db, descriptor)).toBe(false);
    expect(pragma("auto_vacuum")).toBe(2);
    reader.exec("COMMIT");
    expect(forgetUnusedPagesInUse(db, descriptor)).toBe(true);
    reader.close();
  });

  it("stays as it is while somebody else writes", () => {
    const writer = new Sqlite(file, { timeout: 0 });
    writer.exec("BEGIN IMMEDIATE");
    expect(forgetUnusedPagesInUse(db, descriptor)).toBe(false);
    writer.exec("ROLLBACK");
    writer.close();
    pragma("page_count");
    expect(pragma("auto_vacuum")).toBe(2);
  });

  it.each([
    ["has lost its end", () => truncateSync(file, statSync(file).size - 3 * pageBytes)],
    ["is longer than it should be", () => truncateSync(file, statSync(file).size + pageBytes)],
    ["is empty", () => truncateSync(file, 0)],
    ["has no first page any more", () => writeSync(descriptor, Buffer.alloc(pageBytes, 0xff), 0, pageBytes, 0)],
    ["has another first page", () => writeSync(descriptor, Buffer.from([0, 0, 0, 1]), 0, 4, 40)],
  ])("stays as it is where it %s", (_, change) => {
    emptyLog();
    change();
    const before = readFileSync(file);
    expect(forgetUnusedPagesInUse(db, descriptor)).toBe(false);
    expect(readFileSync(file).equals(before)).toBe(true);
    // What is in memory of the first page is still there.
    expect(pragma("auto_vacuum")).toBe(2);
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'note'").pluck().get()).toBe(1);
  });
});
