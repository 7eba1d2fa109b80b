import type { Database } from "better-sqlite3";
import { renewChecksums } from "./small-tables.ts";
import { StoreError } from "./store.ts";

/** Tells our data files from other people's: "TSBR", in the header of the file. */
export const applicationId = 0x54_53_42_52;

/**
 * The tables, as steps from each version of the schema to the next; a released step never changes. A message's id is
 * segment * 65536 + index, so inserts go to the right edge of the tree, and a segment, or a run in it, is a range. A step that
 * adds a column to a table of definitions renews its checksums and its copy.
 */
const migrations: readonly (string | ((db: Database) => void))[] = [
  `
  CREATE TABLE vhost (
    name TEXT NOT NULL PRIMARY KEY, description TEXT NOT NULL, tags TEXT NOT NULL, default_queue_type TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE user (
    name TEXT NOT NULL PRIMARY KEY, password_hash TEXT NOT NULL, hashing_algorithm TEXT NOT NULL, tags TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE permission (
    vhost TEXT NOT NULL, user TEXT NOT NULL, configure TEXT NOT NULL, write TEXT NOT NULL, read TEXT NOT NULL,
    PRIMARY KEY (vhost, user)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE topic_permission (
    vhost TEXT NOT NULL, user TEXT NOT NULL, exchange TEXT NOT NULL, write TEXT NOT NULL, read TEXT NOT NULL,
    PRIMARY KEY (vhost, user, exchange)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE exchange (
    vhost TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, auto_delete INTEGER NOT NULL,
    internal INTEGER NOT NULL, arguments TEXT NOT NULL,
    PRIMARY KEY (vhost, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE queue (
    vhost TEXT NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL UNIQUE, auto_delete INTEGER NOT NULL,
    arguments TEXT NOT NULL,
    PRIMARY KEY (vhost, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE binding (
    vhost TEXT NOT NULL, source TEXT NOT NULL, destination_kind TEXT NOT NULL, destination TEXT NOT NULL,
    routing_key TEXT NOT NULL, arguments_key TEXT NOT NULL, arguments TEXT NOT NULL,
    PRIMARY KEY (vhost, source, destination_kind, destination, routing_key, arguments_key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE segment (
    number INTEGER NOT NULL PRIMARY KEY, queue_id INTEGER NOT NULL, level INTEGER NOT NULL, count INTEGER NOT NULL,
    body_bytes INTEGER NOT NULL, delivered_to INTEGER NOT NULL, first_expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX segment_of_queue ON segment (queue_id);
  CREATE TABLE message (
    id INTEGER NOT NULL PRIMARY KEY, flags INTEGER NOT NULL, expires_at INTEGER, record BLOB NOT NULL
  );

  -- The highest numbers ever given out, which stay when what had them is gone.
  CREATE TABLE high_water (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO high_water VALUES ('segment', 0), ('queue', 0);

  -- For people who look: SELECT * FROM queue_depth; SELECT * FROM queue_message WHERE queue = 'orders' LIMIT 10.
  CREATE VIEW queue_depth AS
    SELECT q.vhost, q.name AS queue, coalesce(sum(s.count), 0) AS messages, coalesce(sum(s.body_bytes), 0) AS body_bytes
    FROM queue q LEFT JOIN segment s ON s.queue_id = q.id GROUP BY q.vhost, q.name;
  CREATE VIEW queue_message AS
    SELECT q.vhost, q.name AS queue, s.level AS priority, m.id, m.flags,
      datetime(m.expires_at / 1000, 'unixepoch') AS expires_at, m.record
    FROM queue q JOIN segment s ON s.queue_id = q.id
      JOIN message m ON m.id BETWEEN s.number * 65536 AND s.number * 65536 + 65535;
  `,
  `
  -- Segments whose messages are still to be deleted, some at a time: a queue of millions goes in an instant.
  CREATE TABLE dropped_segment (number INTEGER NOT NULL PRIMARY KEY) STRICT;
  `,
  `
  CREATE TABLE policy (
    operator INTEGER NOT NULL, vhost TEXT NOT NULL, name TEXT NOT NULL, pattern TEXT NOT NULL, apply_to TEXT NOT NULL,
    priority INTEGER NOT NULL, rules TEXT NOT NULL,
    PRIMARY KEY (operator, vhost, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE upper_limit (
    scope TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (scope, subject, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE global_parameter (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE vhost ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- CRC-32 of the record, begun with the id; NULL for messages from before.
  ALTER TABLE message ADD COLUMN checksum INTEGER;
  -- Messages that were settled and cannot be deleted, as pages of their segment are damaged.
  CREATE TABLE hidden_range (segment INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
  `,
  `
  -- The time to live that messages of a segment were timed by; -1 for none.
  ALTER TABLE segment ADD COLUMN ttl_ms INTEGER NOT NULL DEFAULT -1;
  `,
  `
  -- The tables with messages, the oldest first. All but the last were set aside, as the page where the next message would
  -- go was damaged; they have none of segments beyond last_segment.
  CREATE TABLE message_table (name TEXT NOT NULL UNIQUE, last_segment INTEGER) STRICT;
  INSERT INTO message_table VALUES ('message', NULL);
  `,
  `
  -- Every small table once more, as an index of all its columns: small-tables.ts.
  CREATE INDEX vhost_copy ON vhost (name, description, tags, default_queue_type, protected);
  CREATE INDEX user_copy ON user (name, password_hash, hashing_algorithm, tags);
  CREATE INDEX permission_copy ON permission (vhost, user, configure, write, read);
  CREATE INDEX topic_permission_copy ON topic_permission (vhost, user, exchange, write, read);
  CREATE INDEX policy_copy ON policy (operator, vhost, name, pattern, apply_to, priority, rules);
  CREATE INDEX upper_limit_copy ON upper_limit (scope, subject, name, value);
  CREATE INDEX global_parameter_copy ON global_parameter (name, value);
  CREATE INDEX exchange_copy ON exchange (vhost, name, type, auto_delete, internal, arguments);
  CREATE INDEX queue_copy ON queue (vhost, name, id, auto_delete, arguments);
  CREATE INDEX binding_copy
    ON binding (vhost, source, destination_kind, destination, routing_key, arguments_key, arguments);
  DROP INDEX segment_of_queue;
  CREATE INDEX segment_copy
    ON segment (queue_id, number, level, count, body_bytes, delivered_to, first_expires_at, ttl_ms);
  CREATE INDEX high_water_copy ON high_water (name, value);
  CREATE INDEX dropped_segment_copy ON dropped_segment (number);
  CREATE INDEX hidden_range_copy ON hidden_range (segment, first, last);
  CREATE INDEX message_table_copy ON message_table (name, last_segment);
  `,
  (db) => {
    db.exec("ALTER TABLE exchange ADD COLUMN declared_by TEXT");
    for (const table of [
      "vhost",
      "user",
      "permission",
      "topic_permission",
      "policy",
      "upper_limit",
      "global_parameter",
      "exchange",
      "queue",
      "binding",
    ]) {
      db.exec(`ALTER TABLE ${table} ADD COLUMN checksum INTEGER`);
      renewChecksums(db, table);
    }
  },
];

