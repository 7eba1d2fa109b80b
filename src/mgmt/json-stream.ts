import { writeJson } from "../exact-json.ts";
import { LazyList } from "../lazy-list.ts";
import { Slices } from "./slices.ts";

/** Characters that are gathered before they are passed on. */
const chunkSize = 64 * 1024;

/** True for a value that is better written in pieces: a lazy list, or an object with one in it. */
export function hasLazyList(value: unknown): value is object {
  if (value instanceof LazyList) return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).some((field) => field instanceof LazyList);
}

/** The JSON of such a value in pieces; between them the loop has its turns. */
export async function* jsonChunks(value: object): AsyncIterable<string> {
  const slices = new Slices();
  let chunk = "";
  for (const piece of pieces(value)) {
    chunk += piece;
    if (chunk.length >= chunkSize) {
      yield chunk;
      chunk = "";
    }
    if (slices.isOver) await slices.next();
  }
  yield chunk;
}

function* pieces(value: object): Iterable<string> {
  if (value instanceof LazyList) {
    yield* listPieces(value);
    return;
  }
  let before = "{";
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    if (field instanceof LazyList) yield* listPieces(field);
    else yield writeJson(field);
    before = ",";
  }
  yield before === "{" ? "{}" : "}";
}

function* listPieces(list: Iterable<unknown>): Iterable<string> {
  let before = "[";
  for (const member of list) {
    yield before + writeJson(member);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}
