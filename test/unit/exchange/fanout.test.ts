import { expect, it } from "vitest";
import { emptyTable } from "../../../src/field-table.ts";
import { exchangeContract, exchangeOf, queueNamed, routed } from "../../contract/exchange.ts";

exchangeContract("fanout");

it("routes whatever the routing key", () => {
  const exchange = exchangeOf("fanout");
  exchange.bind(queueNamed("q1"), "a", emptyTable);
  exchange.bind(queueNamed("q2"), "", emptyTable);
  expect(routed(exchange, "something else")).toEqual(["q1", "q2"]);
});
