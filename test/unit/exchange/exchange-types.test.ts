import { expect, it } from "vitest";
import { exchangeTypes } from "../../../src/exchange/exchange-types.ts";
import { exchangeOf } from "../../contract/exchange.ts";

it("offers the types of the standard and those of RabbitMQ's plugins", () => {
  const plugins = ["consistent-hash", "delayed-message", "local-random", "modulus-hash", "random", "recent-history"];
  expect(exchangeTypes).toEqual(["direct", "fanout", "headers", "topic", ...plugins.map((name) => `x-${name}`)]);
});

it.each(["x-none", "", "toString", "Direct"])("refuses the type '%s'", (type) => {
  expect(() => exchangeOf(type)).toThrow(
    expect.objectContaining({ message: `PRECONDITION_FAILED - unknown exchange type '${type}'` }),
  );
});
