import type { Database, Statement } from "better-sqlite3";
import type { BatchTarget } from "./batch.ts";
import { checksumOf } from "./checksum.ts";
import { type MessageTable, MessageTables, setAside } from "./message-tables.ts";
import { type StoredSegment, segmentMessagesMax } from "./store.ts";

/** Rows of one INSERT. More than 32 gain nothing; the rest of a run goes out by eights and ones. */
const rowCounts = [32, 8, 1] as const;
const pendingMax = rowCounts[0];
const columnsPerRow = 5;
const nothing = Buffer.alloc(0);

interface Insert {
  readonly rows: number;
  readonly statement: Statement;
  readonly values: (number | Buffer | null)[];
}

/** What is done to messages that are in one of the tables. */
interface Changes {
  readonly lastSegment: number;
  readonly restate: Statement;
  readonly deleteRange: Statement;
}

/**
 * The tables of segments and messages. As the target of a batch it gathers messages into INSERTs of many rows, so
 * {@link flush} must end each batch; all inside the caller's transaction.
 */
export class SqliteMessages implements BatchTarget {
  readonly #db: Database;
  readonly #putSegment: Statement;
  readonly #hide: Statement;
  readonly #unhide: Statement;
  readonly #deleteSegment: Statement;
  readonly #deleteQueue: Statement;
  readonly #noteSegment: Statement;
  readonly #noteQueue: Statement;
  readonly #nextDropped: Statement;
  readonly #deleteDropped: Statement;
  readonly #raiseSegment: Statement;
  readonly #ids = new Array<number>(pendingMax).fill(0);
  readonly #flags = new Array<number>(pendingMax).fill(0);
  readonly #expiresAt = new Array<number>(pendingMax).fill(0);
  readonly #records = new Array<Buffer>(pendingMax).fill(nothing);
  /** Segments with pages that must not be touched, and the one whose messages are being deleted or changed. */
  readonly #damaged = new Set<number>();
  #changing: number | undefined;
  #inserting = false;
  #inserts: readonly Insert[] = [];
  /** The oldest table first. */
  #changes: readonly Changes[] = [];
  #pending = 0;
  #lastSegment = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#prepare();
    this.#putSegment = db.prepare(
      `INSERT INTO segment (number, queue_id, level, count, body_bytes, delivered_to, first_expires_at, ttl_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (number) DO UPDATE SET queue_id = excluded.queue_id, level = excluded.level, count = excluded.count,
         body_bytes = excluded.body_bytes, delivered_to = excluded.delivered_to,
         first_expires_at = excluded.first_expires_at, ttl_ms = excluded.ttl_ms`,
    );
    this.#hide = db.prepare("INSERT INTO hidden_range VALUES (?, ?, ?)");
    this.#unhide = db.prepare("DELETE FROM hidden_range WHERE segment = ?");
    this.#deleteSegment = db.prepare("DELETE FROM segment WHERE number = ?");
    this.#deleteQueue = db.prepare("DELETE FROM segment WHERE queue_id = ?");
    this.#noteSegment = db.prepare("INSERT OR IGNORE INTO dropped_segment VALUES (?)");
    this.#noteQueue = db.prepare("INSERT OR IGNORE INTO dropped_segment SELECT number FROM segment WHERE queue_id = ?");
    this.#nextDropped = db.prepare("SELECT number FROM dropped_segment LIMIT 1").pluck();
    this.#deleteDropped = db.prepare("DELETE FROM dropped_segment WHERE number = ?");
    this.#raiseSegment = db.prepare("UPDATE high_water SET value = ? WHERE name = 'segment' AND value < ?");
  }

  #prepare(): void {
    const tables = new MessageTables(this.#db).of(0);
    const last = tables.at(-1)?.name ?? "";
    this.#inserts = rowCounts.map((rows) => prepareInsert(this.#db, last, rows));
    this.#changes = tables.map((table) => prepareChanges(this.#db, table));
  }

  segment(segment: StoredSegment): void {
    const { number, queueId, level, count, bodyBytes, deliveredTo, firstExpiresAt, ttlMs } = segment;
    this.#putSegment.run(number, queueId, level, count, bodyBytes, deliveredTo, firstExpiresAt, ttlMs);
    if (number > this.#lastSegment) this.#lastSegment = number;
  }

  message(
    segment: number,
    index: number,
    flags: number,
    expiresAt: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const i = this.#pending++;
    this.#ids[i] = segment * segmentMessagesMax + index;
    this.#flags[i] = flags;
    this.#expiresAt[i] = expiresAt;
    this.#records[i] = bytes.subarray(start, end);
    if (this.#pending === pendingMax) this.#insertPending();
  }

  restate(segment: number, index: number, flags: number, expiresAt: number): void {
    this.#insertPending();
    // A page that must not be touched keeps what it says.
    if (this.#damaged.has(segment)) return;
    this.#changing = segment;
    for (const { lastSegment, restate } of this.#changes) {
      if (segment <= lastSegment) restate.run(flags, expiresAt || null, segment * segmentMessagesMax + index);
    }
    this.#changing = undefined;
  }

  settled(segment: number, from: number, to: number): void {
    this.#insertPending();
    if (this.#damaged.has(segment)) {
      this.#hide.run(segment, from, to);
      return;
    }
    const first = segment * segmentMessagesMax;
    this.#changing = segment;
    for (const { lastSegment, deleteRange } of this.#changes) {
      if (segment <= lastSegment) deleteRange.run(first + from, first + to);
    }
    this.#changing = undefined;
  }

  /**
   * After an attempt that was rolled back as it came across a damaged page: true when the next one may succeed. The
   * messages of a segment are then hidden instead of deleted; and on the last try, when the page is the one that new
   * messages would go to, those go to another table. What else there is to write shall not wait.
   */
  avoidDamage(isLastTry: boolean): boolean {
    if (this.avoidChanging()) return true;
    if (!this.#inserting || !isLastTry || !setAside(this.#db)) return false;
    this.#prepare();
    return true;
  }

  /** The part of {@link avoidDamage} about messages that are deleted or changed. */
  avoidChanging(): boolean {
    if (this.#changing === undefined) return false;
    this.#damaged.add(this.#changing);
    return true;
  }

  dropSegment(segment: number): void {
    this.#noteSegment.run(segment);
    this.#deleteSegment.run(segment);
  }

  dropQueue(queueId: number): void {
    this.#noteQueue.run(queueId);
    this.#deleteQueue.run(queueId);
  }

  /** True when messages of dropped segments are still to be deleted. */
  get hasDropped(): boolean {
    return this.#nextDropped.get() !== undefined;
  }

  /** Deletes messages of dropped segments for `ms`, and for one segment at least. */
  sweep(ms: number): void {
    const until = performance.now() + ms;
    do {
      const segment: unknown = this.#nextDropped.get();
      if (typeof segment !== "number") return;
      if (!this.#damaged.has(segment)) this.settled(segment, 0, segmentMessagesMax);
      this.#unhide.run(segment);
      this.#deleteDropped.run(segment);
    } while (performance.now() < until);
  }

  /** Writes what a batch has left to write. */
  flush(): void {
    this.#insertPending();
    if (this.#lastSegment > 0) this.#raiseSegment.run(this.#lastSegment, this.#lastSegment);
    this.#lastSegment = 0;
  }

  /** Forgets what a batch that failed has left. */
  discard(): void {
    this.#changing = undefined;
    this.#inserting = false;
    this.#pending = 0;
    this.#lastSegment = 0;
  }

  #insertPending(): void {
    let from = 0;
    for (const insert of this.#inserts) {
      for (; this.#pending - from >= insert.rows; from += insert.rows) this.#insert(insert, from);
    }
    this.#pending = 0;
  }

  #insert(insert: Insert, from: number): void {
    const { values, rows } = insert;
    for (let i = 0; i < rows; i++) {
      const at = i * columnsPerRow;
      values[at] = this.#ids[from + i] ?? 0;
      values[at + 1] = this.#flags[from + i] ?? 0;
      values[at + 2] = this.#expiresAt[from + i] || null;
      const record = this.#records[from + i] ?? nothing;
      values[at + 3] = record;
      values[at + 4] = checksumOf(record, this.#ids[from + i] ?? 0);
    }
    this.#inserting = true;
    insert.statement.run(values);
    this.#inserting = false;
  }
}

function prepareChanges(db: Database, { name, lastSegment }: MessageTable): Changes {
  return {
    lastSegment,
    restate: db.prepare(`UPDATE ${name} SET flags = ?, expires_at = ? WHERE id = ?`),
    deleteRange: db.prepare(`DELETE FROM ${name} WHERE id >= ? AND id < ?`),
  };
}

function prepareInsert(db: Database, table: string, rows: number): Insert {
  const list = new Array<string>(rows).fill("(?, ?, ?, ?, ?)").join(", ");
  return {
    rows,
    statement: db.prepare(`INSERT OR REPLACE INTO ${table} (id, flags, expires_at, record, checksum) VALUES ${list}`),
    values: new Array<null>(rows * columnsPerRow).fill(null),
  };
}
