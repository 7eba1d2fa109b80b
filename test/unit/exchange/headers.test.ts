import { describe, expect, it } from "vitest";
import { emptyTable, type FieldTable, type FieldValue } from "../../../src/field-table.ts";
import { content, exchangeContract, exchangeOf, queueNamed, routed } from "../../contract/exchange.ts";

exchangeContract("headers");

const one: FieldValue = { type: "signedint", value: 1 };
const no: FieldValue = { type: "void" };

function text(value: string): FieldValue {
  return { type: "longstr", value };
}

function table(fields: Record<string, FieldValue | string>): FieldTable {
  return new Map(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? text(value) : value] as const),
  );
}

/** Whether a message goes through one binding. */
function goes(binding: Record<string, FieldValue | string>, headers: Record<string, FieldValue | string>): boolean {
  const exchange = exchangeOf("headers");
  exchange.bind(queueNamed("q"), "", table(binding));
  return routed(exchange, "any key", table(headers)).length === 1;
}

describe("x-match", () => {
  it("all wants every field, and is the default", () => {
    for (const mode of [{}, { "x-match": "all" }]) {
      expect(goes({ ...mode, a: "1", b: "2" }, { a: "1", b: "2", c: "3" })).toBe(true);
      expect(goes({ ...mode, a: "1", b: "2" }, { a: "1" })).toBe(false);
      expect(goes({ ...mode, a: "1", b: "2" }, { a: "1", b: "other" })).toBe(false);
    }
  });

  it("any wants one field", () => {
    expect(goes({ "x-match": "any", a: "1", b: "2" }, { b: "2" })).toBe(true);
    expect(goes({ "x-match": "any", a: "1", b: "2" }, { a: "2", b: "1" })).toBe(false);
  });

  it("counts fields that start with x- only when it says so", () => {
    expect(goes({ "x-a": "1" }, {})).toBe(true);
    expect(goes({ "x-match": "all-with-x", "x-a": "1" }, {})).toBe(false);
    expect(goes({ "x-match": "all-with-x", "x-a": "1" }, { "x-a": "1" })).toBe(true);
    expect(goes({ "x-match": "any", "x-a": "1", b: "1" }, { "x-a": "1" })).toBe(false);
    expect(goes({ "x-match": "any-with-x", "x-a": "1", b: "1" }, { "x-a": "1" })).toBe(true);
  });

  it("without fields is true of any message for all, of none for any", () => {
    expect(goes({}, {})).toBe(true);
    expect(goes({}, { a: "1" })).toBe(true);
    expect(goes({ "x-match": "any" }, { a: "1" })).toBe(false);
  });
});

describe("a field of a headers binding", () => {
  it("without a value wants the header to be there", () => {
    expect(goes({ a: no }, { a: one })).toBe(true);
    expect(goes({ a: no }, { a: no })).toBe(true);
    expect(goes({ a: no }, { b: one })).toBe(false);
    expect(goes({ a: one }, { a: no })).toBe(false);
  });

  it("compares numbers by value, whatever their type", () => {
    const types = ["byte", "short", "long", "unsignedint", "timestamp", "double", "float"] as const;
    for (const type of types) expect(goes({ a: one }, { a: { type, value: 1 } })).toBe(true);
    expect(goes({ a: { type: "long", value: 2n ** 60n } }, { a: { type: "double", value: 2 ** 60 } })).toBe(true);
    expect(goes({ a: { type: "long", value: 2n ** 60n } }, { a: { type: "long", value: 2n ** 60n + 1n } })).toBe(false);
    expect(goes({ a: one }, { a: { type: "bool", value: true } })).toBe(false);
    expect(goes({ a: one }, { a: "1" })).toBe(false);
  });

  it("compares text and bytes by content", () => {
    expect(goes({ a: "é" }, { a: { type: "binary", value: Buffer.from("é") } })).toBe(true);
    expect(goes({ a: "a" }, { a: "A" })).toBe(false);
    const [ff, fe] = [Buffer.of(0xff), Buffer.of(0xfe)];
    expect(goes({ a: { type: "binary", value: ff } }, { a: { type: "longstr", value: ff } })).toBe(true);
    expect(goes({ a: { type: "binary", value: ff } }, { a: { type: "longstr", value: fe } })).toBe(false);
  });

  it("compares tables, arrays, decimals and booleans", () => {
    const nested: FieldValue = { type: "table", value: table({ b: one }) };
    const list: FieldValue = { type: "array", value: [one, text("a")] };
    const decimal: FieldValue = { type: "decimal", scale: 2, value: 5 };
    const yes: FieldValue = { type: "bool", value: true };
    for (const value of [nested, list, decimal, yes]) {
      expect(goes({ a: value }, { a: value })).toBe(true);
      expect(goes({ a: value }, { a: "other" })).toBe(false);
    }
    expect(goes({ a: decimal }, { a: { type: "decimal", scale: 1, value: 5 } })).toBe(false);
  });
});

describe("binding arguments", () => {
  const value = (given: string) =>
    `PRECONDITION_FAILED - Invalid x-match field value ${given}; expected all, any, all-with-x, or any-with-x`;
  const type = (given: string) => `PRECONDITION_FAILED - Invalid x-match field type ${given}; expected longstr`;

  it.each([
    [text("x"), value('<<"x">>')],
    [text(""), value("<<>>")],
    [text('"\\'), value('<<"\\"\\\\">>')],
    [text("é"), value('<<"é"/utf8>>')],
    [text("\u0001"), value("<<1>>")],
    [text("toString"), value('<<"toString">>')],
    [one, type("signedint (value 1)")],
    [{ type: "bool", value: true }, type("bool (value true)")],
    [no, type("void (value undefined)")],
    [{ type: "double", value: 1.5 }, type("double (value 1.5)")],
    [{ type: "float", value: 2 }, type("float (value 2.0)")],
    [{ type: "double", value: 1e30 }, type("double (value 1.0e30)")],
    [{ type: "decimal", scale: 2, value: 5 }, type("decimal (value {2,5})")],
    [{ type: "binary", value: Buffer.of(255, 1) }, type("binary (value <<255,1>>)")],
    [{ type: "binary", value: Buffer.from("all") }, type('binary (value <<"all">>)')],
    [{ type: "array", value: [one] }, type("array (value [{signedint,1}])")],
    [{ type: "table", value: table({ a: "b" }) }, type('table (value [{<<"a">>,longstr,<<"b">>}])')],
  ] as const)("refuses x-match = %j in RabbitMQ's words", (given: FieldValue, message) => {
    const exchange = exchangeOf("headers");
    expect(() => exchange.bind(queueNamed("q"), "", new Map([["x-match", given]]))).toThrow(
      expect.objectContaining({ message, replyCode: "PRECONDITION_FAILED" }),
    );
    expect([exchange.bindingCount, exchange.everBound]).toEqual([0, false]);
  });
});

it("keeps bindings with other arguments apart, and looks at no headers when there is none", () => {
  const exchange = exchangeOf("headers");
  const q = queueNamed("q");
  exchange.bind(q, "", table({ a: "1" }));
  exchange.bind(q, "", table({ a: "2" }));
  expect(exchange.bindingCount).toBe(2);
  exchange.unbind(q, "", table({ a: "1" }));
  expect(routed(exchange, "", table({ a: "1" }))).toEqual([]);
  expect(routed(exchange, "", table({ a: "2" }))).toEqual(["q"]);
  exchange.unbind(q, "", table({ a: "2" }));
  exchange.route("", { ...content({}), headers: () => expect.fail("asked for headers") }, new Set());
  expect(routed(exchange, "", emptyTable)).toEqual([]);
});
