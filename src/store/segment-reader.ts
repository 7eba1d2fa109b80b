import assert from "node:assert/strict";
import Sqlite, { type Database, type Statement } from "better-sqlite3";
import { checksumOf } from "./checksum.ts";
import { MessageTables } from "./message-tables.ts";
import { type Damage, type StoredMessages, segmentMessagesMax } from "./store.ts";

/** What was read of a segment: its messages that are whole, and how many there were besides. */
export interface SegmentRead {
  readonly messages: StoredMessages;
  readonly damaged: number;
}

/** Stored for messages that were written before there were checksums. */
const noChecksum = -1;

/** Time to spend on messages of a segment that cannot be read: each attempt may take seconds. */
const failingMsMax = 10_000;

/** So many messages next to each other are not asked for one by one where pages are damaged: asking in vain takes long. */
const fewMessages = 32;

/**
 * True for what SQLite says of pages that hold no tree, or not the one that they should, of values on them whose sizes cannot
 * be, and of pages that the disk does not give: EIO comes as the first.
 */
export function isDamage(error: unknown): error is Error {
  return error instanceof Sqlite.SqliteError && /^SQLITE_(CORRUPT|TOOBIG|NOMEM|IOERR_(SHORT_)?READ)/.test(error.code);
}

/** What a look at the file gives; undefined when it comes upon damage. */
export function unlessDamaged<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  }
}

/** Reads messages from one of their tables. */
interface TableReader {
  readonly range: Statement;
  readonly one: Statement;
}

/** Reads the messages of segments, and checks each against its checksum. */
export class SegmentReader {
  readonly #db: Database;
  readonly #begin: Statement;
  readonly #rollback: Statement;
  readonly #tables: MessageTables;
  readonly #readers = new Map<string, TableReader>();
  readonly #hidden: Statement;
  readonly #count: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#begin = db.prepare("BEGIN");
    this.#rollback = db.prepare("ROLLBACK");
    this.#tables = new MessageTables(db);
    this.#hidden = db.prepare("SELECT first, last FROM hidden_range WHERE segment = ?").raw();
    this.#count = db.prepare("SELECT count FROM segment WHERE number = ?").pluck();
  }

  /** What can be read. Before the last try it throws when some of it cannot, while the disk may yet give it. */
  read(segment: number, isLastTry = true): SegmentRead {
    // All of it as it is at one moment: somebody else may be writing.
    this.#begin.run();
    try {
      return this.#read(segment, isLastTry);
    } finally {
      // Nothing was written; and after damage was seen SQLite would not commit.
      if (this.#db.inTransaction) this.#rollback.run();
    }
  }

  #read(segment: number, isLastTry: boolean): SegmentRead {
    const readers = this.#tables.of(segment).map(({ name }) => this.#readerOf(name));
    const hidden = this.#hidden.all(segment);
    try {
      const rows = hidden.length > 0 ? undefined : joined(readers.map((reader) => rowsOf(reader, segment)));
      const read = rows !== undefined && isAligned(rows) ? whole(segment, rows) : undefined;
      // What is wrong with one message may be in the way of those behind it.
      if (read?.damaged === 0 && read.messages.indexes.length >= this.#expected(segment)) return read;
    } catch (error) {
      if (!isDamage(error) || !isLastTry) throw error;
    }
    return this.#readable(segment, readers, hidden);
  }

  /** How many messages there should be; 0 when nobody knows. */
  #expected(segment: number): number {
    const count: unknown = this.#count.get(segment);
    return typeof count === "number" ? count : 0;
  }

  #readerOf(table: string): TableReader {
    const known = this.#readers.get(table);
    if (known !== undefined) return known;
    const reader = newReader(this.#db, table);
    this.#readers.set(table, reader);
    return reader;
  }

  /** Message by message, those that can be found and are not hidden. */
  #readable(segment: number, readers: readonly TableReader[], hidden: readonly unknown[]): SegmentRead {
    const ranges = hidden.map((row) => (Array.isArray(row) ? row.map(Number) : []));
    const isHidden = (index: number) => ranges.some(([from = 0, to = 0]) => index >= from && index < to);
    const rows: Rows = { indexes: [], flags: [], expiresAt: [], sizes: [], checksums: [], bytes: Buffer.alloc(0) };
    const records: Buffer[] = [];
    const search = new Search(readers);
    for (let index = 0; index < segmentMessagesMax && !search.isOver; index++) {
      const row = isHidden(index) ? undefined : search.find(segment * segmentMessagesMax + index);
      if (row === undefined) continue;
      const [flags, expiresAt, size, checksum, record] = row;
      if (!Buffer.isBuffer(record)) continue;
      rows.indexes.push(index);
      rows.flags.push(Number(flags));
      rows.expiresAt.push(Number(expiresAt));
      rows.sizes.push(Number(size));
      rows.checksums.push(Number(checksum));
      records.push(record);
    }
    const read = whole(segment, { ...rows, bytes: Buffer.concat(records) });
    return { ...read, damaged: Math.max(read.damaged, this.#expected(segment) - read.messages.indexes.length) };
  }
}