/** The version of the schema that this tsbroker reads and writes. */
export const schemaVersion = migrations.length;

/** Files of this version and later ones have their small tables twice. */
export const copiesVersion = 8;

/** Creates the tables of a new file, or brings an older one up to date; throws StoreError for what it cannot read. */
export function upgradeSchema(db: Database): void {
  const version = readVersion(db);
  if (version > schemaVersion) {
    throw new StoreError(
      `data file '${db.name}' was written by a newer tsbroker (schema ${version}, this one knows ${schemaVersion}): ` +
        "run that version or restore a backup",
    );
  }
  if (version === schemaVersion) return;
  db.transaction(() => {
    for (const step of migrations.slice(version)) {
      if (typeof step === "string") db.exec(step);
      else step(db);
    }
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${schemaVersion}`);
  }).immediate();
}

/** The schema's version, 0 for an empty file; throws StoreError when the file is some other program's. */
export function readVersion(db: Database): number {
  const id = db.pragma("application_id", { simple: true });
  const isEmpty = db.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
  if (id !== applicationId && !isEmpty) {
    throw new StoreError(`'${db.name}' is not a data file of tsbroker: it is another program's SQLite database`);
  }
  const version = db.pragma("user_version", { simple: true });
  return typeof version === "number" ? version : 0;
}
