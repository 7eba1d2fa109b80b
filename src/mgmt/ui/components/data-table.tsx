import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ApiError } from "../lib/api.ts";
import { plural, singular } from "../lib/format.ts";
import { type Live, useLiveAll } from "../lib/live.ts";
import { number, type Row, rowsOf } from "../lib/row.ts";
import { type FirstSort, type TableState, useTableState } from "../lib/table-state.ts";
import { Empty, Failure } from "./page.tsx";

/** A column of a table. */
export interface Column {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** The field of the API that it sorts by. */
  readonly sort?: string;
  readonly numeric?: boolean;
  /** Not there unless somebody wants it. */
  readonly isExtra?: boolean;
  /** The same on a phone. */
  readonly isForRoom?: boolean;
}

interface TableProps {
  /** Under which its state is kept. */
  readonly name: string;
  /** What it lists, for people: `queues`. */
  readonly what: string;
  /** A list of the API. */
  readonly path: string;
  readonly columns: readonly Column[];
  readonly empty: ComponentChildren;
  /** What its filter looks at. */
  readonly filtersBy?: string;
  /** What identifies a row among those that are ticked; without it rows have no box to tick. */
  readonly keyOf?: (row: Row) => string;
  readonly bulk?: (rows: readonly Row[], clear: () => void) => ComponentChildren;
  readonly actions?: ComponentChildren;
  /** How it is sorted until somebody chooses. */
  readonly firstSort?: FirstSort;
}

const pageSize = 100;
const rowHeight = 36;
/** Rows above and below those in sight. */
const overscan = 12;

/**
 * A list of the API: it sorts and filters there, and only the pages in sight are asked for, however long it is. Sort,
 * filter and columns are in the URL.
 */
export function DataTable(props: TableProps): JSX.Element {
  const { name, what, columns, empty, filtersBy = "name", keyOf, bulk, actions } = props;
  const [state, change] = useTableState(name, props.firstSort);
  const [ticked, setTicked] = useState<ReadonlyMap<string, Row>>(new Map());
  const { rows, total, error, isLoading, range, scroller, onScroll } = usePagedRows(props.path, state);
  const isNarrow = matchMedia("(max-width: 760px)").matches;
  const isUsual = ({ isExtra = false, isForRoom = false }: Column): boolean => !isExtra && !(isForRoom && isNarrow);
  const shown = columns.filter((column) => state.columns?.includes(column.id) ?? isUsual(column));
  const tick = keyOf === undefined ? undefined : { keyOf, ticked, setTicked };
  return (
    <div class="data-table">
      <div class="toolbar">
        <FilterBox what={what} by={filtersBy} state={state} change={change} />
        <span class="dim total" aria-live="polite">
          {isLoading ? "…" : plural(total, singular(what), what)}
        </span>
        <span class="spring" />
        {bulk !== undefined && ticked.size > 0 && (
          <span class="bulk">
            <b>{ticked.size} ticked</b> {bulk([...ticked.values()], () => setTicked(new Map()))}
          </span>
        )}
        {actions}
        <ColumnChooser columns={columns} shown={shown} change={change} />
      </div>
      {error !== undefined && <Failure error={error} />}
      {error === undefined && total === 0 && !isLoading && (
        <Empty>{state.filter === "" ? empty : `No ${what} match “${state.filter}”.`}</Empty>
      )}
      {error === undefined && total > 0 && (
        <div class="scroller" ref={scroller} onScroll={onScroll}>
          <table aria-rowcount={total + 1} style={{ minWidth: `${shown.length * 90}px` }}>
            <HeadRow columns={shown} state={state} change={change} hasTicks={tick !== undefined} />
            <Rows columns={shown} rows={rows} total={total} first={range.first} last={range.last} tick={tick} />
          </table>
        </div>
      )}
    </div>
  );
}

interface PagedRows {
  readonly rows: ReadonlyMap<number, Row>;
  readonly total: number;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
  readonly range: { readonly first: number; readonly last: number };
  readonly scroller: { current: HTMLDivElement | null };
  readonly onScroll: () => void;
}

