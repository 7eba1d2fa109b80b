import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson, writeJson } from "../../src/exact-json.ts";

describe("exact JSON", () => {
  it("keeps every digit of a 64-bit integer, both ways", () => {
    const text = '{"a":[9223372036854775807,-9223372036854775808],"b":9007199254740993}';
    expect(parseJson(text)).toEqual({ a: [9223372036854775807n, -9223372036854775808n], b: 9007199254740993n });
    expect(writeJson(parseJson(text))).toBe(text);
  });

  it("makes numbers of what numbers can hold", () => {
    expect(parseJson("[9007199254740991,1234567890123456]")).toEqual([9007199254740991, 1234567890123456]);
  });

  it("leaves digits alone that are part of a text, a fraction or an exponent", () => {
    const text = String.raw`{"1234567890123456789":"\"9223372036854775807","f":0.12345678901234567,"e":12345678901234567e1}`;
    expect(parseJson(text)).toEqual(JSON.parse(text));
    expect(parseJson(" 1.5E-12345678901234567 ")).toBe(0);
  });

  it.each([
    "{1234567890123456789:1}",
    "[01234567890123456789]",
    "[1234567890123456789 2]",
    "",
    "[--12345678901234567]",
  ])("refuses %j as JSON.parse does", (text) => expect(() => parseJson(text)).toThrow(SyntaxError));

  it("refuses what no JSON can hold", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => writeJson(cycle)).toThrow(TypeError);
  });

  it("reads whatever it wrote", () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).filter((n) => !Number.isSafeInteger(Number(n))),
        fc.integer(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value")),
        fc.dictionary(fc.string(), tie("value"), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (each) => {
        expect(parseJson(writeJson(each))).toStrictEqual(each);
      }),
    );
  });
});
