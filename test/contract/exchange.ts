import { describe, expect, it } from "vitest";
import type { Destination } from "../../src/exchange/binding.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { createExchange } from "../../src/exchange/exchange-types.ts";
import type { RoutedContent } from "../../src/exchange/routed-content.ts";
import { emptyTable, type FieldTable } from "../../src/field-table.ts";

/** A queue as an exchange sees it. */
export function queueNamed(name: string): Destination {
  return { name, kind: "queue", type: "classic" };
}

/** An exchange of the type, without bindings. */
export function exchangeOf(type: string, args: FieldTable = emptyTable): Exchange<Destination> {
  const properties = { name: "x", type, durable: true, autoDelete: false, internal: false, arguments: args };
  return createExchange<Destination>(properties);
}

/** What an exchange sees of a message. */
export function content(parts: { headers?: FieldTable; properties?: Record<string, string> }): RoutedContent {
  return {
    headers: () => parts.headers ?? emptyTable,
    property: (name) => parts.properties?.[name],
    record: () => Buffer.from("record"),
  };
}

/** Names of the destinations, in the order they were found. */
export function routed(exchange: Exchange<Destination>, routingKey: string, headers = emptyTable): string[] {
  const found = new Set<Destination>();
  exchange.route(routingKey, content({ headers }), found);
  return [...found].map(({ name }) => name);
}

const matching = new Map([["a", { type: "longstr", value: "1" }]]) satisfies FieldTable;
const other = new Map([["a", { type: "longstr", value: "2" }]]) satisfies FieldTable;

/** What every exchange type promises; each test routes a message with key "a" and header a = "1". */
export function exchangeContract(type: string): void {
  describe(`${type} exchange`, () => {
    it("keeps what it was declared with", () => {
      expect(exchangeOf(type)).toMatchObject({ name: "x", type, durable: true, autoDelete: false, internal: false });
    });

    it("routes nowhere without bindings", () => {
      expect(routed(exchangeOf(type), "a", matching)).toEqual([]);
    });

    it("routes to each bound destination", () => {
      const exchange = exchangeOf(type);
      for (const name of ["q1", "q2"]) expect(exchange.bind(queueNamed(name), "a", matching)).toBe(true);
      expect(routed(exchange, "a", matching)).toEqual(["q1", "q2"]);
    });

    it("keeps what was found before", () => {
      const exchange = exchangeOf(type);
      exchange.bind(queueNamed("q"), "a", matching);
      const found = new Set([queueNamed("before")]);
      exchange.route("a", content({ headers: matching }), found);
      expect([...found].map(({ name }) => name)).toEqual(["before", "q"]);
    });

    it("treats the same destination, key and arguments as one binding", () => {
      const exchange = exchangeOf(type);
      const q = queueNamed("q");
      exchange.bind(q, "a", matching);
      expect(exchange.bind(q, "a", new Map(matching))).toBe(false);
      expect(exchange.bindingCount).toBe(1);
      expect(exchange.unbind(q, "a", matching)).toBe(true);
      expect(routed(exchange, "a", matching)).toEqual([]);
    });

    it("finds a destination once, and still while one of two bindings is left", () => {
      const exchange = exchangeOf(type);
      const q = queueNamed("q");
      exchange.bind(q, "a", matching);
      exchange.bind(q, "a", emptyTable);
      expect(routed(exchange, "a", matching)).toEqual(["q"]);
      exchange.unbind(q, "a", matching);
      expect(routed(exchange, "a", matching)).toEqual(["q"]);
      exchange.unbind(q, "a", emptyTable);
      expect(routed(exchange, "a", matching)).toEqual([]);
    });

    it("says that it cannot unbind what is not bound", () => {
      const exchange = exchangeOf(type);
      const q = queueNamed("q");
      exchange.bind(q, "a", matching);
      expect(exchange.unbind(q, "b", matching)).toBe(false);
      expect(exchange.unbind(q, "a", other)).toBe(false);
      expect(exchange.unbind(queueNamed("q"), "a", matching)).toBe(false);
      expect(routed(exchange, "a", matching)).toEqual(["q"]);
    });

    it("forgets a destination that goes away, and returns its bindings", () => {
      const exchange = exchangeOf(type);
      const [gone, stays] = [queueNamed("gone"), queueNamed("stays")];
      for (const key of ["a", "b"]) exchange.bind(gone, key, matching);
      exchange.bind(stays, "a", matching);
      expect(exchange.unbindAll(gone).map(({ routingKey }) => routingKey)).toEqual(["a", "b"]);
      expect(exchange.unbindAll(gone)).toEqual([]);
      expect(routed(exchange, "a", matching)).toEqual(["stays"]);
      expect([...exchange.bindings()].map(({ destination }) => destination)).toEqual([stays]);
    });

    it("lists its bindings, all or those of one destination", () => {
      const exchange = exchangeOf(type);
      const [q1, q2] = [queueNamed("q1"), queueNamed("q2")];
      exchange.bind(q1, "a", matching);
      exchange.bind(q2, "b", emptyTable);
      const second = { destination: q2, routingKey: "b", arguments: emptyTable };
      expect([...exchange.bindings()]).toEqual([{ destination: q1, routingKey: "a", arguments: matching }, second]);
      expect([...exchange.bindingsTo(q2)]).toEqual([second]);
    });

    it("remembers that something was bound once", () => {
      const exchange = exchangeOf(type);
      const q = queueNamed("q");
      expect(exchange.everBound).toBe(false);
      exchange.bind(q, "a", matching);
      exchange.unbind(q, "a", matching);
      expect([exchange.everBound, exchange.bindingCount]).toEqual([true, 0]);
    });

    it("looks at the content only if it says that messages with one key may go different ways", () => {
      const exchange = exchangeOf(type);
      exchange.bind(queueNamed("q"), "a", matching);
      let asked = false;
      const headers = () => {
        asked = true;
        return matching;
      };
      exchange.route("a", { ...content({}), headers }, new Set());
      expect(asked).toBe(exchange.varies);
    });
  });
}
