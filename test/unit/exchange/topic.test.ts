import { describe, expect, it } from "vitest";
import { TopicTrie } from "../../../src/exchange/topic-trie.ts";
import { emptyTable } from "../../../src/field-table.ts";
import { exchangeContract, exchangeOf, queueNamed, routed } from "../../contract/exchange.ts";

exchangeContract("topic");

const keys = ["", ".", "..", "a", "a.", ".a", "a.b", "a..b"];

/** What RabbitMQ 3.10 answers for each pattern and each of the keys. */
const matchedKeys: Record<string, readonly string[]> = {
  "": [""],
  "*": ["a"],
  "#": keys,
  "#.#": keys,
  "*.#": keys.slice(1),
  "#.*": keys.slice(1),
  ".": ["."],
  "*.*": [".", "a.", ".a", "a.b"],
  "a.#": ["a", "a.", "a.b", "a..b"],
  "a.*": ["a.", "a.b"],
  "#.a": ["a", ".a"],
  "a..b": ["a..b"],
  "a.*.b": ["a..b"],
  "#.": [".", "..", "a."],
  ".#": [".", "..", ".a"],
  "a.": ["a."],
};

describe("a topic pattern", () => {
  it.each(Object.entries(matchedKeys))("'%s' matches what RabbitMQ matches", (pattern, expected) => {
    const exchange = exchangeOf("topic");
    exchange.bind(queueNamed("q"), pattern, emptyTable);
    expect(keys.filter((key) => routed(exchange, key).length > 0)).toEqual(expected);
  });

  it("takes '*' and '#' inside a word, or in a key, as they stand", () => {
    const exchange = exchangeOf("topic");
    exchange.bind(queueNamed("q"), "a*.b#", emptyTable);
    exchange.bind(queueNamed("star"), "*.b", emptyTable);
    expect(routed(exchange, "a*.b#")).toEqual(["q"]);
    expect(routed(exchange, "#.b")).toEqual(["star"]);
    expect(routed(exchange, "ax.bx")).toEqual([]);
  });
});

it("routes by the bindings of the moment, though it remembers where keys led", () => {
  const exchange = exchangeOf("topic");
  const q = queueNamed("q");
  expect(routed(exchange, "a.b")).toEqual([]);
  exchange.bind(q, "a.*", emptyTable);
  expect(routed(exchange, "a.b")).toEqual(["q"]);
  exchange.bind(queueNamed("late"), "#", emptyTable);
  expect(routed(exchange, "a.b").sort()).toEqual(["late", "q"]);
  exchange.unbind(q, "a.*", emptyTable);
  expect(routed(exchange, "a.b")).toEqual(["late"]);
});

it("gives back what a pattern took when the pattern goes", () => {
  const trie = new TopicTrie<string>();
  const patterns = ["", "a.b.c", "a.*.#", "a.b", "#.#.x", "*"];
  for (const pattern of patterns) trie.add(pattern, "q");
  trie.add("a.b", "other");
  expect(trie.placeCount).toBe(8);
  for (const pattern of patterns) trie.remove(pattern, "q");
  expect([matched(trie, "a.b"), trie.placeCount]).toEqual([["other"], 2]);
  trie.remove("a.b", "other");
  trie.remove("never.there", "q");
  expect(trie.placeCount).toBe(0);
});

it("matches keys of 255 bytes against patterns full of '#' in a bounded number of steps", () => {
  const trie = new TopicTrie<string>();
  const key = `${"a.".repeat(127)}a`;
  const hashes = `${"#.a.".repeat(63)}#`;
  trie.add(hashes, "hit");
  trie.add(`${hashes}.b`, "miss");
  for (let i = 0; i < 100; i++) trie.add(`${"#.a.".repeat(i % 60)}*.${i}.#`, "miss");
  // One path at a time would take more than 10^30 steps.
  expect(matched(trie, key)).toEqual(["hit"]);
});

function matched(trie: TopicTrie<string>, key: string): string[] {
  const found = new Set<string>();
  trie.match(key, found);
  return [...found].sort();
}
