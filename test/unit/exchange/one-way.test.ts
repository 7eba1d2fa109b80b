import { describe, expect, it } from "vitest";
import type { Destination } from "../../../src/exchange/binding.ts";
import type { Exchange } from "../../../src/exchange/exchange.ts";
import { emptyTable, type FieldTable } from "../../../src/field-table.ts";
import { content, exchangeOf, queueNamed } from "../../contract/exchange.ts";

const names = ["q1", "q2", "q3", "q4"];
const keys = Array.from({ length: 4000 }, (_, index) => `key-${index}`);

function text(name: string, value: string): FieldTable {
  return new Map([[name, { type: "longstr", value }]]);
}

function bound(exchange: Exchange<Destination>, key: (name: string) => string): Exchange<Destination> {
  for (const name of names) exchange.bind(queueNamed(name), key(name), emptyTable);
  return exchange;
}

/** Where each key goes; every message goes exactly one way, whatever else its sender selected. */
function ways(exchange: Exchange<Destination>, parts: (key: string) => Parameters<typeof content>[0] = () => ({})) {
  return keys.map((key) => {
    const found = new Set<Destination>();
    exchange.routeAll([key, "more"], content(parts(key)), found);
    expect(found.size).toBe(1);
    return [...found][0]?.name ?? "";
  });
}

function shares(found: readonly string[]): number[] {
  return names.map((name) => found.filter((each) => each === name).length / found.length);
}

describe("x-consistent-hash", () => {
  it("gives each destination its weight's share of the keys", () => {
    const exchange = bound(exchangeOf("x-consistent-hash"), (name) => (name === "q4" ? "7" : "1"));
    const [q1 = 0, q2 = 0, q3 = 0, q4 = 0] = shares(ways(exchange));
    for (const share of [q1, q2, q3]) expect(share).toBeCloseTo(0.1, 1);
    expect(q4).toBeCloseTo(0.7, 1);
  });

  it("sends a key the same way each time, and moves only what it must when one more is bound", () => {
    const exchange = bound(exchangeOf("x-consistent-hash"), () => "1");
    const before = ways(exchange);
    expect(ways(exchange)).toEqual(before);
    exchange.bind(queueNamed("q5"), "1", emptyTable);
    const after = ways(exchange);
    const moved = after.filter((name, index) => name !== before[index]);
    expect(new Set(moved)).toEqual(new Set(["q5"]));
    expect(moved.length / keys.length).toBeCloseTo(0.2, 1);
  });

  // As RabbitMQ 3.10 does; there, taking one of the two away takes the destination out of the ring.
  it("weighs the oldest of several bindings to one destination, and the next one when that goes", () => {
    const exchange = bound(exchangeOf("x-consistent-hash"), () => "1");
    const once = ways(exchange);
    const [q1] = [...exchange.bindings()].map(({ destination }) => destination);
    if (q1 === undefined) throw new Error("nothing is bound");
    exchange.bind(q1, "30", emptyTable);
    expect(ways(exchange)).toEqual(once);
    exchange.unbind(q1, "1", emptyTable);
    expect(shares(ways(exchange))[0]).toBeCloseTo(30 / 33, 1);
  });

  it("moves only the keys of a destination that goes, when it came last", () => {
    const exchange = exchangeOf("x-consistent-hash");
    bound(exchange, () => "2");
    const last = queueNamed("last");
    const before = ways(exchange);
    exchange.bind(last, "3", emptyTable);
    exchange.unbindAll(last);
    expect(ways(exchange)).toEqual(before);
  });

  it.each([
    ["hash-header", "user", (key: string) => ({ headers: text("user", key) })],
    ["hash-property", "message_id", (key: string) => ({ properties: { messageId: key } })],
    ["hash-property", "correlation_id", (key: string) => ({ properties: { correlationId: key } })],
    ["hash-property", "timestamp", (key: string) => ({ properties: { timestamp: key } })],
  ])("hashes what %s says: %s", (argument, value, parts) => {
    const exchange = bound(exchangeOf("x-consistent-hash", text(argument, value)), () => "1");
    for (const share of shares(ways(exchange, parts))) expect(share).toBeCloseTo(0.25, 1);
    expect(new Set(ways(exchange, () => parts("same"))).size).toBe(1);
    expect(new Set(ways(exchange)).size, "without it all go one way").toBe(1);
  });

  it.each([
    ["a", 'The binding key must be an integer: <<"a">>'],
    ["", "The binding key must be an integer: <<>>"],
    ["0", "The binding key must be greater than 0"],
    ["-1", "The binding key must be greater than 0"],
    ["10001", "The binding key must not exceed 10000"],
  ])("refuses the weight '%s'", (key, message) => {
    const exchange = exchangeOf("x-consistent-hash");
    expect(() => exchange.bind(queueNamed("q"), key, emptyTable)).toThrow(`PRECONDITION_FAILED - ${message}`);
    expect(exchange.bindingCount).toBe(0);
  });

  it("refuses two things to hash, and properties that it cannot hash", () => {
    const both = new Map([...text("hash-header", "a"), ...text("hash-property", "timestamp")]);
    expect(() => exchangeOf("x-consistent-hash", both)).toThrow("hash-header and hash-property are mutually exclusive");
    expect(() => exchangeOf("x-consistent-hash", text("hash-property", "user_id"))).toThrow(
      "Unsupported property: user_id",
    );
  });
});

describe("x-modulus-hash", () => {
  it("spreads keys evenly, and sends each the same way whatever the order of binding", () => {
    const exchange = bound(exchangeOf("x-modulus-hash"), () => "");
    const found = ways(exchange);
    for (const share of shares(found)) expect(share).toBeCloseTo(0.25, 1);
    const other = exchangeOf("x-modulus-hash");
    for (const name of names.toReversed()) other.bind(queueNamed(name), "", emptyTable);
    expect(ways(other)).toEqual(found);
  });

  it("goes on with those that are left", () => {
    const exchange = bound(exchangeOf("x-modulus-hash"), () => "");
    for (const { destination } of [...exchange.bindings()].slice(1)) exchange.unbindAll(destination);
    expect(new Set(ways(exchange))).toEqual(new Set(["q1"]));
  });
});

describe("x-random and x-local-random", () => {
  it.each(["x-random", "x-local-random"])("%s spreads messages evenly, those with one key too", (type) => {
    const exchange = bound(exchangeOf(type), () => "");
    for (const share of shares(ways(exchange))) expect(share).toBeCloseTo(0.25, 1);
    for (const { destination } of [...exchange.bindings()].slice(1)) exchange.unbindAll(destination);
    expect(new Set(ways(exchange))).toEqual(new Set(["q1"]));
  });

  it("x-local-random takes classic queues only, without a key", () => {
    const exchange = exchangeOf("x-local-random");
    expect(() => exchange.bind(queueNamed("q"), "key", emptyTable)).toThrow(
      "PRECONDITION_FAILED - Non empty binding 'key' key not permitted",
    );
    expect(() => exchange.bind({ ...queueNamed("q"), type: "quorum" }, "", emptyTable)).toThrow(
      "PRECONDITION_FAILED - Queue type rabbit_quorum_queue not valid for this exchange type",
    );
  });

  it.each(["x-random", "x-local-random", "x-modulus-hash", "x-consistent-hash"])(
    "%s routes nowhere without bindings",
    (type) => {
      const found = new Set<Destination>();
      exchangeOf(type).routeAll(["key"], content({}), found);
      expect(found.size).toBe(0);
    },
  );
});