/** Looks for single messages, in ascending order, where pages may be missing. */
class Search {
  /** Each table with the id up to which it need not be asked. */
  readonly #tables: { readonly one: Statement; from: number }[];
  #failingMs = 0;

  constructor(readers: readonly TableReader[]) {
    this.#tables = readers.map(({ one }) => ({ one, from: 0 }));
  }

  /** Whether too much time went into what cannot be read. */
  get isOver(): boolean {
    return this.#failingMs > failingMsMax;
  }

  /** A message, from the table that has it; undefined when none has, or it is on a page that cannot be read. */
  find(id: number): unknown[] | undefined {
    for (const table of this.#tables) {
      if (id < table.from) continue;
      const row = this.#ask(table.one, id);
      if (row === "unreadable") table.from = this.#endOfDamage(table.one, id);
      else if (row !== undefined) return row;
    }
    return undefined;
  }

  /** When the first of a few messages cannot be read, nor the middle one, nor the last, so can't those in between. */
  #endOfDamage(one: Statement, id: number): number {
    const isAll = [fewMessages / 2, fewMessages - 1].every((more) => this.#ask(one, id + more) === "unreadable");
    return isAll ? id + fewMessages : id + 1;
  }

  #ask(one: Statement, id: number): unknown[] | "unreadable" | undefined {
    const from = performance.now();
    try {
      const row: unknown = one.get(id);
      return Array.isArray(row) ? row : undefined;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#failingMs += performance.now() - from;
      return "unreadable";
    }
  }
}

function newReader(db: Database, table: string): TableReader {
  return {
    // One row with five lists and the records end to end: four times faster than a row and a Buffer a message.
    range: db
      .prepare(
        `SELECT group_concat(id % ${segmentMessagesMax}), group_concat(flags), group_concat(ifnull(expires_at, 0)),
           group_concat(length(record)), group_concat(ifnull(checksum, ${noChecksum})),
           CAST(group_concat(record, '') AS BLOB)
         FROM ${table} WHERE id >= ? AND id < ? AND NOT EXISTS (SELECT 1 FROM dropped_segment WHERE number = ?)`,
      )
      .raw(),
    one: db
      .prepare(
        `SELECT flags, ifnull(expires_at, 0), length(record), ifnull(checksum, ${noChecksum}), record
         FROM ${table} WHERE id = ?`,
      )
      .raw(),
  };
}

function rowsOf({ range }: TableReader, segment: number): Rows {
  const first = segment * segmentMessagesMax;
  const row: unknown = range.get(first, first + segmentMessagesMax, segment);
  assert(Array.isArray(row), "an aggregate is one row");
  const [indexes, flags, expiresAt, sizes, checksums, bytes]: unknown[] = row;
  return {
    indexes: numbers(indexes),
    flags: numbers(flags),
    expiresAt: numbers(expiresAt),
    sizes: numbers(sizes),
    checksums: numbers(checksums),
    bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0),
  };
}

