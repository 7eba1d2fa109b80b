import { describe, expect, it } from "vitest";
import { encodeTable, type FieldValue } from "../../../src/field-table.ts";
import { chosenMechanism, offeredMechanisms, readCredentials } from "../../../src/protocol/amqp/sasl.ts";

const text = (value: string): FieldValue => ({ type: "longstr", value });

function amqplain(...fields: [string, FieldValue][]): Buffer {
  return encodeTable(new Map(fields)).subarray(4);
}

describe("credentials", () => {
  it.each([
    ["guest", "guest"],
    ["", ""],
    ["jürgen", "pässwörd: 日本"],
  ])("'%s' and '%s' are read from PLAIN and AMQPLAIN", (username, password) => {
    const expected = { username, password };
    expect(readCredentials("PLAIN", Buffer.from(`\0${username}\0${password}`))).toEqual(expected);
    const response = amqplain(["LOGIN", text(username)], ["PASSWORD", text(password)]);
    expect(readCredentials("AMQPLAIN", response)).toEqual(expected);
  });

  it.each(["", "guest", "\0guest", "admin\0guest\0secret", "\0guest\0secret\0"])(
    "in a PLAIN response like %j are refused without repeating them",
    (response) => {
      expect(() => readCredentials("PLAIN", Buffer.from(response))).toThrow("SYNTAX_ERROR - response <<>> invalid");
    },
  );

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["no password", amqplain(["LOGIN", text("guest")])],
    ["a number for a name", amqplain(["LOGIN", { type: "long", value: 1 }], ["PASSWORD", text("secret")])],
    ["no table", Buffer.from("LOGIN=guest")],
    ["a table cut off", amqplain(["LOGIN", text("guest")], ["PASSWORD", text("secret")]).subarray(0, -1)],
  ])("in an AMQPLAIN response with %s are refused", (_name, response) => {
    const reason = "SYNTAX_ERROR - AMQPLAIN auth info is missing LOGIN or PASSWORD field";
    expect(() => readCredentials("AMQPLAIN", response)).toThrow(reason);
  });

  it("of a mechanism that was not offered are not asked for", () => {
    const offered = offeredMechanisms(["EXTERNAL", "PLAIN"], undefined);
    expect(offered).toEqual(["PLAIN"]);
    expect(chosenMechanism("PLAIN", offered)).toBe("PLAIN");
    expect(() => chosenMechanism("EXTERNAL", offered)).toThrow(
      "COMMAND_INVALID - unknown authentication mechanism 'EXTERNAL'",
    );
  });
});
