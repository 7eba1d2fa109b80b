import { describe, expect, it } from "vitest";
import { compilePattern, InvalidPatternError, Patterns, patternCacheSizeMax } from "../../src/patterns.ts";

describe("a pattern", () => {
  it.each([
    [".*", "anything", true],
    ["", "", true],
    ["", "a", false],
    ["b", "abc", true],
    ["^b", "abc", false],
    ["^(orders|users)\\.", "orders.new", true],
    ["^(orders|users)\\.", "all.orders.new", false],
    ["(?i)^A$", "a", true],
  ])("'%s' on '%s' is %s, as in RabbitMQ", (pattern, name, expected) => {
    const patterns = new Patterns();
    expect([patterns.matches(pattern, name), patterns.matches(pattern, name)]).toEqual([expected, expected]);
  });

  it.each([
    ["(", "missing closing )"],
    ["a(?=b)", "invalid or unsupported Perl syntax"],
    ["(a)\\1", "invalid escape sequence"],
  ])("'%s' is refused with the reason", (pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(InvalidPatternError);
    expect(() => compilePattern(pattern)).toThrow(`invalid regular expression '${pattern}': ${reason}`);
  });

  it("takes time in proportion to the name, however it is written", () => {
    // Tried one way after another, as most engines do, this would take 2^40 steps.
    expect(new Patterns().matches("^(a|a)*(a|a)*$", `${"a".repeat(40)}b`)).toBe(false);
  });
});

it("remembers answers in bounded space", () => {
  const patterns = new Patterns();
  let largest = 0;
  for (let i = 0; i < 2 * patternCacheSizeMax; i++) {
    expect(patterns.matches(i % 100 === 0 ? `${i}$` : "7$", `${i}`)).toBe(i % 100 === 0 || i % 10 === 7);
    largest = Math.max(largest, patterns.size);
  }
  expect(largest).toBe(patternCacheSizeMax);
  patterns.clear();
  expect(patterns.size).toBe(0);
});
