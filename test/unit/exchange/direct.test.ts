import { expect, it } from "vitest";
import { emptyTable } from "../../../src/field-table.ts";
import { exchangeContract, exchangeOf, queueNamed, routed } from "../../contract/exchange.ts";

exchangeContract("direct");

it("routes by the whole routing key, the empty one included", () => {
  const exchange = exchangeOf("direct");
  for (const key of ["", "a", "a.b", "#", "__proto__"]) exchange.bind(queueNamed(`q:${key}`), key, emptyTable);
  for (const key of ["", "a", "a.b", "#", "__proto__"]) expect(routed(exchange, key)).toEqual([`q:${key}`]);
  expect(routed(exchange, "A")).toEqual([]);
  expect(routed(exchange, "constructor")).toEqual([]);
});
