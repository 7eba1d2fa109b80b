import { compilePattern } from "../patterns.ts";
import { badRequest, Refusal } from "./refusal.ts";
import { type Row, select, sortBy } from "./rows.ts";

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

/** Something to list. What it is found and sorted by may be less than all there is to show of it. */
export interface Listed {
  readonly key: Row;
  row(): Row;
}

/**
 * Sorts and narrows a list as its query says. With `page` the answer is that page of the rows that the `name` filter
 * leaves; without, it is all of them, unfiltered. Rows that are not answered are not made, unless to sort by them.
 */
export function listAnswer(listed: readonly Listed[], query: Query, defaultSort: readonly string[]): unknown {
  const paged = query["page"] !== undefined || query["page_size"] !== undefined;
  const sorted = sortedBy(paged ? filtered(listed, query) : listed, query, defaultSort);
  return paged ? pageOf(sorted, listed.length, query) : rowsOf(sorted, query);
}

/** The row with the columns that were asked for. */
export function itemAnswer(row: Row, query: Query): Row {
  const columns = columnsOf(query);
  return columns === undefined ? row : select(row, columns);
}

function rowsOf(listed: readonly Listed[], query: Query): readonly Row[] {
  const columns = columnsOf(query);
  return listed.map((each) => (columns === undefined ? each.row() : select(each.row(), columns)));
}

function columnsOf(query: Query): readonly string[] | undefined {
  const columns = query["columns"];
  return columns === undefined || columns === "" ? undefined : columns.split(",");
}

function sortedBy(listed: readonly Listed[], query: Query, defaultSort: readonly string[]): readonly Listed[] {
  const { sort } = query;
  const keysSuffice = sort === undefined || sort === "" || listed.every(({ key }) => Object.hasOwn(key, sort));
  const paths = sort === undefined || sort === "" ? defaultSort : [sort, ...defaultSort];
  const sorted = sortBy(listed, (each) => (keysSuffice ? each.key : each.row()), paths);
  return query["sort_reverse"] === "true" ? sorted.reverse() : sorted;
}

function filtered(listed: readonly Listed[], query: Query): readonly Listed[] {
  const { name } = query;
  if (name === undefined || name === "") return listed;
  const matches = query["use_regex"] === "true" ? regexFilter(name) : substringFilter(name);
  return listed.filter(({ key }) => matches(String(key["name"] ?? "")));
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

function pageOf(listed: readonly Listed[], totalCount: number, query: Query): Page {
  const page = pageNumber(query["page"] ?? "1");
  const size = pageNumber(query["page_size"] ?? String(pageSizeDefault));
  if (page < 1 || size < 1 || size > pageSizeMax) {
    const reason = `Invalid pagination parameters: page number ${page}, page size ${size}`;
    throw new Refusal(400, "invalid_pagination_parameters", reason);
  }
  if (page > 1 && (page - 1) * size >= listed.length) {
    const reason = `Page out of range, page: ${page} page size: ${size}, len: ${listed.length}`;
    throw new Refusal(400, "page_out_of_range", reason);
  }
  const items = rowsOf(listed.slice((page - 1) * size, page * size), query);
  return {
    filtered_count: listed.length,
    item_count: items.length,
    items,
    page,
    page_count: Math.max(1, Math.ceil(listed.length / size)),
    page_size: size,
    total_count: totalCount,
  };
}

function pageNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badRequest("Pagination parameters are invalid");
}
