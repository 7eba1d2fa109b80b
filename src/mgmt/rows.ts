/** A thing as the API shows it: RabbitMQ's names, values of JSON. */
export type Row = Readonly<Record<string, unknown>>;

/** The value at a dotted path; undefined when something on it is missing. */
export function valueAt(row: unknown, path: readonly string[]): unknown {
  let value: unknown = row;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

/** The row with only what these dotted paths name. */
export function select(row: Row, paths: readonly string[]): Row {
  const picked = new Map<string, unknown>();
  for (const path of paths) {
    const words = path.split(".");
    const value = valueAt(row, words);
    if (value !== undefined) put(picked, words, value);
  }
  return plain(picked);
}

function put(into: Map<string, unknown>, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into.set(name, value);
    return;
  }
  const there = into.get(name);
  const inner = there instanceof Map ? (there as Map<string, unknown>) : new Map<string, unknown>();
  into.set(name, inner);
  put(inner, rest, value);
}

function plain(picked: ReadonlyMap<string, unknown>): Row {
  return Object.fromEntries([...picked].map(([name, value]) => [name, value instanceof Map ? plain(value) : value]));
}

/** An item with what it is sorted by: looked up once an item, not once a comparison. */
export interface Keyed<T> {
  readonly item: T;
  readonly keys: readonly unknown[];
}

/** Makes items ready for {@link sortKeyed}, by dotted paths into their rows, of which the first counts most. */
export function keyed<T>(rowOf: (item: T) => Row, paths: readonly string[]): (item: T) => Keyed<T> {
  const words = paths.map((path) => path.split("."));
  return (item) => {
    const row = rowOf(item);
    return { item, keys: words.map((path) => valueAt(row, path)) };
  };
}

/** Sorts; what is missing comes first, numbers come before texts. */
export function sortKeyed<T>(items: Keyed<T>[]): T[] {
  return items.sort((a, b) => compareKeys(a.keys, b.keys)).map(({ item }) => item);
}

function compareKeys(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : 1;
  const kinds = rank(a) - rank(b);
  if (kinds !== 0) return kinds;
  const [first, second] = [String(a), String(b)];
  return first < second ? -1 : Number(first > second);
}

function rank(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number") return 1;
  return typeof value === "boolean" ? 2 : 3;
}
