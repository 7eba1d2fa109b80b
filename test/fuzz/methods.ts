import fc from "fast-check";
import { encodeMethod, type Fields, Tagged } from "../support/wire-codec.ts";
import { type FieldType, type Method, methods } from "../support/wire-methods.ts";
import type { Frame } from "./corpus.ts";

/** What clients ask of a channel; publishing takes more than a method. */
const asked = methods.filter(
  ({ name }) =>
    /^(exchange|queue|basic|tx|confirm|access)\./.test(name) && !/-(ok|empty)$|deliver|return|publish/.test(name),
);

const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom("q", "x", "h", "t", "args", "quorum", "", "amq.direct", "amq.rabbitmq.reply-to"),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: "grapheme", maxLength: 30 }).filter((text) => Buffer.byteLength(text) < 256),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("direct", "fanout", "topic", "headers", "x-delayed-message", "none", "#.*.#"),
  },
);

const argument = fc.constantFrom(
  "x-message-ttl",
  "x-expires",
  "x-max-length",
  "x-max-length-bytes",
  "x-max-priority",
  "x-overflow",
  "x-dead-letter-exchange",
  "x-dead-letter-routing-key",
  "x-queue-type",
  "x-single-active-consumer",
  "x-delivery-limit",
  "x-priority",
  "x-match",
  "x-delayed-type",
  "alternate-exchange",
  "other",
);

const value = fc.oneof(
  fc.integer().map((number) => new Tagged("I", number)),
  fc.nat(255).map((number) => new Tagged("B", number)),
  fc
    .constantFrom("", "x", "q", "quorum", "classic", "reject-publish", "drop-head", "any", "all")
    .map((text) => new Tagged("S", text)),
  fc.boolean().map((flag) => new Tagged("t", flag)),
);

const table: fc.Arbitrary<Fields> = fc.dictionary(argument, value, { maxKeys: 3 });

const fieldValues: Record<FieldType, fc.Arbitrary<unknown>> = {
  octet: fc.nat(255),
  short: fc.nat(65_535),
  long: fc.nat(2 ** 31 - 1),
  longlong: fc.nat(20),
  bit: fc.boolean(),
  shortstr: name,
  longstr: name,
  table,
};

/** What costs the connection when it is anything else: mostly it should be right, so that the next input has a chance. */
const mostly: Readonly<Record<string, unknown>> = {
  "prefetch-size": 0,
  requeue: true,
  "consumer-tag": "",
  active: true,
};
const exchangeType = fc.constantFrom("direct", "fanout", "topic", "headers", "x-consistent-hash", "x-recent-history");

function valuesOf(field: string, type: FieldType): fc.Arbitrary<unknown> {
  const any = fieldValues[type];
  if (field === "type") return fc.oneof({ weight: 30, arbitrary: exchangeType }, { weight: 1, arbitrary: any });
  if (!(field in mostly)) return any;
  return fc.oneof({ weight: 30, arbitrary: fc.constant(mostly[field]) }, { weight: 1, arbitrary: any });
}

function methodFrame(method: Method): fc.Arbitrary<Frame> {
  const fields = Object.fromEntries(method.fields.map(([field, type]) => [field, valuesOf(field, type)]));
  return fc.record(fields).map((given) => ({ type: 1, channel: 1, payload: encodeMethod(method, given) }));
}

/** Methods that are well-formed, with whatever in their fields: what they cost is mostly the channel. */
export const anyMethods: fc.Arbitrary<readonly Frame[]> = fc.array(fc.oneof(...asked.map(methodFrame)), {
  minLength: 1,
  maxLength: 4,
});
