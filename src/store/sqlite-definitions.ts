import type { Database, Statement } from "better-sqlite3";
import { checksumOfRow } from "./checksum.ts";
import {
  checksumColumn,
  type DefinitionChange,
  type DefinitionKind,
  definedQueueId,
  definitionTables,
} from "./definition-rows.ts";

/** The tables of definitions. Changes are made inside the caller's transaction. */
export class SqliteDefinitions {
  readonly #db: Database;
  readonly #raiseQueueId: Statement;
  readonly #statements = new Map<DefinitionKind, { put: Statement; remove: Statement }>();

  constructor(db: Database) {
    this.#db = db;
    this.#raiseQueueId = db.prepare("UPDATE high_water SET value = ? WHERE name = 'queue' AND value < ?");
  }

  apply(change: DefinitionChange): void {
    const { put, remove } = this.#prepared(change.kind);
    if (change.removed) remove.run(...change.values);
    else put.run(...change.values, checksumOfRow(change.values));
    const queueId = definedQueueId(change);
    if (queueId !== undefined) this.#raiseQueueId.run(queueId, queueId);
  }

  #prepared(kind: DefinitionKind): { put: Statement; remove: Statement } {
    const known = this.#statements.get(kind);
    if (known !== undefined) return known;
    const { table, key, columns } = definitionTables[kind];
    const all = [...key, ...columns, checksumColumn];
    const statements = {
      put: this.#db.prepare(
        `INSERT OR REPLACE INTO ${table} (${all.join(", ")}) VALUES (${all.map(() => "?").join(", ")})`,
      ),
      remove: this.#db.prepare(`DELETE FROM ${table} WHERE ${key.map((column) => `${column} = ?`).join(" AND ")}`),
    };
    this.#statements.set(kind, statements);
    return statements;
  }
}
