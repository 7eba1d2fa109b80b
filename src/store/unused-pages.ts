import { closeSync, fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { pageBytes } from "./database.ts";
import { applicationId } from "./schema.ts";
import { StoreError } from "./store.ts";

/*
 * What a file of SQLite says of its own pages, by its file format: the first page has, beside other things, how many there
 * are, and begins the list of those that are unused. With auto_vacuum each page has an entry in a pointer map page, which
 * says what it is for; so pages can be moved, as they are to make room for a new table and to give space back.
 */
const headerBytes = 100;
const magic = "SQLite format 3\0";
const header = {
  pageSize: 16,
  changes: 24,
  pages: 28,
  trunk: 32,
  unused: 36,
  schema: 40,
  lastRoot: 52,
  canShrink: 64,
  application: 68,
  counted: 92,
};
const mapEntryBytes = 5;
const unusedType = 2;
const mapTypeMax = 5;
/** The page with this byte is never used. */
const lockByte = 0x4000_0000;

/**
 * True when a data file that has no log knows which of its pages are unused: if not, what SQLite writes next could take the
 * place of something else. Throws StoreError when the file has lost its end.
 */
export function knowsUnusedPages(file: string): boolean {
  const open = openSync(file, "r");
  try {
    const first = readAt(open, 0, headerBytes);
    // What is not ours, or not like ours, SQLite has to say.
    if (first.readUInt32BE(header.application) !== applicationId) return true;
    if (first.readUInt16BE(header.pageSize) !== pageBytes) return true;
    return new PageLists(open, first, file).areRight();
  } finally {
    closeSync(open);
  }
}

/**
 * Takes from a data file that has no log, and that nobody has open, what it says of unused pages. They stay unused, pages
 * are not moved any more, and new ones come behind all others: the file only grows.
 */
export function forgetUnusedPages(file: string): void {
  const open = openSync(file, "r+");
  try {
    forget(open);
  } finally {
    closeSync(open);
  }
}

/**
 * The same by the one connection that writes to a file, which others may be reading; `open` is a descriptor of it. False, with
 * nothing changed, while one of them needs what is in the log, or copies it, and where the file is not what this connection knows.
 * The descriptor must stay open for as long as this process has connections to the file: the system ends all of a process's locks
 * on a file, SQLite's too, with the first descriptor of it that is closed.
 */
export function forgetUnusedPagesInUse(db: Database, open: number): boolean {
  const row: unknown = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").raw().get();
  if (!Array.isArray(row) || row[0] !== 0) return false;
  // Whoever reads from here on reads the file itself; nobody writes until this is done.
  db.exec("BEGIN IMMEDIATE");
  let isChanged = false;
  try {
    if (statSync(`${db.name}-wal`).size > 0 || !isAsKnown(db, open)) return false;
    isChanged = true;
    forget(open);
    return true;
  } finally {
    db.exec("ROLLBACK");
    // The first page as it was is still in this connection's memory.
    if (isChanged) db.pragma("shrink_memory");
  }
}

/** Whether the first page, which this connection may have in its memory, is one on the disk too, and of as many pages as there are. */
function isAsKnown(db: Database, open: number): boolean {
  const pages = Number(db.pragma("page_count", { simple: true }));
  const first = readAt(open, 0, headerBytes);
  return (
    first.toString("latin1", 0, magic.length) === magic &&
    first.readUInt16BE(header.pageSize) === pageBytes &&
    first.readUInt32BE(header.application) === applicationId &&
    first.readUInt32BE(header.schema) === db.pragma("schema_version", { simple: true }) &&
    first.readUInt32BE(header.pages) === pages &&
    fstatSync(open).size === pages * pageBytes
  );
}

function forget(open: number): void {
  const first = readAt(open, 0, headerBytes);
  first.writeUInt32BE(Math.floor(fstatSync(open).size / pageBytes), header.pages);
  // Only with this is the number of pages believed.
  first.writeUInt32BE(first.readUInt32BE(header.changes), header.counted);
  for (const at of [header.trunk, header.unused, header.lastRoot, header.canShrink]) first.writeUInt32BE(0, at);
  writeSync(open, first, 0, headerBytes, 0);
  fsyncSync(open);
}

/** The pointer map and the list of unused pages of a file. */
class PageLists {
  readonly #open: number;
  readonly #header: Buffer;
  readonly #pages: number;
  readonly #isLonger: boolean;

  constructor(open: number, first: Buffer, file: string) {
    this.#open = open;
    this.#header = first;
    this.#pages = first.readUInt32BE(header.pages);
    const { size } = fstatSync(open);
    const expected = this.#pages * pageBytes;
    this.#isLonger = size > expected;
    if (size < expected) {
      throw new StoreError(
        `data file '${file}' has lost its end: of ${expected} bytes there are ${size}; restore a backup`,
      );
    }
  }

  areRight(): boolean {
    if (this.#isLonger) return false;
    try {
      const unused = this.#listed();
      if (unused === undefined || this.#header.readUInt32BE(header.lastRoot) === 0) return unused !== undefined;
      const mapped = this.#mapped();
      return mapped !== undefined && mapped.size === unused.size && [...unused].every((page) => mapped.has(page));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EIO") return false;
      throw error;
    }
  }

  /** The pages that the list of unused ones has; undefined when it is none. */
  #listed(): Set<number> | undefined {
    const found = new Set<number>();
    const isNew = (page: number) => page > 1 && page <= this.#pages && !found.has(page);
    const count = this.#header.readUInt32BE(header.unused);
    for (let trunk = this.#header.readUInt32BE(header.trunk); trunk !== 0; ) {
      if (!isNew(trunk)) return undefined;
      found.add(trunk);
      const page = this.#page(trunk);
      const leaves = page.readUInt32BE(4);
      if (leaves > pageBytes / 4 - 2) return undefined;
      for (let i = 0; i < leaves; i++) {
        const leaf = page.readUInt32BE(8 + 4 * i);
        if (!isNew(leaf)) return undefined;
        found.add(leaf);
      }
      trunk = page.readUInt32BE(0);
    }
    return found.size === count ? found : undefined;
  }

  /** The pages that the pointer map has as unused; undefined when it is none. */
  #mapped(): Set<number> | undefined {
    const found = new Set<number>();
    const entries = Math.floor(pageBytes / mapEntryBytes);
    for (let map = 2; map <= this.#pages; map += entries + 1) {
      const page = this.#page(map);
      for (let i = 0; i < entries && map + 1 + i <= this.#pages; i++) {
        const type = page.readUInt8(i * mapEntryBytes);
        const number = map + 1 + i;
        if (number === lockByte / pageBytes + 1) continue;
        if (type === 0 || type > mapTypeMax || page.readUInt32BE(i * mapEntryBytes + 1) > this.#pages) return undefined;
        if (type === unusedType) found.add(number);
      }
    }
    return found;
  }

  #page(number: number): Buffer {
    return readAt(this.#open, (number - 1) * pageBytes, pageBytes);
  }
}

function readAt(open: number, at: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  readSync(open, bytes, 0, size, at);
  return bytes;
}
