import { RE2JS } from "re2js";
import { patternTokens } from "./pattern-size.ts";

/** Lookaheads that a pattern may begin with. */
const lookaheadsMax = 10;

/** A regular expression as several without lookaheads: the text must have `rest` and all of `wanted`, and none of `unwanted`. */
export interface PatternParts {
  readonly rest: string;
  readonly wanted: readonly string[];
  readonly unwanted: readonly string[];
}

/**
 * Takes apart the patterns with lookaheads that people have for RabbitMQ: `^(?!amq\.).*`, with lookaheads right behind the
 * beginning, and `^((?!amq).)*$`, with a text that is nowhere. Every other pattern stays whole.
 */
export function partsOf(pattern: string): PatternParts {
  const [, flags = "", behind] = /^((?:\(\?[is]+\))?)\^(.*)$/s.exec(pattern) ?? [];
  const parts = behind === undefined ? undefined : (lookingAhead(behind) ?? withoutText(behind));
  if (parts === undefined) return { rest: pattern, wanted: [], unwanted: [] };
  const withFlags = (part: string) => flags + part;
  return {
    rest: withFlags(parts.rest),
    wanted: parts.wanted.map(withFlags),
    unwanted: parts.unwanted.map(withFlags),
  };
}

/** Lookaheads at the beginning look at the beginning, so each is a pattern of its own there. */
function lookingAhead(text: string): PatternParts | undefined {
  const [wanted, unwanted]: [string[], string[]] = [[], []];
  let rest = text;
  while (/^\(\?[!=]/.test(rest)) {
    const end = closing(rest);
    if (end === undefined || wanted.length + unwanted.length === lookaheadsMax) return undefined;
    (rest[2] === "!" ? unwanted : wanted).push(`^(?:${rest.slice(3, end)})`);
    rest = rest.slice(end + 1);
  }
  // A repetition would be of the last lookahead, and an alternative would be one to all of them.
  if (rest.length === text.length || /^[*+?{]/.test(rest) || hasAlternatives(rest)) return undefined;
  return { rest: `^${rest}`, wanted, unwanted };
}

/** `((?!x).)*$`: what goes on to the end of the text, and x begins nowhere in it. */
function withoutText(text: string): PatternParts | undefined {
  const [opening] = /^\((\?:)?(?=\(\?!)/.exec(text) ?? [];
  if (opening === undefined) return undefined;
  const lookahead = text.slice(opening.length);
  const end = closing(lookahead);
  if (end === undefined || lookahead.slice(end + 1) !== ".)*$") return undefined;
  const unwanted = `(?:${lookahead.slice(3, end)})`;
  // What is found in an empty text is found at the end of each, where the lookahead, which a character follows, never looks.
  if (RE2JS.compile(unwanted).test("")) return undefined;
  return { rest: "^.*$", wanted: [], unwanted: [unwanted] };
}

/** Where the group ends that the text begins with. */
function closing(text: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of patternTokens(text)) {
    if (token === "(") depth++;
    else if (token === ")" && --depth === 0) return index;
  }
  return undefined;
}

/** Whether the text has alternatives that are in no group. */
function hasAlternatives(text: string): boolean {
  let depth = 0;
  for (const [token] of patternTokens(text)) {
    if (token === "(") depth++;
    else if (token === ")") depth--;
    else if (token === "|" && depth === 0) return true;
  }
  return false;
}
