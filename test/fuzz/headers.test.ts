import fc from "fast-check";
import { expect, it } from "vitest";
import type { Destination } from "../../src/exchange/binding.ts";
import { type FieldTable, type FieldValue, sameTable, sameValue } from "../../src/field-table.ts";
import { content, exchangeOf, queueNamed } from "../contract/exchange.ts";

const scalar: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.constantFrom<FieldValue>({ type: "void" }, { type: "bool", value: true }, { type: "decimal", scale: 1, value: 1 }),
  fc.record({
    type: fc.constantFrom("byte", "long", "timestamp", "double"),
    value: fc.constantFrom(0, -0, 1, 2 ** 60),
  }),
  fc.record({ type: fc.constant("long" as const), value: fc.constantFrom(1n, 2n ** 60n, 2n ** 60n + 1n) }),
  fc.record({ type: fc.constant("longstr" as const), value: fc.constantFrom("", "1", "true", Buffer.of(0xff)) }),
  fc.record({ type: fc.constant("binary" as const), value: fc.constantFrom(Buffer.from("1"), Buffer.of(0xff)) }),
);
const value: fc.Arbitrary<FieldValue> = fc.oneof(
  { weight: 9, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }).map((value) => ({ type: "array" as const, value })) },
);
const headers: fc.Arbitrary<FieldTable> = fc
  .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "x-a", "x-b"), value), { selector: ([name]) => name })
  .map((entries) => new Map(entries));
const mode = fc.constantFrom(undefined, "all", "any", "all-with-x", "any-with-x");
const args = fc.tuple(headers, mode).map(([fields, name]): FieldTable => {
  if (name === undefined) return fields;
  return new Map<string, FieldValue>([...fields, ["x-match", { type: "longstr", value: name }]]);
});

/** The definition, without an index. */
function goes(args: FieldTable, headers: FieldTable): boolean {
  const given = args.get("x-match");
  const mode = given?.type === "longstr" ? String(given.value) : "all";
  const fields = [...args.keys()].filter((name) => name !== "x-match" && (mode.endsWith("-x") || !/^x-/.test(name)));
  const matching = fields.filter((name) => {
    const [wanted, header] = [args.get(name), headers.get(name)];
    return wanted !== undefined && header !== undefined && (wanted.type === "void" || sameValue(wanted, header));
  });
  return mode.startsWith("all") ? matching.length === fields.length : matching.length > 0;
}

const step = fc.record({ bind: fc.boolean(), queue: fc.integer({ min: 0, max: 2 }), args });

it("routes as the definition says, whatever was bound and unbound before", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.array(headers, { minLength: 1, maxLength: 8 }),
      (steps, messages) => {
        const queues = ["q0", "q1", "q2"].map(queueNamed);
        const exchange = exchangeOf("headers");
        let model: { queue: Destination; args: FieldTable }[] = [];
        for (const { bind, queue: number, args } of steps) {
          const queue = queues[number] ?? queueNamed("");
          const others = model.filter((binding) => binding.queue !== queue || !sameTable(binding.args, args));
          const isNew = others.length === model.length;
          expect(bind ? exchange.bind(queue, "", args) : !exchange.unbind(queue, "", args)).toBe(isNew);
          model = bind ? [...others, { queue, args }] : others;
        }
        expect(exchange.bindingCount).toBe(model.length);
        for (const message of messages) {
          const expected = model.filter(({ args }) => goes(args, message)).map(({ queue }) => queue.name);
          const found = new Set<Destination>();
          exchange.route("", content({ headers: message }), found);
          expect([...found].map(({ name }) => name).sort()).toEqual([...new Set(expected)].sort());
        }
      },
    ),
  );
});