/** Whether the lists are of the same rows: an aggregate leaves out the NULL that a column of a damaged row may seem to be. */
function isAligned({ indexes, flags, expiresAt, sizes, checksums, bytes }: Rows): boolean {
  const isSame = [flags, expiresAt, sizes, checksums].every((column) => column.length === indexes.length);
  return isSame && sizes.reduce((sum, size) => sum + size, 0) === bytes.length;
}

/** What tables have of a segment, one after the other: the elder ones have what came first. */
function joined(parts: readonly Rows[]): Rows {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return {
    indexes: parts.flatMap(({ indexes }) => indexes),
    flags: parts.flatMap(({ flags }) => flags),
    expiresAt: parts.flatMap(({ expiresAt }) => expiresAt),
    sizes: parts.flatMap(({ sizes }) => sizes),
    checksums: parts.flatMap(({ checksums }) => checksums),
    bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
  };
}

/** Finds the queue that a segment belongs to. */
export function ownerStatement(db: Database): Statement {
  return db.prepare("SELECT q.vhost, q.name FROM segment s JOIN queue q ON q.id = s.queue_id WHERE s.number = ?").raw();
}

/** Damage to so many messages of a segment. */
export function damageOf(owner: Statement, segment: number, messages: number): Damage {
  const row: unknown = owner.get(segment);
  const [vhost, queue]: unknown[] = Array.isArray(row) ? row : [];
  return { vhost: String(vhost ?? ""), queue: String(queue ?? ""), segment, messages };
}

/** The rows of a segment, column by column, with the records end to end. */
interface Rows {
  readonly indexes: number[];
  readonly flags: number[];
  readonly expiresAt: number[];
  readonly sizes: number[];
  readonly checksums: number[];
  readonly bytes: Buffer;
}

/** The messages whose records are as they were written. */
function whole(segment: number, rows: Rows): SegmentRead {
  const ends = endsOf(rows.sizes);
  const isWhole = (row: number): boolean => {
    const expected = rows.checksums[row] ?? noChecksum;
    if (expected === noChecksum) return true;
    const record = rows.bytes.subarray(ends[row - 1] ?? 0, ends[row]);
    return checksumOf(record, segment * segmentMessagesMax + (rows.indexes[row] ?? 0)) === expected;
  };
  const damaged = rows.indexes.map((_, row) => row).filter((row) => !isWhole(row));
  if (damaged.length === 0) return { messages: messagesOf(rows, ends), damaged: 0 };
  const skip = new Set(damaged);
  const kept = (column: readonly number[]) => column.filter((_, row) => !skip.has(row));
  const records = rows.sizes.map((_, row) => rows.bytes.subarray(ends[row - 1] ?? 0, ends[row]));
  const rest = {
    indexes: kept(rows.indexes),
    flags: kept(rows.flags),
    expiresAt: kept(rows.expiresAt),
    sizes: kept(rows.sizes),
    checksums: kept(rows.checksums),
    bytes: Buffer.concat(records.filter((_, row) => !skip.has(row))),
  };
  return { messages: messagesOf(rest, endsOf(rest.sizes)), damaged: damaged.length };
}

function messagesOf({ indexes, flags, expiresAt, bytes }: Rows, ends: Uint32Array): StoredMessages {
  return {
    indexes: Uint32Array.from(indexes),
    flags: Uint32Array.from(flags),
    expiresAt: Float64Array.from(expiresAt),
    ends,
    bytes,
  };
}

function endsOf(sizes: readonly number[]): Uint32Array {
  const ends = Uint32Array.from(sizes);
  for (let i = 1; i < ends.length; i++) ends[i] = (ends[i] ?? 0) + (ends[i - 1] ?? 0);
  return ends;
}

/** The numbers of a comma-separated list; none for the NULL that an aggregate over no rows is. */
function numbers(list: unknown): number[] {
  return typeof list === "string" ? list.split(",").map(Number) : [];
}
