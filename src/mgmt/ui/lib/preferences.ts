/** What this browser remembers of how someone likes the pages; never who they are. */
const prefix = "tsbroker.";

export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(prefix + name) ?? undefined;
  } catch {
    // A browser may forbid storage: then nothing is remembered.
    return undefined;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(prefix + name, value);
  } catch {
    // As above.
  }
}
