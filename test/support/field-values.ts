import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import type { FieldTable, FieldValue, IntegerType } from "../../src/field-table.ts";

const widths = {
  byte: { min: -0x80, max: 0x7f },
  unsignedbyte: { min: 0, max: 0xff },
  short: { min: -0x8000, max: 0x7fff },
  unsignedshort: { min: 0, max: 0xffff },
  signedint: { min: -0x8000_0000, max: 0x7fff_ffff },
  unsignedint: { min: 0, max: 0xffff_ffff },
} as const satisfies Partial<Record<IntegerType, { min: number; max: number }>>;

/** A text of at most `bytesMax` bytes of UTF-8, of any characters. */
export function text(bytesMax: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: "binary", maxLength: bytesMax })
    .map((any) => [...any].slice(0, Math.floor(bytesMax / 4)).join(""));
}

function exact(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((any) => Buffer.from(any));

const simple: fc.Arbitrary<FieldValue>[] = [
  text(40).map((value) => ({ type: "longstr", value })),
  bytes.filter((any) => !isUtf8(any)).map((value) => ({ type: "longstr", value })),
  bytes.map((value) => ({ type: "binary", value })),
  fc.boolean().map((value) => ({ type: "bool", value })),
  ...(Object.keys(widths) as (keyof typeof widths)[]).map((type) =>
    fc.integer(widths[type]).map((value) => ({ type, value })),
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ type: "long", value: exact(value) })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ type: "timestamp", value: exact(value) })),
  fc.double().map((value) => ({ type: "double", value })),
  fc.float().map((value) => ({ type: "float", value })),
  fc
    .record({ scale: fc.nat(255), value: fc.integer({ min: 0, max: 0xffff_ffff }) })
    .map((decimal) => ({ type: "decimal", ...decimal })),
  fc.constant({ type: "void" }),
];

function tableOf(value: fc.Arbitrary<FieldValue>): fc.Arbitrary<FieldTable> {
  return fc.array(fc.tuple(text(100), value), { maxLength: 5 }).map((entries) => new Map(entries));
}

const values = fc.letrec<{ value: FieldValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(...simple),
    fc.array(tie("value"), { maxLength: 4 }).map((value): FieldValue => ({ type: "array", value })),
    tableOf(tie("value")).map((value): FieldValue => ({ type: "table", value })),
  ),
}));

/** Any field value, nested ones among them. */
const anyFieldValue: fc.Arbitrary<FieldValue> = values.value;

/** Any field table. */
export const anyFieldTable: fc.Arbitrary<FieldTable> = tableOf(anyFieldValue);
