import { statSync } from "node:fs";
import { join } from "node:path";
import Sqlite, { type Database, type Statement } from "better-sqlite3";
import { Damages, type QueueDamage } from "./damages.ts";
import { dataFileName } from "./data-file.ts";
import { MessageTables } from "./message-tables.ts";
import { readRows, stateFromRows } from "./recovery.ts";
import { readVersion, schemaVersion } from "./schema.ts";
import { damageOf, ownerStatement, SegmentReader, unlessDamaged } from "./segment-reader.ts";
import { damagedSmallTables } from "./small-tables.ts";
import { type Damage, StoreError, segmentMessagesMax } from "./store.ts";

/** Most things wrong with the file as such that are told. */
const complaintsMax = 100;

/** What was found in a data directory. */
export interface DataReport {
  readonly messages: number;
  readonly queues: number;
  /** Messages that are damaged, by queue. */
  readonly damages: readonly QueueDamage[];
  /** What SQLite has to say of the file, and what in it does not fit together. */
  readonly complaints: readonly string[];
}

/**
 * Looks for damage in a data directory, which a broker may be using, or in a backup. Throws {@link StoreError} when there is no
 * data.
 */
export function checkData(path: string): DataReport {
  const db = openToRead(isFile(path) ? path : join(path, dataFileName));
  try {
    const scan = new MessageScan(db);
    const damages = new Damages();
    const complaints = complaintsOf(() => {
      for (const segment of scan.segments()) {
        const damage = scan.check(segment);
        if (damage !== undefined) damages.add(damage);
      }
      return [];
    });
    complaints.push(...tables(db), ...integrity(db), ...definitions(db), ...strays(db));
    return { messages: scan.messages, queues: queuesIn(db), damages: damages.list(), complaints };
  } finally {
    db.close();
  }
}

/** Goes over the messages of a data file, segment by segment. */
export class MessageScan {
  /** Messages that were whole so far. */
  messages = 0;
  readonly #reader: SegmentReader;
  readonly #segments: Statement;
  readonly #owner: Statement;

  constructor(db: Database) {
    this.#reader = new SegmentReader(db);
    this.#segments = db.prepare("SELECT number FROM segment ORDER BY number").pluck();
    this.#owner = ownerStatement(db);
  }

  /** The segments that there are now. */
  segments(): number[] {
    return this.#segments.all().map(Number);
  }

  /** What is wrong in one of them; undefined for nothing. */
  check(segment: number): Damage | undefined {
    const { messages, damaged } = this.#reader.read(segment);
    this.messages += messages.indexes.length;
    return damaged === 0 ? undefined : damageOf(this.#owner, segment, damaged);
  }
}

/** How many queues there are; 0 when nobody can tell. */
function queuesIn(db: Database): number {
  return unlessDamaged(() => Number(db.prepare("SELECT count(*) FROM queue").pluck().get())) ?? 0;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function openToRead(file: string): Database {
  let db: Database | undefined;
  try {
    db = new Sqlite(file, { readonly: true, fileMustExist: true });
    const version = readVersion(db);
    if (version !== schemaVersion) {
      throw new StoreError(
        `'${file}' has the data of another version of tsbroker, or none (schema ${version}, not ${schemaVersion})`,
      );
    }
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError(`'${file}' cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function tables(db: Database): string[] {
  return complaintsOf(() =>
    damagedSmallTables(db).map(
      (table) => `table '${table}' or its copy is damaged: a start makes it anew, if the other can be read`,
    ),
  );
}

function integrity(db: Database): string[] {
  return complaintsOf(() => {
    const rows = db.prepare(`PRAGMA integrity_check(${complaintsMax})`).pluck().all().map(String);
    return rows.filter((text) => text !== "ok");
  });
}

function definitions(db: Database): string[] {
  return complaintsOf(() => {
    stateFromRows(readRows(db));
    return [];
  });
}

/** Segments of no queue, and messages of no segment: nobody would ever get them. */
function strays(db: Database): string[] {
  return complaintsOf(() => {
    const ownerless = db
      .prepare("SELECT number FROM segment WHERE queue_id NOT IN (SELECT id FROM queue)")
      .pluck()
      .all();
    const lost = new MessageTables(db).of(0).flatMap(({ name }) =>
      db
        .prepare(
          `SELECT DISTINCT id / ${segmentMessagesMax} AS number FROM ${name}
           WHERE number NOT IN (SELECT number FROM segment UNION SELECT number FROM dropped_segment) LIMIT ?`,
        )
        .pluck()
        .all(complaintsMax),
    );
    return [
      ...ownerless.map((number) => `segment ${String(number)} belongs to no queue`),
      ...lost.map((number) => `messages of segment ${String(number)} belong to no queue`),
    ];
  });
}

function complaintsOf(look: () => string[]): string[] {
  try {
    return look();
  } catch (error) {
    return [reasonOf(error)];
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
