import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FieldTable, type FieldValue, sameTable } from "../../../src/field-table.ts";
import { canonicalArguments, definitionFromRow } from "../../../src/store/definition-rows.ts";

const few = fc.integer({ min: 0, max: 2 });
const text = fc.constantFrom("", "a", "1", "é");

/** Few different values in many types, so that the same ones meet often. */
const { table } = fc.letrec<{ value: FieldValue; table: FieldTable }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant<FieldValue>({ type: "void" }),
    fc.record({
      type: fc.constant("longstr" as const),
      value: fc.oneof(
        text,
        text.map((value) => Buffer.from(value)),
      ),
    }),
    fc.record({ type: fc.constant("binary" as const), value: fc.constantFrom(Buffer.from("a"), Buffer.of(0xff)) }),
    fc.record({ type: fc.constant("bool" as const), value: fc.boolean() }),
    fc.record({ type: fc.constantFrom("byte" as const, "long" as const, "timestamp" as const), value: few }),
    fc.record({ type: fc.constant("long" as const), value: few.map(BigInt) }),
    fc.record({ type: fc.constant("double" as const), value: fc.constantFrom(0, -0, 1, 0.5) }),
    fc.record({ type: fc.constant("decimal" as const), scale: few, value: few }),
    fc.record({ type: fc.constant("array" as const), value: fc.array(tie("value"), { maxLength: 2 }) }),
    fc.record({ type: fc.constant("table" as const), value: tie("table") }),
  ),
  table: fc
    .array(fc.tuple(fc.constantFrom("a", "b"), tie("value")), { maxLength: 2 })
    .map((entries): FieldTable => new Map(entries)),
}));

describe("The canonical text of arguments", () => {
  it("is the same exactly for tables that hold the same", () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        expect(canonicalArguments(a) === canonicalArguments(b)).toBe(sameTable(a, b));
      }),
    );
  });

  it("does not depend on the order of the names", () => {
    const a: [string, FieldValue] = ["a", { type: "bool", value: true }];
    const b: [string, FieldValue] = ["b", { type: "void" }];
    expect(canonicalArguments(new Map([a, b]))).toBe(canonicalArguments(new Map([b, a])));
  });
});

describe("A row that is no definition", () => {
  it.each([
    ["vhost", ["/", "", "[1]", null]],
    ["vhost", ["/", "", "{}", null]],
    ["vhost", ["/", "", "[]", 5]],
    ["user", ["guest", null, "", "[]"]],
    ["queue", ["/", "orders", 1.5, 0, "[]"]],
    ["binding", ["/", "events", "socket", "orders", "", "[]", "[]"]],
  ] as const)("is refused: %s %j", (kind, values) => {
    expect(() => definitionFromRow(kind, values)).toThrow(
      `the data file is damaged: it holds the ${kind} ${JSON.stringify(values)}`,
    );
  });
});
