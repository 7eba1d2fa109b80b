import { type FieldTable, type FieldValue, tableFromJson, tableToJson } from "../field-table.ts";
import { type Definition, type DefinitionKey, StoreError } from "./store.ts";

/** A column's value. Booleans are 0 or 1, lists and arguments are JSON. */
export type ColumnValue = string | number | null;

/** A definition as the columns of its table, the ones of its key first. */
export type DefinitionRow = readonly ColumnValue[];

export type DefinitionKind = Definition["kind"];

/** A definition that was added or replaced (all columns), or removed (the key's columns). */
export interface DefinitionChange {
  readonly kind: DefinitionKind;
  readonly removed: boolean;
  readonly values: DefinitionRow;
}

/** The table of each kind, in an order in which what is referred to comes first. */
export const definitionTables = {
  vhost: { table: "vhost", key: ["name"], columns: ["description", "tags", "default_queue_type", "protected"] },
  user: { table: "user", key: ["name"], columns: ["password_hash", "hashing_algorithm", "tags"] },
  permission: { table: "permission", key: ["vhost", "user"], columns: ["configure", "write", "read"] },
  "topic-permission": { table: "topic_permission", key: ["vhost", "user", "exchange"], columns: ["write", "read"] },
  policy: {
    table: "policy",
    key: ["operator", "vhost", "name"],
    columns: ["pattern", "apply_to", "priority", "rules"],
  },
  limit: { table: "upper_limit", key: ["scope", "subject", "name"], columns: ["value"] },
  "global-parameter": { table: "global_parameter", key: ["name"], columns: ["value"] },
  exchange: {
    table: "exchange",
    key: ["vhost", "name"],
    columns: ["type", "auto_delete", "internal", "arguments", "declared_by"],
  },
  queue: { table: "queue", key: ["vhost", "name"], columns: ["id", "auto_delete", "arguments"] },
  binding: {
    table: "binding",
    key: ["vhost", "source", "destination_kind", "destination", "routing_key", "arguments_key"],
    columns: ["arguments"],
  },
} as const satisfies Record<DefinitionKind, { table: string; key: readonly string[]; columns: readonly string[] }>;

/** The last column of each of these tables: the checksum of all others, in their order in the table. */
export const checksumColumn = "checksum";

export const definitionKinds = [
  "vhost",
  "user",
  "permission",
  "topic-permission",
  "policy",
  "limit",
  "global-parameter",
  "exchange",
  "queue",
  "binding",
] as const satisfies readonly DefinitionKind[];

/** The columns that identify a definition. */
export function keyRow(key: DefinitionKey): DefinitionRow {
  switch (key.kind) {
    case "vhost":
    case "user":
    case "global-parameter":
      return [key.name];
    case "permission":
      return [key.vhost, key.user];
    case "topic-permission":
      return [key.vhost, key.user, key.exchange];
    case "policy":
      return [Number(key.operator), key.vhost, key.name];
    case "limit":
      return [key.scope, key.subject, key.name];
    case "exchange":
    case "queue":
      return [key.vhost, key.name];
    case "binding":
      return [
        key.vhost,
        key.source,
        key.destinationKind,
        key.destination,
        key.routingKey,
        canonicalArguments(key.arguments),
      ];
    default:
      return key satisfies never;
  }
}

/** All columns of a definition. */
export function row(definition: Definition): DefinitionRow {
  return [...keyRow(definition), ...otherColumns(definition)];
}

function otherColumns(definition: Definition): DefinitionRow {
  switch (definition.kind) {
    case "vhost":
      return [
        definition.description,
        JSON.stringify(definition.tags),
        definition.defaultQueueType ?? null,
        Number(definition.protectedFromDeletion),
      ];
    case "user":
      return [definition.passwordHash, definition.hashingAlgorithm, JSON.stringify(definition.tags)];
    case "permission":
      return [definition.configure, definition.write, definition.read];
    case "topic-permission":
      return [definition.write, definition.read];
    case "policy":
      return [definition.pattern, definition.applyTo, definition.priority, tableToJson(definition.rules)];
    case "limit":
    case "global-parameter":
      return [definition.value];
    case "exchange":
      return [
        definition.type,
        Number(definition.autoDelete),
        Number(definition.internal),
        tableToJson(definition.arguments),
        definition.declaredBy ?? null,
      ];
    case "queue":
      return [definition.id, Number(definition.autoDelete), tableToJson(definition.arguments)];
    case "binding":
      return [tableToJson(definition.arguments)];
    default:
      return definition satisfies never;
  }
}

/** The id of the queue that a change defines; undefined for any other change. */
export function definedQueueId(change: DefinitionChange): number | undefined {
  if (change.kind !== "queue" || change.removed) return undefined;
  const { key, columns } = definitionTables.queue;
  const id = change.values[key.length + columns.indexOf("id")];
  return typeof id === "number" ? id : undefined;
}

