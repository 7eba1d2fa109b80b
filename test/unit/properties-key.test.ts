import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { propertiesKey, spelledPropertiesKey } from "../../src/mgmt/properties-key.ts";

describe("the properties key of a path", () => {
  it("is the binding's own, whatever its routing key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (routingKey) => {
        const key = propertiesKey(routingKey, new Map());
        expect(spelledPropertiesKey(key)).toBe(key);
      }),
    );
  });

  it.each([
    ["a.#", "a.%23"],
    ["a b", "a+b"],
    ["a%b", "a%25b"],
    ["ü", "%C3%BC"],
    ["k k~Ajat_Q", "k+k~Ajat_Q"],
  ])("may be %j, as RabbitMQ takes it, for %s", (given, key) => {
    expect(spelledPropertiesKey(given)).toBe(key);
  });

  it.each(["a~b", "k~", "~x"])("is no other binding's: %s", (given) => {
    expect(spelledPropertiesKey(given)).toBe(given);
  });
});
