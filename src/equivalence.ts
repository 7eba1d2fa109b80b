import { BrokerError } from "./errors.ts";
import { writeJson } from "./exact-json.ts";
import { type FieldTable, type FieldValue, sameValue } from "./field-table.ts";

/** Checks that a redeclaration gives a property the value that it has. Throws PRECONDITION_FAILED. */
export function checkProperty(
  resource: string,
  name: string,
  received: string | boolean,
  current: string | boolean,
): void {
  if (received === current) return;
  throw inequivalent(resource, name, `received '${received}' but current is '${current}'`);
}

/** Checks that a redeclaration repeats those of the arguments that matter. Throws PRECONDITION_FAILED. */
export function checkArguments(
  resource: string,
  names: readonly string[],
  received: FieldTable,
  current: FieldTable,
): void {
  for (const name of names) checkArgument(resource, name, received.get(name), current.get(name));
}

function checkArgument(
  resource: string,
  name: string,
  received: FieldValue | undefined,
  current: FieldValue | undefined,
): void {
  if (received === undefined && current === undefined) return;
  if (received === undefined || current === undefined) {
    throw inequivalent(resource, name, `received ${described(received)} but current is ${described(current)}`);
  }
  if (sameValue(received, current)) return;
  throw inequivalent(resource, name, `received '${valueText(received)}' but current is '${valueText(current)}'`);
}

function inequivalent(resource: string, name: string, detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", `inequivalent arg '${name}' for ${resource}: ${detail}`);
}

function described(field: FieldValue | undefined): string {
  return field === undefined ? "none" : `the value '${valueText(field)}' of type '${field.type}'`;
}

function valueText(field: FieldValue): string {
  if (field.type === "void") return "undefined";
  if (field.type === "table" || field.type === "array") return writeJson(field.value);
  return String(field.value);
}
