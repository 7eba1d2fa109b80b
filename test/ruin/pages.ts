import { readFileSync } from "node:fs";
import Sqlite from "better-sqlite3";

/** The size of a page of the data file. */
export const pageBytes = 16 * 1024;

/** A page of the data file, numbered from 1, and what it is for. */
export interface Page {
  readonly number: number;
  readonly kind: string;
}

/** All pages of a data file that nobody has open, in their order. */
export function pagesOf(file: string): Page[] {
  const kinds = new Map<number, string>();
  const db = new Sqlite(file, { readonly: true });
  for (const row of db.prepare("SELECT pageno, name, pagetype, path FROM dbstat").raw().all()) {
    const [number, name, type]: unknown[] = Array.isArray(row) ? row : [];
    kinds.set(Number(number), `${String(name)} ${String(type)}`);
  }
  const lastMessage: unknown = db
    .prepare(
      "SELECT max(pageno) FROM dbstat WHERE name = 'message' AND path = (SELECT max(path) FROM dbstat WHERE name = 'message' AND pagetype = 'leaf')",
    )
    .pluck()
    .get();
  kinds.set(Number(lastMessage), "message last leaf");
  db.close();
  kinds.set(1, "first page");
  const bytes = readFileSync(file);
  for (let map = 2; map <= bytes.length / pageBytes; map += pageBytes / 5 + 1)
    kinds.set(Math.floor(map), "pointer map");
  for (let trunk = bytes.readUInt32BE(32); trunk > 0; trunk = bytes.readUInt32BE((trunk - 1) * pageBytes)) {
    kinds.set(trunk, "free list trunk");
  }
  return Array.from({ length: bytes.length / pageBytes }, (_, i) => ({
    number: i + 1,
    kind: kinds.get(i + 1) ?? "free page",
  }));
}
