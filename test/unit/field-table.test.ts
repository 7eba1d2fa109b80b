import { describe, expect, it } from "vitest";
import {
  decodeTable,
  emptyTable,
  encodeEntry,
  encodeTable,
  type FieldTable,
  type FieldValue,
  MalformedTableError,
  nestingMax,
  sameTable,
  sameValue,
  tableFromJson,
  tableToJson,
} from "../../src/field-table.ts";

function decode(bytes: Buffer): FieldTable {
  return decodeTable(bytes, 0, bytes.length);
}

/** A table with one entry, "a", whose value is these bytes, its tag first. */
function decodeValue(...value: readonly (number | string)[]): FieldValue | undefined {
  const bytes = Buffer.concat(value.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))));
  const table = Buffer.concat([Buffer.of(0, 0, 0, 2 + bytes.length, 1), Buffer.from("a"), bytes]);
  return decode(table).get("a");
}

function nested(depth: number, kind: "array" | "table"): FieldTable {
  let value: FieldValue = { type: "void" };
  for (let i = 0; i < depth; i++) {
    value = kind === "array" ? { type: "array", value: [value] } : { type: "table", value: new Map([["a", value]]) };
  }
  return new Map([["a", value]]);
}

describe("a field table", () => {
  it.each<[string, readonly (number | string)[], FieldValue]>([
    ["S", ["S", 0, 0, 0, 2, "hi"], { type: "longstr", value: "hi" }],
    ["S that is not UTF-8", ["S", 0, 0, 0, 1, 0xff], { type: "longstr", value: Buffer.of(0xff) }],
    ["x", ["x", 0, 0, 0, 2, 0, 1], { type: "binary", value: Buffer.of(0, 1) }],
    ["t", ["t", 2], { type: "bool", value: true }],
    ["b", ["b", 0xff], { type: "byte", value: -1 }],
    ["B", ["B", 0xff], { type: "unsignedbyte", value: 255 }],
    ["s", ["s", 0xff, 0xfe], { type: "short", value: -2 }],
    ["u", ["u", 0xff, 0xfe], { type: "unsignedshort", value: 65_534 }],
    ["I", ["I", 0xff, 0xff, 0xff, 0xfd], { type: "signedint", value: -3 }],
    ["i", ["i", 0xff, 0xff, 0xff, 0xfd], { type: "unsignedint", value: 4_294_967_293 }],
    ["l", ["l", 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc], { type: "long", value: -4 }],
    ["L, which is signed too", ["L", 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc], { type: "long", value: -4 }],
    ["l beyond 2^53", ["l", 0x40, 0, 0, 0, 0, 0, 0, 1], { type: "long", value: 2n ** 62n + 1n }],
    ["T", ["T", 0, 0, 0, 0, 0x65, 0, 0, 0], { type: "timestamp", value: 0x6500_0000 }],
    ["f", ["f", 0x3f, 0, 0, 0], { type: "float", value: 0.5 }],
    ["d", ["d", 0x3f, 0xe0, 0, 0, 0, 0, 0, 0], { type: "double", value: 0.5 }],
    ["D", ["D", 2, 0, 0, 1, 58], { type: "decimal", scale: 2, value: 314 }],
    ["V", ["V"], { type: "void" }],
    ["A", ["A", 0, 0, 0, 2, "V", "V"], { type: "array", value: [{ type: "void" }, { type: "void" }] }],
    ["F", ["F", 0, 0, 0, 3, 1, "k", "V"], { type: "table", value: new Map([["k", { type: "void" }]]) }],
  ])("reads %s", (_name, bytes, value) => {
    expect(decodeValue(...bytes)).toEqual(value);
  });

  it("keeps the order of its fields; the last of several with one name counts", () => {
    const entries = [encodeEntry("b", { type: "void" }), encodeEntry("a", { type: "void" })];
    const again = encodeEntry("b", { type: "bool", value: true });
    const bytes = Buffer.concat([Buffer.of(0, 0, 0, 10), ...entries, again]);
    expect([...decode(bytes)]).toEqual([
      ["b", { type: "bool", value: true }],
      ["a", { type: "void" }],
    ]);
  });

  it("stands anywhere in a buffer and reads nothing behind its limit", () => {
    const table: FieldTable = new Map([["a", { type: "longstr", value: "b" }]]);
    const bytes = Buffer.concat([Buffer.from("xx"), encodeTable(table), Buffer.from("yy")]);
    expect(decodeTable(bytes, 2, bytes.length)).toEqual(table);
    expect(() => decodeTable(bytes, 2, bytes.length - 3)).toThrow(MalformedTableError);
  });

  it.each([
    ["an unknown type", ["Z", 0]],
    ["a string longer than the table", ["S", 0, 0, 0, 9, "short"]],
    ["a number cut off", ["I", 0, 0]],
    ["an array that ends inside a value", ["A", 0, 0, 0, 2, "t", 1, "I"]],
    ["a table that ends inside a value", ["F", 0, 0, 0, 4, 1, "k", "I", 0, 0, 0, 0]],
  ])("with %s is malformed", (_name, bytes) => {
    expect(() => decodeValue(...bytes)).toThrow(MalformedTableError);
  });

  it.each(["array", "table"] as const)("may be nested %ss 64 deep and no deeper", (kind) => {
    const deepest = nested(nestingMax, kind);
    expect(decode(encodeTable(deepest))).toEqual(deepest);
    expect(() => decode(encodeTable(nested(nestingMax + 1, kind)))).toThrow(MalformedTableError);
  });

  it("may have names of 255 bytes and no longer", () => {
    const table: FieldTable = new Map([["é".repeat(127), { type: "void" }]]);
    expect(decode(encodeTable(table))).toEqual(table);
    expect(() => encodeTable(new Map([["é".repeat(128), { type: "void" }]]))).toThrow(RangeError);
  });

  it("reads a name that is not UTF-8 as one that can be written again", () => {
    const name = Buffer.alloc(255, 0xe9);
    const bytes = Buffer.concat([Buffer.of(0, 0, 1, 1, 255), name, Buffer.from("V")]);
    const table = decode(bytes);
    expect([...table.keys()]).toEqual(["?".repeat(255)]);
    expect(decode(encodeTable(table))).toEqual(table);
  });
});

