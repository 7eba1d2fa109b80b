import { describe, expect, it } from "vitest";
import { address, amqpTable, document, plain, protocolVersion } from "../../../bin/cells.ts";
import { type FormatterName, formatTable, type Table } from "../../../bin/formatters.ts";

const queues: Table = {
  columns: ["name", "messages", "arguments", "policy"],
  rows: [
    [plain("orders"), plain(3), amqpTable({ "x-max-length": 5 }), plain(null)],
    [plain('a "b"'), plain(0), amqpTable({}), plain("p")],
  ],
};
const nothing: Table = { columns: ["name"], rows: [] };

function format(table: Table, formatter: FormatterName, headers = true): string[] {
  return formatTable(table, formatter, headers).split("\n").slice(0, -1);
}

describe("a list", () => {
  it("has tabs between its columns, and their names above", () => {
    expect(format(queues, "table")).toEqual([
      "name\tmessages\targuments\tpolicy",
      'orders\t3\t[{"x-max-length",5}]\t',
      'a "b"\t0\t[]\tp',
    ]);
    expect(format(queues, "table", false)).toHaveLength(2);
  });

  it("is JSON with a row a line and the comma in front", () => {
    expect(format(queues, "json")).toEqual([
      "[",
      '{"name":"orders","messages":3,"arguments":[["x-max-length","long",5]],"policy":""}',
      ',{"name":"a \\"b\\"","messages":0,"arguments":[],"policy":"p"}',
      "]",
    ]);
    expect(format(nothing, "json")).toEqual(["[", "]"]);
  });

  it("is JSON by the line in a stream", () => {
    expect(format(queues, "json_stream").map((line) => JSON.parse(line).name)).toEqual(["orders", 'a "b"']);
  });

  it("is CSV with everything in quotes", () => {
    expect(format(queues, "csv")).toEqual([
      '"name","messages","arguments","policy"',
      '"orders","3","[{""x-max-length"",5}]",""',
      '"a ""b""","0","[]","p"',
    ]);
  });

  it("is drawn with lines, whatever the width of its characters", () => {
    const table: Table = { columns: ["name"], rows: [[plain("注文")], [plain("crème")]] };
    expect(format(table, "pretty_table")).toEqual([
      "┌───────┐",
      "│ name  │",
      "├───────┤",
      "│ 注文  │",
      "├───────┤",
      "│ crème │",
      "└───────┘",
    ]);
  });

  it("of nothing is nothing, without names of columns", () => {
    for (const formatter of ["table", "pretty_table", "csv", "json_stream"] as const) {
      expect(format(nothing, formatter)).toEqual([]);
    }
  });

  it("spells control characters out, so that no name breaks a line or steers a terminal", () => {
    const table: Table = { columns: ["name"], rows: [[plain("a\tb\nc\u001b[31m")]] };
    expect(format(table, "table")).toEqual(["name", "a\\tb\\nc\\x1b[31m"]);
    expect(format(table, "pretty_table").join("")).not.toContain("\u001b");
  });
});

describe("a cell", () => {
  it.each([
    [plain(undefined), { text: "", json: "" }],
    [plain(true), { text: "true", json: true }],
    [plain(["a", "b"]), { text: "[a, b]", json: ["a", "b"] }],
    [document({ a: 1 }), { text: '{"a":1}', json: '{"a":1}' }],
    [address("127.0.0.1"), { text: "127.0.0.1", json: [127, 0, 0, 1] }],
    [address("::1"), { text: "::1", json: [0, 0, 0, 0, 0, 0, 0, 1] }],
    [address("fe80::1:2"), { text: "fe80::1:2", json: [0xfe80, 0, 0, 0, 0, 0, 1, 2] }],
    [address("::ffff:10.0.0.1"), { text: "::ffff:10.0.0.1", json: [0, 0, 0, 0, 0, 0xffff, 0x0a00, 1] }],
    [address(undefined), { text: "", json: "" }],
    [protocolVersion("AMQP 0-9-1"), { text: "{0,9,1}", json: [0, 9, 1] }],
    [protocolVersion("MQTT 5"), { text: "MQTT 5", json: "MQTT 5" }],
  ])("%# is text, and JSON as rabbitmqctl has it", (cell, expected) => {
    expect(cell).toEqual(expected);
  });

  it("keeps all digits of a whole number", () => {
    const table: Table = { columns: ["arguments"], rows: [[amqpTable({ n: 9007199254740993n })]] };
    expect(format(table, "table")).toEqual(["arguments", '[{"n",9007199254740993}]']);
    expect(format(table, "json")).toContain('{"arguments":[["n","long",9007199254740993]]}');
  });

  it("of a table tells the types of its fields", () => {
    expect(amqpTable({ s: "x", n: 1, d: 1.5, b: true, l: [1, "y"], t: { k: null } })).toEqual({
      text: '[{"s","x"},{"n",1},{"d",1.5},{"b",true},{"l",[1,"y"]},{"t",[{"k",undefined}]}]',
      json: [
        ["s", "longstr", "x"],
        ["n", "long", 1],
        ["d", "double", 1.5],
        ["b", "bool", true],
        [
          "l",
          "array",
          [
            ["long", 1],
            ["longstr", "y"],
          ],
        ],
        ["t", "table", [["k", "void", "undefined"]]],
      ],
    });
  });
});
