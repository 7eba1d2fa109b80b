import { RE2JS, RE2JSException } from "re2js";
import { type PatternParts, partsOf } from "./lookaheads.ts";
import { patternSize } from "./pattern-size.ts";

/** Patterns and answers that are remembered, all together. */
export const patternCacheSizeMax = 20_000;

/** Terms that a pattern may have, with all repetitions written out. */
export const patternSizeMax = 10_000;

/** How much of a pattern that is refused is said again. */
const quotedSizeMax = 1000;

/** A regular expression that cannot be used; the message says why. */
export class InvalidPatternError extends Error {
  override readonly name = "InvalidPatternError";
}

/** A regular expression, ready to be looked for. */
interface Matcher {
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean;
}

interface Pattern {
  readonly regex: Matcher;
  readonly answers: Map<string, boolean>;
}

/**
 * Regular expressions that users give, matched in time linear in the name: RE2's syntax, without backreferences, and of
 * look-around only what {@link partsOf} takes apart. As in RabbitMQ a pattern is found anywhere in the name, and the empty one matches the empty name only.
 */
export class Patterns {
  #patterns = new Map<string, Pattern>();
  #size = 0;

  /** True when the pattern is found in the name. Throws {@link InvalidPatternError}. */
  matches(pattern: string, name: string): boolean {
    if (pattern === ".*") return true;
    if (pattern === "") return name === "";
    const known = this.#patterns.get(pattern) ?? this.#add(pattern);
    return known.answers.get(name) ?? this.#ask(pattern, known, name);
  }

  /** Patterns and answers held. */
  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#patterns = new Map();
    this.#size = 0;
  }

  #add(pattern: string): Pattern {
    const added: Pattern = { regex: compilePattern(pattern), answers: new Map() };
    this.#makeRoom();
    this.#patterns.set(pattern, added);
    return added;
  }

  #ask(pattern: string, known: Pattern, name: string): boolean {
    const answer = known.regex.test(name);
    this.#makeRoom();
    // Making room may have dropped the pattern with the rest.
    if (this.#patterns.get(pattern) === known) known.answers.set(name, answer);
    return answer;
  }

  #makeRoom(): void {
    if (this.#size >= patternCacheSizeMax) this.clear();
    this.#size++;
  }
}

/** Compiles a user's regular expression. Throws {@link InvalidPatternError}. */
export function compilePattern(pattern: string): Matcher {
  if (patternSize(pattern, patternSizeMax) > patternSizeMax) {
    const start = pattern.slice(0, quotedSizeMax);
    throw new InvalidPatternError(`invalid regular expression '${start}': it has more than ${patternSizeMax} terms`);
  }
  try {
    return matcherOf(partsOf(pattern));
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    const reason = cause.message.replace(/^error parsing regexp: /, "");
    throw new InvalidPatternError(`invalid regular expression '${pattern}': ${reason}`, { cause });
  }
}

function matcherOf({ rest, wanted, unwanted }: PatternParts): Matcher {
  const main = RE2JS.compile(rest);
  if (wanted.length + unwanted.length === 0) return main;
  const present = wanted.map((part) => RE2JS.compile(part));
  const absent = unwanted.map((part) => RE2JS.compile(part));
  return {
    test: (text) =>
      present.every((regex) => regex.test(text)) && !absent.some((regex) => regex.test(text)) && main.test(text),
  };
}

/** The text as a regular expression that matches just it. */
export function quotePattern(text: string): string {
  return RE2JS.quote(text);
}
