import type { Database, Statement } from "better-sqlite3";

/** With more tables than this the disk needs a person rather than one more. */
const tablesMax = 8;

/** A table with messages. */
export interface MessageTable {
  readonly name: string;
  /** No segment beyond this one has messages in it; infinite for the table that new ones go to. */
  readonly lastSegment: number;
}

/** The tables that messages are in, the oldest first: more than one when an older one had to be set aside. */
export class MessageTables {
  readonly #select: Statement;

  constructor(db: Database) {
    this.#select = db
      .prepare("SELECT name, last_segment FROM message_table WHERE ifnull(last_segment, ?) >= ? ORDER BY rowid")
      .raw();
  }

  /** Those that may have messages of a segment, or of those behind it; all for 0. */
  of(segment: number): MessageTable[] {
    return this.#select.all(Number.MAX_SAFE_INTEGER, segment).map((row) => {
      const [name, last]: unknown[] = Array.isArray(row) ? row : [];
      return { name: String(name), lastSegment: typeof last === "number" ? last : Number.POSITIVE_INFINITY };
    });
  }
}

/**
 * Begins a new table for messages, because none can be added to the last one: the page where they would go is damaged.
 * What is in that one stays, and is read and deleted there. False when there are too many already.
 */
export function setAside(db: Database): boolean {
  const tables = new MessageTables(db).of(0);
  if (tables.length >= tablesMax) return false;
  const name = `message_${tables.length + 1}`;
  db.transaction(() => {
    db.prepare(
      "UPDATE message_table SET last_segment = (SELECT value FROM high_water WHERE name = 'segment') WHERE last_segment IS NULL",
    ).run();
    db.prepare("INSERT INTO message_table VALUES (?, NULL)").run(name);
    db.exec(
      `CREATE TABLE ${name} (
         id INTEGER NOT NULL PRIMARY KEY, flags INTEGER NOT NULL, expires_at INTEGER, record BLOB NOT NULL, checksum INTEGER
       );
       DROP VIEW queue_message;
       ${queueMessageView([...tables.map((table) => table.name), name])}`,
    );
  }).immediate();
  return true;
}

/** What shows people the messages of queues. */
function queueMessageView(tables: readonly string[]): string {
  const selects = tables.map(
    (table) => `SELECT q.vhost, q.name AS queue, s.level AS priority, m.id, m.flags,
      datetime(m.expires_at / 1000, 'unixepoch') AS expires_at, m.record
    FROM queue q JOIN segment s ON s.queue_id = q.id
      JOIN ${table} m ON m.id BETWEEN s.number * 65536 AND s.number * 65536 + 65535`,
  );
  return `CREATE VIEW queue_message AS ${selects.join(" UNION ALL ")};`;
}
