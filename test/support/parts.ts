import fc from "fast-check";
import { anyFieldTable, text } from "./field-values.ts";
import type { Parts } from "./messages.ts";

/** Bodies of all sizes that are treated differently, none of their bytes the same as the one 256 before. */
const anyBody: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 5, arbitrary: fc.nat(40) },
    { weight: 2, arbitrary: fc.integer({ min: 4000, max: 4200 }) },
    { weight: 2, arbitrary: fc.integer({ min: 16_000, max: 17_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(131_063, 131_064, 131_065, 270_000) },
  )
  .map((size) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => i + (i >> 8))));

const short = text(60);

/** Any message. */
export const anyParts: fc.Arbitrary<Parts> = fc.record(
  {
    exchange: short,
    routingKey: text(255),
    body: anyBody,
    contentType: short,
    contentEncoding: short,
    headers: anyFieldTable,
    deliveryMode: fc.nat(255),
    priority: fc.nat(255),
    correlationId: short,
    replyTo: short,
    expiration: fc.nat().map(String),
    messageId: short,
    timestamp: fc.nat(),
    type: short,
    userId: short,
    appId: short,
    clusterId: short,
  },
  { requiredKeys: [] },
);
