import fc from "fast-check";
import { expect, it } from "vitest";
import { TopicTrie } from "../../src/exchange/topic-trie.ts";

/** The definition, word by word. */
function matches(pattern: readonly string[], key: readonly string[]): boolean {
  const [word, ...rest] = pattern;
  if (word === undefined) return key.length === 0;
  if (word === "#") return matches(rest, key) || (key.length > 0 && matches(pattern, key.slice(1)));
  return key.length > 0 && (word === "*" || word === key[0]) && matches(rest, key.slice(1));
}

const words = (text: string) => (text === "" ? [] : text.split("."));
const word = fc.constantFrom("a", "b", "", "*", "#", "*a", "#a");
const pattern = fc.array(word, { maxLength: 6 }).map((parts) => parts.join("."));
const key = fc.array(word, { maxLength: 7 }).map((parts) => parts.join("."));
const step = fc.record({ add: fc.boolean(), pattern, destination: fc.constantFrom("q1", "q2", "q3") });

it("matches as the definition says, whatever was bound and unbound before", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(key, { minLength: 1, maxLength: 8 }), (steps, keys) => {
      const trie = new TopicTrie<string>();
      const model = new Set<string>();
      for (const { add, pattern, destination } of steps) {
        const entry = `${destination} ${pattern}`;
        if (add) {
          model.add(entry);
          trie.add(pattern, destination);
        } else {
          model.delete(entry);
          trie.remove(pattern, destination);
        }
      }
      for (const key of keys) {
        const expected = [...model]
          .map((entry) => ({ destination: entry.slice(0, 2), pattern: entry.slice(3) }))
          .filter(({ pattern }) => matches(words(pattern), words(key)))
          .map(({ destination }) => destination);
        const found = new Set<string>();
        trie.match(key, found);
        expect([...found].sort()).toEqual([...new Set(expected)].sort());
      }
    }),
  );
});
