import { writeJson } from "../src/exact-json.ts";

/** A value of a table: as text, and as rabbitmqctl puts it in JSON. */
export interface Cell {
  readonly text: string;
  readonly json: unknown;
}

/** Makes a cell of what the HTTP API gave for a column. */
export type CellMaker = (value: unknown) => Cell;

const empty: Cell = { text: "", json: "" };

/** A value that stands for itself. A list is written `[a, b]`, and what is not there is blank. */
export function plain(value: unknown): Cell {
  if (value === undefined || value === null) return empty;
  if (Array.isArray(value)) return { text: `[${value.map(plainText).join(", ")}]`, json: value };
  return { text: plainText(value), json: value };
}

function plainText(value: unknown): string {
  return typeof value === "string" ? value : writeJson(value);
}

/** A document that stays JSON: text in every format, as rabbitmqctl gives policies and limits. */
export function document(value: unknown): Cell {
  if (value === undefined || value === null) return empty;
  const text = writeJson(value);
  return { text, json: text };
}

/** An AMQP table: `[{"x-max-length",5}]`, and `[["x-max-length","long",5]]` in JSON. */
export function amqpTable(value: unknown): Cell {
  if (!isRecord(value)) return { text: "[]", json: [] };
  return { text: tableText(value), json: tableJson(value) };
}

/** Network addresses: `127.0.0.1`, and `[127,0,0,1]` in JSON. */
export function address(value: unknown): Cell {
  if (typeof value !== "string") return plain(value);
  if (/^\d+(\.\d+){3}$/.test(value)) return { text: value, json: value.split(".").map(Number) };
  return value.includes(":") ? { text: value, json: groupsOf(value) } : plain(value);
}

/** `AMQP 0-9-1` in the words of rabbitmqctl: `{0,9,1}`, and `[0,9,1]` in JSON. */
export function protocolVersion(value: unknown): Cell {
  const version = typeof value === "string" ? /^AMQP (\d+)-(\d+)-(\d+)$/.exec(value) : null;
  if (version === null) return plain(value);
  const numbers = version.slice(1).map(Number);
  return { text: `{${numbers.join(",")}}`, json: numbers };
}

/** True for an object with names. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The eight groups of an IPv6 address; `::` stands for as many zeros as are missing. */
function groupsOf(text: string): number[] {
  const [before = [], after = []] = text.split("::").map(groupsIn);
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}

function groupsIn(part: string): number[] {
  const groups = part.split(":").filter((group) => group !== "");
  return groups.flatMap((group) => (group.includes(".") ? embedded(group) : [Number.parseInt(group, 16)]));
}

/** An IPv4 address at the end of an IPv6 one: two groups. */
function embedded(text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}

function tableText(table: Readonly<Record<string, unknown>>): string {
  return `[${Object.entries(table)
    .map(([key, value]) => `{${writeJson(key)},${fieldText(value)}}`)
    .join(",")}]`;
}

function fieldText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(fieldText).join(",")}]`;
  if (isRecord(value)) return tableText(value);
  return value === null ? "undefined" : writeJson(value);
}

function tableJson(table: Readonly<Record<string, unknown>>): unknown[] {
  return Object.entries(table).map(([key, value]) => [key, ...fieldJson(value)]);
}

/** A field with its type. The HTTP API tells only JSON's types, so every whole number is a long. */
function fieldJson(value: unknown): [type: string, value: unknown] {
  if (Array.isArray(value)) return ["array", value.map(fieldJson)];
  if (isRecord(value)) return ["table", tableJson(value)];
  switch (typeof value) {
    case "string":
      return ["longstr", value];
    case "boolean":
      return ["bool", value];
    case "bigint":
      return ["long", value];
    case "number":
      return [Number.isInteger(value) ? "long" : "double", value];
    default:
      return ["void", "undefined"];
  }
}
