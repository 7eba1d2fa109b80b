import { describe, expect, it } from "vitest";
import type { FieldTable, FieldValue } from "../../../src/field-table.ts";
import { expiryMsMax, parseQueueArguments } from "../../../src/queue/arguments.ts";

const queue = "queue 'q' in vhost '/'";

function parse(...fields: [string, FieldValue][]): ReturnType<typeof parseQueueArguments> {
  return parseQueueArguments(new Map(fields), queue);
}

const long = (value: number): FieldValue => ({ type: "long", value });
const text = (value: string): FieldValue => ({ type: "longstr", value });

describe("a queue's arguments", () => {
  it("are all optional", () => {
    expect(parse()).toEqual({
      messageTtlMs: undefined,
      expiresMs: undefined,
      maxLength: undefined,
      maxLengthBytes: undefined,
      overflow: "drop-head",
      deadLetterExchange: undefined,
      deadLetterRoutingKey: undefined,
      maxPriority: 0,
      singleActiveConsumer: false,
    });
  });

  it("are read from integers of any width", () => {
    const types = ["byte", "short", "signedint", "long", "unsignedbyte", "unsignedshort", "unsignedint"] as const;
    for (const type of types) expect(parse(["x-max-length", { type, value: 7 }]).maxLength).toBe(7);
  });

  it("may go to their limits", () => {
    expect(parse(["x-message-ttl", long(0)]).messageTtlMs).toBe(0);
    expect(parse(["x-expires", long(expiryMsMax)]).expiresMs).toBe(expiryMsMax);
    expect(parse(["x-max-priority", long(255)]).maxPriority).toBe(255);
    const key = "é".repeat(127);
    const parsed = parse(["x-dead-letter-exchange", text("")], ["x-dead-letter-routing-key", text(key)]);
    expect([parsed.deadLetterExchange, parsed.deadLetterRoutingKey]).toEqual(["", key]);
  });

  it("that mean nothing are kept and ignored", () => {
    expect(parse(["x-nothing", { type: "void" }])).toEqual(parse());
  });

  it.each<[[string, FieldValue][], string]>([
    [[["x-expires", long(0)]], "invalid arg 'x-expires' for queue 'q' in vhost '/': {value_zero,0}"],
    [[["x-message-ttl", long(-1)]], "invalid arg 'x-message-ttl' for queue 'q' in vhost '/': {value_negative,-1}"],
    [
      [["x-message-ttl", long(expiryMsMax + 1)]],
      "invalid arg 'x-message-ttl' for queue 'q' in vhost '/': {value_too_large,315360000001}",
    ],
    [
      [["x-max-length", text("5")]],
      `invalid arg 'x-max-length' for queue 'q' in vhost '/': "expected integer, got longstr"`,
    ],
    [
      [["x-max-priority", long(256)]],
      "invalid arg 'x-max-priority' for queue 'q' in vhost '/': {max_value_exceeded,256}",
    ],
    [[["x-overflow", text("drop-tail")]], "invalid arg 'x-overflow' for queue 'q' in vhost '/': invalid_overflow"],
    [
      [["x-dead-letter-exchange", long(1)]],
      "invalid type 'long' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'",
    ],
    [
      [["x-dead-letter-routing-key", text("k")]],
      "invalid arg 'x-dead-letter-routing-key' for queue 'q' in vhost '/': routing_key_but_no_dlx_defined",
    ],
    [
      [
        ["x-dead-letter-exchange", text("")],
        ["x-dead-letter-routing-key", text("é".repeat(128))],
      ],
      "invalid arg 'x-dead-letter-routing-key' for queue 'q' in vhost '/': {max_value_exceeded,256}",
    ],
    [
      [["x-queue-type", text("stream")]],
      `invalid arg 'x-queue-type' for queue 'q' in vhost '/': "unsupported queue type 'stream'"`,
    ],
    [
      [["x-single-active-consumer", long(1)]],
      "invalid arg 'x-single-active-consumer' for queue 'q' in vhost '/': {unacceptable_type,long}",
    ],
  ])("%o are refused", (fields, reason) => {
    const table: FieldTable = new Map(fields);
    expect(() => parseQueueArguments(table, queue)).toThrow(`PRECONDITION_FAILED - ${reason}`);
  });
});
