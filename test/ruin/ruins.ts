import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import type { SeededRandom } from "../support/random.ts";
import { pageBytes } from "./pages.ts";

/** What became of a page: undefined when that makes no difference, and "cut" when the file ends there. */
export type Ruin = (page: RuinedPage, random: SeededRandom) => Buffer | "cut" | undefined;

export interface RuinedPage {
  readonly bytes: Buffer;
  /** The page as it was in an earlier version of the file. */
  readonly earlier: Buffer | undefined;
  /** Some other page. */
  readonly other: Buffer;
}

export const ruins: Readonly<Record<string, Ruin>> = {
  ones: () => Buffer.alloc(pageBytes, 0xff),
  zeros: () => Buffer.alloc(pageBytes),
  half: ({ bytes }) => Buffer.concat([bytes.subarray(0, pageBytes / 2), Buffer.alloc(pageBytes / 2, 0xff)]),
  flip: ({ bytes }, random) => flipped(bytes, random.integer(0, pageBytes - 1), random.integer(0, 7)),
  "flip of head": ({ bytes }, random) => flipped(bytes, random.integer(0, 60), random.integer(0, 7)),
  earlier: ({ earlier }) => earlier,
  other: ({ other }) => other,
  cut: () => "cut",
};

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

/** Writes a page of a file, or cuts the file there. */
export function putPage(file: string, number: number, bytes: Buffer | "cut"): void {
  const open = openSync(file, "r+");
  const at = (number - 1) * pageBytes;
  if (bytes === "cut") ftruncateSync(open, at);
  else writeSync(open, bytes, 0, bytes.length, at);
  closeSync(open);
}

/** A page of a file; undefined beyond its end. */
export function getPage(file: Buffer, number: number): Buffer | undefined {
  const bytes = file.subarray((number - 1) * pageBytes, number * pageBytes);
  return bytes.length === pageBytes ? bytes : undefined;
}

/** All bytes of a file. */
export function readAll(file: string): Buffer {
  return readFileSync(file);
}
