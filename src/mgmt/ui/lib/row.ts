/** An object of the API as it came: its fields are read by what they are expected to be. */
export type Row = Readonly<Record<string, unknown>>;

export function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object; an empty one when it is none. */
export function rowOf(value: unknown): Row {
  return isRow(value) ? value : {};
}

/** The objects of a list, or of the page of one. */
export function rowsOf(value: unknown): readonly Row[] {
  if (Array.isArray(value)) return value.filter(isRow);
  return isRow(value) && Array.isArray(value["items"]) ? value["items"].filter(isRow) : [];
}

/** What is at a path of names with dots between. */
export function at(row: unknown, path: string): unknown {
  let value: unknown = row;
  for (const name of path.split(".")) value = isRow(value) ? value[name] : undefined;
  return value;
}

/** The text at a path; a number is one too. */
export function text(row: unknown, path: string): string {
  const value = at(row, path);
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** The number at a path, 0 when there is none. */
export function number(row: unknown, path: string): number {
  const value = at(row, path);
  return typeof value === "number" ? value : 0;
}

export function flag(row: unknown, path: string): boolean {
  return at(row, path) === true;
}

/** A list of texts, also one that is written with commas between. */
export function texts(row: unknown, path: string): readonly string[] {
  const value = at(row, path);
  if (typeof value === "string") return value === "" ? [] : value.split(",");
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
