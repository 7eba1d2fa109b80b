import { remember, remembered } from "./preferences.ts";
import { setQuery, useRoute } from "./router.ts";

/** How a table is sorted, filtered, and which columns it has. */
export interface TableState {
  readonly sort: string;
  readonly descending: boolean;
  readonly filter: string;
  readonly isRegex: boolean;
  /** Undefined for those that are there unless someone chose. */
  readonly columns: readonly string[] | undefined;
}

/** A field of the API, and which way. */
export type FirstSort = Pick<TableState, "sort" | "descending">;

const unsorted: FirstSort = { sort: "", descending: false };

/** In the URL, so that a link shows what its sender saw; without it there, as this browser showed it last. */
export function useTableState(
  name: string,
  first = unsorted,
): readonly [TableState, (changes: Partial<TableState>) => void] {
  const { query } = useRoute();
  const kept = new URLSearchParams(remembered(`table.${name}`) ?? "");
  const prefixed = (key: string): string => `${name}.${key}`;
  const get = (key: string): string | undefined => query.get(prefixed(key)) ?? kept.get(key) ?? undefined;
  const columns = get("columns");
  const state: TableState = {
    sort: get("sort") ?? first.sort,
    descending: get("sort") === undefined ? first.descending : get("desc") === "1",
    filter: query.get(prefixed("filter")) ?? "",
    isRegex: get("regex") === "1",
    columns: columns === undefined || columns === "" ? undefined : columns.split(","),
  };
  const change = (changes: Partial<TableState>): void => {
    const next = { ...state, ...changes };
    const values: Readonly<Record<string, string>> = {
      sort: next.sort,
      desc: next.descending ? "1" : "",
      regex: next.isRegex ? "1" : "",
      columns: next.columns?.join(",") ?? "",
    };
    const given = Object.entries(values).filter(([, value]) => value !== "");
    remember(`table.${name}`, new URLSearchParams(Object.fromEntries(given)).toString());
    const inUrl = Object.entries({ ...values, filter: next.filter }).map(([key, value]) => [
      prefixed(key),
      value === "" ? undefined : value,
    ]);
    setQuery(Object.fromEntries(inUrl));
  };
  return [state, change];
}
