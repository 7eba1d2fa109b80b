import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonObject } from "../../src/json-object.ts";
import { Message } from "../../src/record.ts";
import { buildRecord } from "../../src/record-builder.ts";
import { readBody, readProperties } from "../../src/record-reader.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: "small" }, text, fc.boolean(), fc.maxSafeInteger(), tie("list"), tie("table")),
  list: fc.array(tie("any"), { maxLength: 4 }),
  table: fc.dictionary(text, tie("any"), { maxKeys: 4 }),
}));

const properties = fc.record(
  {
    content_type: text,
    headers: value.table,
    delivery_mode: fc.constantFrom(1, 2),
    priority: fc.nat(255),
    reply_to: text,
    expiration: text,
    timestamp: fc.maxSafeNat(),
    cluster_id: text,
  },
  { requiredKeys: [] },
);

describe("a record built from JSON", () => {
  it("reads as it was written", () => {
    fc.assert(
      fc.property(text, text, properties, fc.nat(300_000), (exchange, routingKey, plain, size) => {
        const given = JsonObject.from(plain) ?? JsonObject.empty;
        const headers = given.has("headers") ? given.table("headers") : undefined;
        const body = Buffer.alloc(size, "0123456789");
        const record = buildRecord({ exchange, routingKey, properties: given, headers, body });
        const message = new Message().setOwned(record);
        expect(message.exchange).toBe(exchange);
        expect(message.routingKey).toBe(routingKey);
        expect(message.persistent).toBe(plain.delivery_mode === 2);
        expect(message.bodySize).toBe(size);
        expect(readBody(message, Number.POSITIVE_INFINITY).equals(body)).toBe(true);
        expect(readBody(message, 7).equals(body.subarray(0, 7))).toBe(true);
        expect(JSON.stringify(readProperties(message))).toBe(JSON.stringify(inOrder(plain)));
      }),
    );
  });
});

/** Numbers like -0 have no place in JSON, and properties come out in the order of their flags. */
function inOrder(plain: object): unknown {
  const order = [
    "content_type",
    "headers",
    "delivery_mode",
    "priority",
    "reply_to",
    "expiration",
    "timestamp",
    "cluster_id",
  ];
  const entries = Object.entries(plain).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return Object.fromEntries(entries);
}
