/** Which messages are meant: all of a queue, or those that these fit. */
export interface Filter {
  readonly header: string;
  readonly property: string;
  readonly body: string;
}

export const everything: Filter = { header: "", property: "", body: "" };

/** What a filter says, for a query or a body of the API. */
export function filterFields(filter: Filter): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
}
