import type { ConfigLine } from "./config-file.ts";

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * One setting: the flag and the environment variable are named after it (`dataDir` is `--data-dir` and
 * `TSBROKER_DATA_DIR`), everything else about it is here.
 */
export interface Option<T> {
  /** What the flag takes, as `--help` shows it. */
  readonly takes: string;
  readonly help: string;
  /** What a value has to be: "is not ..." in an error. */
  readonly allowed: string;
  /** Reads a value; undefined when it is not allowed. */
  readonly parse: (text: string) => T | undefined;
  readonly fallback: (env: Env) => T;
  /** The text that is read as this value, where that is not simply the value. */
  write?(value: T): string;
  /** How the documentation names the default when it is not simply the value. */
  readonly fallbackText?: string;
  /** Keys in a configuration file; `$name` stands for any word. */
  readonly keys: readonly string[];
  /** Makes one value of the lines with these keys; without it the last line counts. */
  readonly read?: (lines: readonly ConfigLine[]) => string | undefined;
  /** RabbitMQ's environment variables for the same thing; the broker's own is asked first. */
  readonly otherEnv?: readonly string[];
  /** What one of those says of this setting, where it is not simply the value; undefined when it says nothing. */
  readonly readOther?: (given: string, variable: string) => string | undefined;
  /** Whether `NAME_FILE` in the environment may name a file that holds the value. */
  readonly mayBeInFile?: true;
  /** Never shown. */
  readonly isSecret?: true;
}

/** `dataDir` as `--data-dir`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `dataDir` as `TSBROKER_DATA_DIR`. */
export function envOf(name: string): string {
  return `TSBROKER_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The default as the documentation shows it. */
export function fallbackText(option: Option<unknown>): string {
  return option.fallbackText ?? String(option.fallback({}));
}

/** 1 MiB. */
export const mebibyte = 1024 * 1024;

/** Any text but none. */
export function text(allowed: string) {
  return { allowed, parse: (given: string) => (given === "" ? undefined : given) };
}

/** A whole number in a range. */
export function integer(min: number, max: number) {
  const parse = (given: string) => {
    const value = Number(given);
    return /^\d+$/.test(given) && value >= min && value <= max ? value : undefined;
  };
  return { allowed: `a whole number from ${min} to ${max}`, parse };
}

/** A port, or that there is none. */
export function portOrNone() {
  const { allowed, parse } = integer(0, 65_535);
  return {
    allowed: `${allowed}, or 'none'`,
    parse: (given: string) => (given === "none" ? ("none" as const) : parse(given)),
  };
}

const units: Readonly<Record<string, number>> = { k: 1024, m: mebibyte, g: 1024 * mebibyte };

/** Bytes, with a unit or without; as RabbitMQ does for frames, kB and KiB both count 1024. */
export function bytes(min: number, max: number) {
  const { parse } = integer(min, max);
  const withUnit = (given: string) => {
    const { number, unit } = /^(?<number>\d+)\s*(?<unit>[kmg])(?:i?b)?$/i.exec(given)?.groups ?? {};
    return parse(number === undefined ? given : String(Number(number) * (units[unit?.toLowerCase() ?? ""] ?? 1)));
  };
  return {
    allowed: `a size from ${sizeText(min)} to ${sizeText(max)}, in bytes or with a unit such as MiB`,
    parse: withUnit,
  };
}

/** 536870912 as 512 MiB: a limit must be readable. */
function sizeText(size: number): string {
  return size % mebibyte === 0 ? `${size / mebibyte} MiB` : `${size} byte${size === 1 ? "" : "s"}`;
}

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]) {
  return { allowed: `one of ${words.join(", ")}`, parse: (given: string) => words.find((word) => word === given) };
}

/** Yes or no. */
export function flag() {
  const parse = (given: string) => (given === "true" ? true : given === "false" ? false : undefined);
  return { allowed: "true or false", parse };
}

/** Words of some, separated by commas, in their order. */
export function someOf<const T extends string>(...words: readonly T[]) {
  const parse = (given: string): readonly T[] | undefined => {
    const found = given.split(",").map((name) => words.find((word) => word === name.trim()));
    const known = found.filter((word) => word !== undefined);
    return known.length === found.length ? [...new Set(known)] : undefined;
  };
  return { allowed: `one or more of ${words.join(", ")}, separated by commas`, parse };
}

/** The values of numbered keys as one text, in the order of the file. */
export function joined(separator: string) {
  return (lines: readonly ConfigLine[]): string => lines.map(({ value }) => value).join(separator);
}
