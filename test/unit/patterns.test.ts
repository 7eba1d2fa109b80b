import { describe, expect, it } from "vitest";
import {
  compilePattern,
  InvalidPatternError,
  Patterns,
  patternCacheSizeMax,
  patternSizeMax,
} from "../../src/patterns.ts";

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
    "^(?!amq\\.).*",
    "^(?!amq\\.|tmp\\.)[a-z]+",
    "^(?!(amq|tmp)\\.).+$",
    "^(?!.*\\.dlq$).*$",
    "^(?=.*orders)(?!.*\\.(dlq|retry)$)",
    "^(?!$)",
    "^(?!a[)]b)\\(?",
    "(?i)^(?!AMQ\\.)",
    "^((?!amq).)*$",
    "^(?:(?!\\.dlq).)*$",
    "(?i)^((?!^AMQ).)*$",
  ])("'%s' means what it does to engines that know lookaheads", (pattern) => {
    const names = [
      "",
      "amq.gen",
      "a",
      "ab",
      "abc",
      "c",
      "xamq.y",
      "tmp.1",
      "orders",
      "orders.dlq",
      "my.orders.retry",
      "AMQ.x",
      "a)b",
      "é",
    ];
    const [, flags = "", source = ""] = /^(?:\(\?(i)\))?(.*)$/.exec(pattern) ?? [];
    const theirs = new RegExp(source, `${flags}u`);

    for (const name of names) expect([name, compilePattern(pattern).test(name)]).toEqual([name, theirs.test(name)]);
  });

  it.each([
    ["(", "missing closing )"],
    ["^(?!a)b|c", "invalid or unsupported Perl syntax"],
    ["^(?!a)*b", "invalid or unsupported Perl syntax"],
    ["^(?!a(?!b))", "invalid or unsupported Perl syntax"],
    ["^(?!a", "invalid or unsupported Perl syntax"],
    [`^${"(?!a)".repeat(11)}`, "invalid or unsupported Perl syntax"],
    ["^((?!a*).)*$", "invalid or unsupported Perl syntax"],
    ["(?!a)b", "invalid or unsupported Perl syntax"],
    ["b(?<!a)", "invalid named capture"],
    ["a(?=b)", "invalid or unsupported Perl syntax"],
    ["(a)\\1", "invalid escape sequence"],
  ])("'%s' is refused with the reason", (pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(InvalidPatternError);
    expect(() => compilePattern(pattern)).toThrow(`invalid regular expression '${pattern}': ${reason}`);
  });

  const most = patternSizeMax;
  it.each([
    ["of many characters", "a".repeat(most), "a".repeat(most + 1)],
    ["quoted", `\\Q${"(".repeat(most - 4)}\\E`, `\\Q${"(".repeat(most)}\\E`],
    ["of classes", "[^]a[:alpha:]\\]x]".repeat(most), "[^]a[:alpha:]\\]x]".repeat(most + 1)],
    ["of characters with names", "\\p{Lu}".repeat(most), "\\p{Lu}".repeat(most + 1)],
    ["of repetitions", "a{1,1000}".repeat(most / 1000), "a{1,1000}".repeat(most / 1000 + 1)],
    ["of repeated groups", "(abcdefghi){1000}", "(abcdefghij){1000}"],
    ["of groups that are repeated again", "((a{10}b){10}.){8}", "((abcdefghi{100}){10}){10}"],
    ["of nothing but groups", undefined, "(".repeat(1_000_000)],
  ])("%s is taken up to a size, and refused beyond it before it is compiled", (_, taken, refused) => {
    if (taken !== undefined) expect(() => compilePattern(taken)).not.toThrow();
    expect(() => compilePattern(refused)).toThrow(`': it has more than ${patternSizeMax} terms`);
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
