import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BrokerError } from "../../src/errors.ts";
import {
  decodeTable,
  encodeTable,
  type FieldTable,
  MalformedTableError,
  sameTable,
  tableFromJson,
  tableToJson,
} from "../../src/field-table.ts";
import { Message } from "../../src/record.ts";
import { mayBeSenderSelected } from "../../src/sender-selected.ts";
import { anyFieldTable } from "../support/field-values.ts";
import { record } from "../support/messages.ts";
import { manyRuns } from "../support/runs.ts";

/** A table's bytes with some of them changed, cut off or added. */
const damagedTable = fc
  .record({
    table: anyFieldTable.map(encodeTable),
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    keep: fc.option(fc.nat(), { freq: 3 }),
    tail: fc.uint8Array({ maxLength: 4 }),
  })
  .map(({ table, changes, keep, tail }) => {
    const bytes = Buffer.concat([keep === null ? table : table.subarray(0, keep % (table.length + 1)), tail]);
    for (const [at, octet] of changes) if (bytes.length > 0) bytes[at % bytes.length] = octet;
    return bytes;
  });

const anyBytes = fc.oneof(
  damagedTable,
  fc.uint8Array({ maxLength: 60 }).map((any) => Buffer.from(any)),
);

function decodeOrMalformed(bytes: Buffer): FieldTable | undefined {
  try {
    return decodeTable(bytes, 0, bytes.length);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedTableError);
    return undefined;
  }
}

describe("field tables", () => {
  it("come back from bytes and from JSON as they were", () => {
    fc.assert(
      fc.property(anyFieldTable, (table) => {
        const bytes = encodeTable(table);
        const decoded = decodeTable(bytes, 0, bytes.length);
        expect(decoded).toEqual(table);
        expect([...decoded.keys()]).toEqual([...table.keys()]);
        expect(encodeTable(decoded)).toEqual(bytes);
        const revived = tableFromJson(tableToJson(table));
        expect(revived).toEqual(table);
        expect(encodeTable(revived)).toEqual(bytes);
        expect(sameTable(decoded, table) && sameTable(table, revived)).toBe(true);
      }),
    );
  });

  it("are read from any bytes, or these are malformed, and nothing else ever happens", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const table = decodeOrMalformed(bytes);
        if (table === undefined) return;
        const again = encodeTable(table);
        expect(decodeTable(again, 0, again.length)).toEqual(table);
      }),
      manyRuns(10),
    );
  });

  it("in a message's headers are decoded at publish unless they are sound and name no CC or BCC", () => {
    fc.assert(
      fc.property(anyBytes, fc.boolean(), (bytes, withLength) => {
        // A message is taken in only when the lengths of its properties add up.
        const table = Buffer.from(bytes);
        if (withLength && table.length >= 4) table.writeUInt32BE(table.length - 4);
        const empty = record({ headers: new Map() });
        const at = empty.lastIndexOf(Buffer.alloc(4));
        const made = Buffer.concat([empty.subarray(0, at), table, empty.subarray(at + 4)]);
        made.writeUInt32BE(14 + table.length, 6);
        const message = new Message();
        try {
          message.setRecord(made, 0, made.length);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
          return;
        }
        if (mayBeSenderSelected(message)) return;
        const headers = message.headers();
        expect([headers.has("CC"), headers.has("BCC")]).toEqual([false, false]);
      }),
      manyRuns(10),
    );
  });
});