/** The definition that {@link row} made the columns of; throws StoreError when it cannot be one. */
export function definitionFromRow(kind: DefinitionKind, values: readonly unknown[]): Definition {
  const column = new ColumnReader(kind, values);
  switch (kind) {
    case "vhost":
      return {
        kind,
        name: column.text(),
        description: column.text(),
        tags: column.texts(),
        defaultQueueType: column.optionalText(),
        protectedFromDeletion: column.flag(),
      };
    case "user":
      return {
        kind,
        name: column.text(),
        passwordHash: column.text(),
        hashingAlgorithm: column.text(),
        tags: column.texts(),
      };
    case "permission":
      return {
        kind,
        vhost: column.text(),
        user: column.text(),
        configure: column.text(),
        write: column.text(),
        read: column.text(),
      };
    case "topic-permission":
      return {
        kind,
        vhost: column.text(),
        user: column.text(),
        exchange: column.text(),
        write: column.text(),
        read: column.text(),
      };
    case "policy":
      return {
        kind,
        operator: column.flag(),
        vhost: column.text(),
        name: column.text(),
        pattern: column.text(),
        applyTo: column.text(),
        priority: column.integer(),
        rules: column.table(),
      };
    case "limit":
      return limitFromRow(column);
    case "global-parameter":
      return { kind, name: column.text(), value: column.text() };
    case "exchange":
      return {
        kind,
        vhost: column.text(),
        name: column.text(),
        type: column.text(),
        autoDelete: column.flag(),
        internal: column.flag(),
        arguments: column.table(),
        declaredBy: column.optionalText(),
      };
    case "queue":
      return {
        kind,
        vhost: column.text(),
        name: column.text(),
        id: column.integer(),
        autoDelete: column.flag(),
        arguments: column.table(),
      };
    case "binding":
      return bindingFromRow(column);
    default:
      return kind satisfies never;
  }
}

function limitFromRow(column: ColumnReader): Definition {
  const scope = column.text();
  if (scope !== "vhost" && scope !== "user") column.refuse();
  return { kind: "limit", scope, subject: column.text(), name: column.text(), value: column.integer() };
}

function bindingFromRow(column: ColumnReader): Definition {
  const vhost = column.text();
  const source = column.text();
  const destinationKind = column.text();
  if (destinationKind !== "queue" && destinationKind !== "exchange") column.refuse();
  const destination = column.text();
  const routingKey = column.text();
  column.text(); // the arguments' canonical text, which only serves as a key
  return {
    kind: "binding",
    vhost,
    source,
    destinationKind,
    destination,
    routingKey,
    arguments: column.table(),
  };
}

/** Reads the columns of a row one after the other and checks what each is. */
class ColumnReader {
  readonly #kind: string;
  readonly #values: readonly unknown[];
  #at = 0;

  constructor(kind: string, values: readonly unknown[]) {
    this.#kind = kind;
    this.#values = values;
  }

  text(): string {
    const value = this.#next();
    return typeof value === "string" ? value : this.refuse();
  }

  optionalText(): string | undefined {
    const value = this.#next();
    if (value === null) return undefined;
    return typeof value === "string" ? value : this.refuse();
  }

  integer(): number {
    const value = this.#next();
    return typeof value === "number" && Number.isSafeInteger(value) ? value : this.refuse();
  }

  flag(): boolean {
    return this.integer() !== 0;
  }

  texts(): string[] {
    const values: unknown = this.#json(JSON.parse);
    if (!Array.isArray(values) || !values.every((value) => typeof value === "string")) this.refuse();
    return values;
  }

  table(): FieldTable {
    return this.#json(tableFromJson);
  }

  refuse(cause?: unknown): never {
    const detail = `the ${this.#kind} ${JSON.stringify(this.#values)}`;
    throw new StoreError(`the data file is damaged: it holds ${detail}`, { cause });
  }

  #json<T>(parse: (json: string) => T): T {
    const json = this.text();
    try {
      return parse(json);
    } catch (error) {
      return this.refuse(error);
    }
  }

  #next(): unknown {
    return this.#values[this.#at++];
  }
}

/** A text that is the same for tables that {@link sameTable} calls the same. */
export function canonicalArguments(table: FieldTable): string {
  return JSON.stringify(canonicalTable(table));
}

function canonicalTable(table: FieldTable): unknown {
  const names = [...table.keys()].sort();
  return names.map((name) => [name, canonicalValue(table.get(name) ?? { type: "void" })]);
}

function canonicalValue(field: FieldValue): unknown {
  switch (field.type) {
    case "void":
      return null;
    case "bool":
      return field.value;
    case "table":
      return { table: canonicalTable(field.value) };
    case "array":
      return field.value.map(canonicalValue);
    case "decimal":
      return { decimal: field.value, scale: field.scale };
    case "longstr":
    case "binary":
      return typeof field.value === "string" ? field.value : canonicalBytes(field.value);
    default:
      return { number: String(field.value) };
  }
}

/** Bytes as the text they are, since a longstr of the same bytes is the same value, or else in base64. */
function canonicalBytes(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : { base64: bytes.toString("base64") };
}