describe("a table as JSON", () => {
  it("keeps numbers that JSON has no word for", () => {
    const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324];
    const table: FieldTable = new Map(numbers.map((value, i) => [`${i}`, { type: "double", value }]));
    expect(tableFromJson(tableToJson(table))).toEqual(table);
  });

  it("keeps names that look like what it writes", () => {
    const names = ["$bigint", "type", "value", "data", "__proto__", "constructor", ""];
    const inner: FieldTable = new Map(names.map((name) => [name, { type: "longstr", value: "Buffer" }]));
    const table: FieldTable = new Map([["type", { type: "table", value: inner }]]);
    expect(tableFromJson(tableToJson(table))).toEqual(table);
  });

  it("gives the one empty table", () => {
    expect(tableFromJson(tableToJson(new Map()))).toBe(emptyTable);
  });
});

describe("values", () => {
  const long = (value: number | bigint): FieldValue => ({ type: "long", value });

  it.each<[FieldValue, FieldValue]>([
    [long(5), { type: "byte", value: 5 }],
    [long(2n ** 62n), { type: "timestamp", value: 2n ** 62n }],
    [
      { type: "float", value: 0.5 },
      { type: "double", value: 0.5 },
    ],
    [
      { type: "double", value: Number.NaN },
      { type: "double", value: Number.NaN },
    ],
    [
      { type: "longstr", value: "a" },
      { type: "binary", value: Buffer.from("a") },
    ],
    [
      { type: "array", value: [long(1)] },
      { type: "array", value: [{ type: "short", value: 1 }] },
    ],
  ])("%o is the same as %o", (a, b) => {
    expect([sameValue(a, b), sameValue(b, a)]).toEqual([true, true]);
  });

  it.each<[FieldValue, FieldValue]>([
    [long(5), long(6)],
    [long(2n ** 62n), long(2n ** 62n + 1n)],
    [long(1), { type: "bool", value: true }],
    [long(0), { type: "void" }],
    [long(1), { type: "longstr", value: "1" }],
    [long(1), { type: "decimal", scale: 0, value: 1 }],
    [
      { type: "decimal", scale: 1, value: 1 },
      { type: "decimal", scale: 2, value: 1 },
    ],
    [
      { type: "array", value: [] },
      { type: "array", value: [{ type: "void" }] },
    ],
    [
      { type: "array", value: [] },
      { type: "table", value: emptyTable },
    ],
  ])("%o is not the same as %o", (a, b) => {
    expect([sameValue(a, b), sameValue(b, a)]).toEqual([false, false]);
  });
});

describe("tables", () => {
  const one: FieldTable = new Map([
    ["a", { type: "long", value: 1 }],
    ["b", { type: "void" }],
  ]);

  it("are the same in any order", () => {
    expect(sameTable(one, new Map([...one].toReversed()))).toBe(true);
  });

  it("differ by a name, a value or one more field", () => {
    const others: FieldTable[] = [
      new Map([...one, ["c", { type: "void" }]]),
      new Map<string, FieldValue>([...one].slice(0, 1)).set("c", { type: "void" }),
      new Map(one).set("a", { type: "long", value: 2 }),
    ];
    for (const other of others) expect([sameTable(one, other), sameTable(other, one)]).toEqual([false, false]);
  });
});