/** The rows in sight, by their place in the whole list. */
function usePagedRows(path: string, state: TableState): PagedRows {
  const scroller = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, last: 60 });
  const base = listPath(path, state);
  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
    setRange({ first: 0, last: 60 });
  }, [base]);
  const onScroll = (): void => {
    const element = scroller.current;
    if (element === null) return;
    const top = Math.floor(element.scrollTop / rowHeight);
    const first = Math.max(0, top - overscan);
    const last = top + Math.ceil(element.clientHeight / rowHeight) + overscan;
    if (Math.abs(first - range.first) >= overscan / 2 || last > range.last) setRange({ first, last });
  };
  const [firstPage, lastPage] = [Math.floor(range.first / pageSize), Math.floor(range.last / pageSize)];
  const total = useRef(0);
  const pages = useMemo(() => {
    const last = Math.max(firstPage, Math.min(lastPage, Math.ceil(total.current / pageSize) - 1));
    return Array.from({ length: last - firstPage + 1 }, (_, index) => firstPage + index);
  }, [firstPage, lastPage, base]);
  const answers = useLiveAll(pages.map((page) => `${base}&page=${page + 1}`));
  const rows = new Map<number, Row>();
  let [error, isLoading]: [ApiError | undefined, boolean] = [undefined, true];
  for (const page of pages) {
    const answer: Live | undefined = answers.get(`${base}&page=${page + 1}`);
    if (answer === undefined || answer.loading) continue;
    isLoading = false;
    error ??= answer.error;
    if (answer.data !== undefined) total.current = totalOf(answer.data);
    for (const [index, row] of rowsOf(answer.data).entries()) rows.set(page * pageSize + index, row);
  }
  useEffect(() => {
    // The list became shorter than where one had scrolled to.
    if (error?.message.startsWith("Page out of range") === true) setRange({ first: 0, last: 60 });
  }, [error]);
  return { rows, total: total.current, error, isLoading, range, scroller, onScroll };
}

/** A list that the API does not page is its own only page. */
function totalOf(data: unknown): number {
  return Array.isArray(data) ? data.length : number(data, "filtered_count");
}

function listPath(path: string, { sort, descending, filter, isRegex }: TableState): string {
  const query = new URLSearchParams({ page_size: String(pageSize) });
  if (sort !== "") query.set("sort", sort);
  if (descending) query.set("sort_reverse", "true");
  if (filter !== "") query.set("name", filter);
  if (isRegex) query.set("use_regex", "true");
  return `${path}${path.includes("?") ? "&" : "?"}${query}`;
}

type Change = (changes: Partial<TableState>) => void;

const typingPauseMs = 200;

function FilterBox(props: { what: string; by: string; state: TableState; change: Change }): JSX.Element {
  const { what, by, state, change } = props;
  // What is being typed is the box's own until a pause: a new answer meanwhile must not take it back.
  const [typed, setTyped] = useState(state.filter);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setTyped(state.filter), [state.filter]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (filter: string): void => {
    setTyped(filter);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => change({ filter }), typingPauseMs);
  };
  return (
    <div class="filter">
      <input
        type="search"
        class="filter-box"
        placeholder={`Filter by ${by}  ( / )`}
        aria-label={`Filter ${what} by ${by}`}
        value={typed}
        maxLength={1000}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <label class="tick small" title="Treat the filter as a regular expression">
        <input
          type="checkbox"
          checked={state.isRegex}
          onChange={(event) => change({ isRegex: event.currentTarget.checked })}
        />
        <span>Regex</span>
      </label>
    </div>
  );
}

