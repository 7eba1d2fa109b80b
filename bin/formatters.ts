import { writeJson } from "../src/exact-json.ts";
import type { Cell } from "./cells.ts";

/** A list as commands hand it over for printing. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** How lists can be printed. */
export const formatterNames = ["table", "pretty_table", "csv", "json", "json_stream"] as const;

export type FormatterName = (typeof formatterNames)[number];

/** True for the formats that programs read: nothing is printed beside the data. */
export function isMachineReadable(formatter: FormatterName): boolean {
  return formatter === "csv" || formatter === "json" || formatter === "json_stream";
}

/** The text of a list, with or without the line of column names. */
export function formatTable(table: Table, formatter: FormatterName, headers: boolean): string {
  switch (formatter) {
    case "table":
      return lines([...headLines(table, headers), ...table.rows.map(textsOf)].map((row) => row.join("\t")));
    case "pretty_table":
      return prettyTable(table, headers);
    case "csv":
      return csv(table, headers);
    case "json":
      return jsonList(objectsOf(table).map(writeJson));
    case "json_stream":
      return lines(objectsOf(table).map(writeJson));
  }
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

/** Names of columns are worth a line when there is something below them. */
function headLines({ columns, rows }: Table, headers: boolean): (readonly string[])[] {
  return headers && rows.length > 0 ? [columns] : [];
}

/** rabbitmqctl's way: a row a line, the comma first. */
function jsonList(rows: readonly string[]): string {
  return lines(["[", ...rows.map((row, index) => (index === 0 ? row : `,${row}`)), "]"]);
}

function objectsOf({ columns, rows }: Table): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]?.json ?? ""])));
}

function csv({ columns, rows }: Table, headers: boolean): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const texts = rows.map((row) => row.map(({ text }) => text));
  return lines([...(headers && rows.length > 0 ? [columns] : []), ...texts].map((row) => row.map(quoted).join(",")));
}

function textsOf(row: readonly Cell[]): string[] {
  return row.map(({ text }) => printable(text));
}

const controls = /\p{Cc}/gu;

/** The text with its control characters spelled out, so that names can neither break a table nor steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(controls, (character) => {
    const code = character.charCodeAt(0);
    const short = { 9: "\\t", 10: "\\n", 13: "\\r" }[code];
    return short ?? `\\x${code.toString(16).padStart(2, "0")}`;
  });
}

/** A table with lines around its cells. */
function prettyTable(table: Table, headers: boolean): string {
  const rows = [...headLines(table, headers), ...table.rows.map(textsOf)];
  if (rows.length === 0) return "";
  const widths = table.columns.map((_, index) => Math.max(...rows.map((row) => widthOf(row[index] ?? ""))));
  const rule = (left: string, middle: string, right: string) =>
    `${left}${widths.map((width) => "─".repeat(width + 2)).join(middle)}${right}`;
  const body = rows.map((row) => `│${row.map((text, index) => ` ${padded(text, widths[index] ?? 0)} `).join("│")}│`);
  const between = rule("├", "┼", "┤");
  return lines([
    rule("┌", "┬", "┐"),
    ...body.flatMap((row, index) => (index === 0 ? [row] : [between, row])),
    rule("└", "┴", "┘"),
  ]);
}

function padded(text: string, width: number): string {
  return text + " ".repeat(width - widthOf(text));
}

const wide = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u;

/** How many places of a terminal the text takes. */
function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}
