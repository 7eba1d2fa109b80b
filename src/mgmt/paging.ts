import { compilePattern } from "../patterns.ts";
import { badRequest, Refusal } from "./refusal.ts";
import { type Row, select, sortRows } from "./rows.ts";

/** Rows on a page unless the request says how many, and the most it may ask for. */
const pageSizeDefault = 100;
const pageSizeMax = 500;
/** Longest regular expression a list is filtered by. */
const filterSizeMax = 1024;

/** The query string of a request. */
export type Query = Readonly<Record<string, string | undefined>>;

/** One page of a list. */
interface Page {
  readonly filtered_count: number;
  readonly item_count: number;
  readonly items: readonly Row[];
  readonly page: number;
  readonly page_count: number;
  readonly page_size: number;
  readonly total_count: number;
}

/**
 * Sorts and narrows a list as its query says. With `page` the answer is that page of the rows that the `name` filter
 * leaves; without, it is all of them, unfiltered.
 */
export function listAnswer(rows: readonly Row[], query: Query, defaultSort: readonly string[]): readonly Row[] | Page {
  const paged = query["page"] !== undefined || query["page_size"] !== undefined;
  const sorted = sortedBy(paged ? filtered(rows, query) : rows, query, defaultSort);
  if (!paged) return withColumns(sorted, query);
  return pageOf(sorted, rows.length, query);
}

/** The row with the columns that were asked for. */
export function itemAnswer(row: Row, query: Query): Row {
  const columns = columnsOf(query);
  return columns === undefined ? row : select(row, columns);
}

function withColumns(rows: readonly Row[], query: Query): readonly Row[] {
  const columns = columnsOf(query);
  return columns === undefined ? rows : rows.map((row) => select(row, columns));
}

function columnsOf(query: Query): readonly string[] | undefined {
  const columns = query["columns"];
  return columns === undefined || columns === "" ? undefined : columns.split(",");
}

function sortedBy(rows: readonly Row[], query: Query, defaultSort: readonly string[]): readonly Row[] {
  const { sort } = query;
  const sorted = sortRows(rows, sort === undefined || sort === "" ? defaultSort : [sort, ...defaultSort]);
  return query["sort_reverse"] === "true" ? sorted.reverse() : sorted;
}

function filtered(rows: readonly Row[], query: Query): readonly Row[] {
  const { name } = query;
  if (name === undefined || name === "") return rows;
  const matches = query["use_regex"] === "true" ? regexFilter(name) : substringFilter(name);
  return rows.filter((row) => matches(String(row["name"] ?? "")));
}

function regexFilter(pattern: string): (name: string) => boolean {
  if (pattern.length > filterSizeMax) throw badRequest(`a name pattern may have ${filterSizeMax} characters`);
  const regex = compilePattern(`(?i)${pattern}`);
  return (name) => regex.test(name);
}

function substringFilter(text: string): (name: string) => boolean {
  const wanted = text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
}

function pageOf(rows: readonly Row[], totalCount: number, query: Query): Page {
  const page = pageNumber(query["page"] ?? "1");
  const size = pageNumber(query["page_size"] ?? String(pageSizeDefault));
  if (page < 1 || size < 1 || size > pageSizeMax) {
    const reason = `Invalid pagination parameters: page number ${page}, page size ${size}`;
    throw new Refusal(400, "invalid_pagination_parameters", reason);
  }
  if (page > 1 && (page - 1) * size >= rows.length) {
    const reason = `Page out of range, page: ${page} page size: ${size}, len: ${rows.length}`;
    throw new Refusal(400, "page_out_of_range", reason);
  }
  const items = withColumns(rows.slice((page - 1) * size, page * size), query);
  return {
    filtered_count: rows.length,
    item_count: items.length,
    items,
    page,
    page_count: Math.max(1, Math.ceil(rows.length / size)),
    page_size: size,
    total_count: totalCount,
  };
}

function pageNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badRequest("Pagination parameters are invalid");
}
