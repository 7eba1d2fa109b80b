import { randomBytes } from "node:crypto";

/**
 * JSON whose whole numbers keep all their digits: those that a number cannot hold are bigints on this side. Both ways go
 * through the engine's own JSON; texts that begin with a mark nobody can guess stand for such numbers in between.
 */

const mark = randomBytes(16).toString("hex");

/** Strings, to be passed over, and whole numbers of 16 digits and more. */
const stringOrLongInteger = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE])/g;
const longDigits = /\d{16}/;
const markedNumber = new RegExp(`"${mark}(-?\\d+)"`, "g");

/** Reads JSON. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!longDigits.test(text)) return value;
  const marked = text.replace(stringOrLongInteger, (found) => (found.startsWith('"') ? found : `"${mark}${found}"`));
  return JSON.parse(marked, (_key, item: unknown) => {
    if (typeof item !== "string" || !item.startsWith(mark)) return item;
    const number = Number(item.slice(mark.length));
    return Number.isSafeInteger(number) ? number : BigInt(item.slice(mark.length));
  });
}

/** Writes JSON of a value that may have bigints in it. */
export function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // What the engine says to a bigint; a cycle is a TypeError too, and comes again.
    if (!(error instanceof TypeError)) throw error;
    return withBigints(value);
  }
}

function withBigints(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${mark}${item}` : item));
  return text.replace(markedNumber, "$1");
}