function ColumnChooser(props: { columns: readonly Column[]; shown: readonly Column[]; change: Change }): JSX.Element {
  const { columns, shown, change } = props;
  const ids = shown.map(({ id }) => id);
  const toggle = (id: string): void => {
    const wanted = columns
      .map((column) => column.id)
      .filter((one) => (one === id ? !ids.includes(id) : ids.includes(one)));
    if (wanted.length > 0) change({ columns: wanted });
  };
  return (
    <details class="menu">
      <summary>Columns</summary>
      <div class="menu-body">
        {columns.map(({ id, title }) => (
          <label key={id} class="tick">
            <input type="checkbox" checked={ids.includes(id)} onChange={() => toggle(id)} />
            <span>{title}</span>
          </label>
        ))}
        <button type="button" class="chip" onClick={() => change({ columns: undefined })}>
          As at first
        </button>
      </div>
    </details>
  );
}

function HeadRow(props: {
  columns: readonly Column[];
  state: TableState;
  change: Change;
  hasTicks: boolean;
}): JSX.Element {
  const { columns, state, change, hasTicks } = props;
  const sortBy = (sort: string, numeric: boolean): void => {
    // What is biggest is what one looks for in numbers.
    if (state.sort !== sort) change({ sort, descending: numeric });
    else change({ descending: !state.descending });
  };
  return (
    <thead>
      <tr aria-rowindex={1}>
        {hasTicks && (
          <th class="tick-cell">
            <span class="sr-only">Tick</span>
          </th>
        )}
        {columns.map(({ id, title, sort, numeric = false }) => {
          const isSorted = sort !== undefined && state.sort === sort;
          const direction = isSorted ? (state.descending ? "descending" : "ascending") : undefined;
          return (
            <th key={id} scope="col" class={numeric ? "numeric" : ""} aria-sort={direction}>
              {sort === undefined ? (
                title
              ) : (
                <button type="button" class="sort" onClick={() => sortBy(sort, numeric)}>
                  {title}
                  <span aria-hidden="true">{isSorted ? (state.descending ? " ▾" : " ▴") : ""}</span>
                </button>
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

interface Ticks {
  readonly keyOf: (row: Row) => string;
  readonly ticked: ReadonlyMap<string, Row>;
  readonly setTicked: (ticked: ReadonlyMap<string, Row>) => void;
}

function Rows(props: {
  columns: readonly Column[];
  rows: ReadonlyMap<number, Row>;
  total: number;
  first: number;
  last: number;
  tick: Ticks | undefined;
}): JSX.Element {
  const { columns, rows, total, tick } = props;
  const first = Math.min(props.first, Math.max(0, total - 1));
  const last = Math.min(props.last, total - 1);
  const places = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  const width = columns.length + (tick === undefined ? 0 : 1);
  return (
    <tbody>
      <Spacer height={first * rowHeight} width={width} />
      {places.map((place) => {
        const row = rows.get(place);
        return (
          <tr key={place} aria-rowindex={place + 2} style={{ height: `${rowHeight}px` }}>
            {row === undefined ? (
              <td class="dim" colSpan={width}>
                …
              </td>
            ) : (
              <>
                {tick !== undefined && <TickCell row={row} tick={tick} />}
                {columns.map(({ id, cell, numeric = false }) => (
                  <td key={id} class={numeric ? "numeric" : ""}>
                    {cell(row)}
                  </td>
                ))}
              </>
            )}
          </tr>
        );
      })}
      <Spacer height={(total - last - 1) * rowHeight} width={width} />
    </tbody>
  );
}

function TickCell({ row, tick: { keyOf, ticked, setTicked } }: { row: Row; tick: Ticks }): JSX.Element {
  const key = keyOf(row);
  const toggle = (): void => {
    const next = new Map(ticked);
    if (!next.delete(key)) next.set(key, row);
    setTicked(next);
  };
  return (
    <td class="tick-cell">
      <input type="checkbox" aria-label={`Tick ${key}`} checked={ticked.has(key)} onChange={toggle} />
    </td>
  );
}

/** Stands for rows that are out of sight. */
function Spacer({ height, width }: { height: number; width: number }): JSX.Element | null {
  if (height <= 0) return null;
  return (
    <tr class="spacer">
      <td colSpan={width} style={{ height: `${height}px` }} />
    </tr>
  );
}
