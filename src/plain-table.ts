import { BrokerError } from "./errors.ts";
import { type FieldTable, type FieldValue, nestingMax } from "./field-table.ts";

/** A field table as management shows it: plain JSON without the types of numbers. */
export type PlainTable = Readonly<Record<string, unknown>>;

/** Bytes that are not text become base64; whole numbers that a number cannot hold stay bigints. */
export function tableToPlain(table: FieldTable): PlainTable {
  // Entries, not assignments: a field may be named __proto__.
  return Object.fromEntries([...table].map(([name, field]) => [name, plainValue(field)]));
}

function plainValue(field: FieldValue): unknown {
  switch (field.type) {
    case "longstr":
    case "binary":
      return typeof field.value === "string" ? field.value : field.value.toString("base64");
    case "table":
      return tableToPlain(field.value);
    case "array":
      return field.value.map(plainValue);
    case "decimal":
      return field.value / 10 ** field.scale;
    case "void":
      return null;
    case "bool":
      return field.value;
    default:
      return field.value;
  }
}

/** Reads JSON as RabbitMQ does: whole numbers are longs, others doubles. Throws PRECONDITION_FAILED. */
export function tableFromPlain(plain: object): FieldTable {
  return tableAt(plain, 0);
}

function tableAt(plain: object, depth: number): FieldTable {
  if (depth > nestingMax) throw invalid(`nested deeper than ${nestingMax}`);
  const table = new Map<string, FieldValue>();
  for (const [name, value] of Object.entries(plain)) {
    if (Buffer.byteLength(name) > 255) throw invalid(`field name of ${Buffer.byteLength(name)} bytes: 255 are allowed`);
    table.set(name, fieldValue(value, depth + 1));
  }
  return table;
}

function fieldValue(value: unknown, depth: number): FieldValue {
  switch (typeof value) {
    case "string":
      return { type: "longstr", value };
    case "boolean":
      return { type: "bool", value };
    case "number":
      return Number.isSafeInteger(value) ? { type: "long", value } : { type: "double", value };
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return { type: "long", value };
      throw invalid(`${value} has more than 64 bits`);
    case "object":
      if (value === null) throw invalid("null_not_allowed");
      if (Array.isArray(value)) return { type: "array", value: arrayAt(value, depth) };
      return { type: "table", value: tableAt(value, depth) };
    default:
      throw invalid("not a value of JSON");
  }
}

function arrayAt(values: readonly unknown[], depth: number): FieldValue[] {
  if (depth > nestingMax) throw invalid(`nested deeper than ${nestingMax}`);
  return values.map((value) => fieldValue(value, depth + 1));
}

function invalid(detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", detail);
}
