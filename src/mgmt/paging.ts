import { LazyList } from "../lazy-list.ts";
import { compilePattern } from "../patterns.ts";
import { badRequest, Refusal } from "./refusal.ts";
import { keyed, type Row, select, sortKeyed } from "./rows.ts";
import { mapInSlices } from "./slices.ts";

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

/** Things to list. What one is found and sorted by, its key, may be less than all there is to show of it. */
export interface List<T> {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => Row;
  readonly rowOf: (item: T) => Row;
  readonly defaultSort: readonly string[];
  /** Whether the items come sorted so already. */
  readonly isSorted?: boolean;
}

/**
 * Sorts and narrows a list as its query says. With `page` the answer is that page of the rows that the `name` filter
 * leaves; without, it is all of them, unfiltered. Rows that are not answered are not made, unless to sort by them.
 */
export async function listAnswer<T>(list: List<T>, query: Query): Promise<unknown> {
  const paged = query["page"] !== undefined || query["page_size"] !== undefined;
  const items = paged ? await filtered(list, query) : list.items;
  const sorted = { ...list, items: await sortedBy({ ...list, items }, query) };
  return paged ? pageOf(sorted, list.items.length, query) : rowsOf(sorted, query);
}

/** The row with the columns that were asked for. */
export function itemAnswer(row: Row, query: Query): Row {
  const columns = columnsOf(query);
  return columns === undefined ? row : select(row, columns);
}

function rowsOf<T>({ items, rowOf }: List<T>, query: Query): LazyList<Row> {
  const columns = columnsOf(query);
  return LazyList.of(items, columns === undefined ? rowOf : (item) => select(rowOf(item), columns));
}

function columnsOf(query: Query): readonly string[] | undefined {
  const columns = query["columns"];
  return columns === undefined || columns === "" ? undefined : columns.split(",");
}

async function sortedBy<T>(list: List<T>, query: Query): Promise<readonly T[]> {
  const { sort = "" } = query;
  const lastly = list.isSorted === true ? [] : list.defaultSort;
  const paths = sort === "" ? lastly : [sort, ...lastly];
  const sorted = paths.length === 0 ? list.items : await sortedByPaths(list, paths);
  return query["sort_reverse"] === "true" ? [...sorted].reverse() : sorted;
}

/** Items that are alike in all of it stay in their order. */
async function sortedByPaths<T>({ items, keyOf, rowOf }: List<T>, paths: readonly string[]): Promise<readonly T[]> {
  const [first] = items;
  if (first === undefined) return items;
  const key = keyOf(first);
  const keysSuffice = paths.every((path) => Object.hasOwn(key, path));
  return sortKeyed(await mapInSlices(items, keyed(keysSuffice ? keyOf : rowOf, paths)));
}

async function filtered<T>({ items, keyOf, defaultSort }: List<T>, query: Query): Promise<readonly T[]> {
  const { name } = query;
  if (name === undefined || name === "") return items;
  const matches = query["use_regex"] === "true" ? regexFilter(name) : substringFilter(name);
  const textOf = keyed(keyOf, defaultSort);
  const found = await mapInSlices(items, (item) => {
    // What has no name, such as a binding, is found by what such things are sorted by.
    const text = String(keyOf(item)["name"] ?? textOf(item).keys.join(" "));
    return matches(text) ? [item] : [];
  });
  return found.flat();
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

async function pageOf<T>(list: List<T>, totalCount: number, query: Query): Promise<Page> {
  const { items: listed } = list;
  const page = pageNumber(query["page"] ?? "1");
  const size = pageNumber(query["page_size"] ?? String(pageSizeDefault));
  if (page < 1 || size < 1 || size > pageSizeMax) {
    const asked = query["page_size"] ?? "undefined";
    const reason = `Invalid pagination parameters: page number ${page}, page size ${asked}`;
    throw new Refusal(400, "invalid_pagination_parameters", reason);
  }
  if (page > 1 && (page - 1) * size >= listed.length) {
    const reason = `Page out of range, page: ${page} page size: ${size}, len: ${listed.length}`;
    throw new Refusal(400, "page_out_of_range", reason);
  }
  const rows = rowsOf({ ...list, items: listed.slice((page - 1) * size, page * size) }, query);
  const items = await mapInSlices(rows, (row) => row);
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
