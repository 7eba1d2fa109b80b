import { type Cell, type CellMaker, isRecord, plain } from "./cells.ts";
import { type CommandSpec, command, flag, type Group } from "./command.ts";
import { ArgumentError, noSuchUser, noSuchVhost } from "./command-error.ts";
import type { Context } from "./context.ts";
import { ApiError, type Row } from "./management-client.ts";

/** Where the value of a column is in the API's rows, dots leading inwards; and what cell is made of it. */
export type Column = string | readonly [field: string, cell: CellMaker];

/** What all listing commands have. */
interface ListingBase {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  /** All columns, in the order in which the help shows them. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Said before the list. */
  readonly banner: (context: Context, subject: string) => string;
  /** Where the list is in the API. */
  readonly path: (context: Context, subject: string) => string;
  /** What it means when that is not there; an "empty" list when rabbitmqctl does not mind. */
  readonly absent?: "empty" | "vhost" | "user";
}

/** A listing whose columns can be chosen. */
interface ColumnListing extends ListingBase {
  /** The columns without a choice. */
  readonly usual: readonly string[];
  /** The API can leave out what is not asked for; for these fields it need not look at statistics, which takes long. */
  readonly fieldsWithoutStats?: readonly string[];
  /** Options of rabbitmqctl that choose nodes; with one node only --offline leaves anything out. */
  readonly choosesNodes?: boolean;
}

const nodeOptions = {
  online: flag("--online", "those on nodes that run: all"),
  offline: flag("--offline", "those on nodes that do not run: none"),
  local: flag("--local", "those on the node that is asked: all"),
};

/** A listing command that takes columns as its arguments. */
export function listing(definition: ColumnListing): CommandSpec {
  const { name, group, summary, columns, usual } = definition;
  return command({
    name,
    group,
    summary,
    arguments: { "[column...]": `which columns to show (${usual.join(" ")})` },
    details: `Columns:\n${wrapped(Object.keys(columns))}`,
    words: Object.keys(columns),
    options: definition.choosesNodes === true ? nodeOptions : {},
    run: async (context, { column }, options) => {
      const chosen = chosenColumns(column, columns, usual);
      context.output.banner(definition.banner(context, ""));
      const rows = await rowsOf(definition, context, "", fieldQuery(definition, chosen));
      print(context, columns, chosen, "offline" in options && options.offline ? [] : rows);
    },
  });
}

/** A listing command that always shows the same columns. */
export function plainListing(definition: ListingBase): CommandSpec {
  const { name, group, summary, columns } = definition;
  return command({
    name,
    group,
    summary,
    run: async (context) => {
      context.output.banner(definition.banner(context, ""));
      print(context, columns, Object.keys(columns), await rowsOf(definition, context, ""));
    },
  });
}

/** A listing command about one user. */
export function userListing(definition: ListingBase): CommandSpec {
  const { name, group, summary, columns } = definition;
  return command({
    name,
    group,
    summary,
    arguments: { "<username>": "whose" },
    run: async (context, { username }) => {
      context.output.banner(definition.banner(context, username));
      print(context, columns, Object.keys(columns), await rowsOf(definition, context, username));
    },
  });
}

/** The columns that were asked for. Scripts put commas between them as well. */
function chosenColumns(
  given: readonly string[],
  columns: ListingBase["columns"],
  usual: readonly string[],
): readonly string[] {
  const names = given.flatMap((text) => text.split(",")).filter((name) => name !== "");
  const unknown = names.filter((name) => !Object.hasOwn(columns, name));
  if (unknown.length > 0) throw new ArgumentError(`Info key(s) ${unknown.join(",")} are not supported`);
  return names.length === 0 ? usual : names;
}

/** Asks the API for the fields of the chosen columns only, where it can do that. */
function fieldQuery({ columns, fieldsWithoutStats }: ColumnListing, chosen: readonly string[]): string {
  if (fieldsWithoutStats === undefined) return "";
  const fields = chosen.map((name) => fieldOf(columns[name] ?? name));
  const needsStats = fields.some((field) => !fieldsWithoutStats.includes(field));
  const query = new URLSearchParams({
    columns: fields.join(","),
    ...(!needsStats && { disable_stats: "true", enable_queue_totals: "true" }),
  });
  return `?${query}`;
}

async function rowsOf(listing: ListingBase, context: Context, subject: string, query = ""): Promise<readonly Row[]> {
  try {
    return await context.api.list(listing.path(context, subject) + query);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    if (listing.absent === "empty") return [];
    throw listing.absent === "user" ? noSuchUser(subject) : noSuchVhost(context.vhost);
  }
}

function print(
  { output }: Context,
  columns: ListingBase["columns"],
  chosen: readonly string[],
  rows: readonly Row[],
): void {
  const cells = rows.map((row) => chosen.map((name) => cellOf(columns[name] ?? name, row)));
  output.table({ columns: chosen, rows: cells });
}

function fieldOf(column: Column): string {
  return typeof column === "string" ? column : column[0];
}

function cellOf(column: Column, row: Row): Cell {
  const make = typeof column === "string" ? plain : column[1];
  return make(valueAt(row, fieldOf(column)));
}

/** The value that a path of names with dots leads to. */
export function valueAt(row: Row, field: string): unknown {
  return field.split(".").reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), row);
}

const lineWidth = 78;

/** Names with commas between them, in indented lines. */
function wrapped(names: readonly string[]): string {
  const lines = [""];
  for (const name of names) {
    const line = lines.at(-1) ?? "";
    if (line.length + name.length + 4 > lineWidth) lines.push(name);
    else lines[lines.length - 1] = line === "" ? name : `${line}, ${name}`;
  }
  return lines.map((line) => `  ${line}`).join(",\n");
}
