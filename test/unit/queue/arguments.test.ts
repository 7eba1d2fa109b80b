import { describe, expect, it } from "vitest";
import type { FieldTable, FieldValue } from "../../../src/field-table.ts";
import { expiryMsMax, parseQueueArguments } from "../../../src/queue/arguments.ts";

const queue = "queue 'q' in vhost '/'";

function parse(...fields: [string, FieldValue][]): ReturnType<typeof parseQueueArguments> {
  return parseQueueArguments(new Map(fields), queue);
}

const long = (value: number): FieldValue => ({ type: "long", value });
const text = (value: string): FieldValue => ({ type: "longstr", value });
const quorum: [string, FieldValue] = ["x-queue-type", text("quorum")];

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
      defaultPriority: 0,
      storesAll: false,
      singleActiveConsumer: false,
      deliveryLimit: undefined,
      delayedRetry: undefined,
      deadLettersAtLeastOnce: false,
      consumerTimeoutMs: undefined,
    });
  });

  it("of a quorum queue begin with a delivery limit and priorities", () => {
    const those = { deliveryLimit: 20, maxPriority: 31, defaultPriority: 4, storesAll: true };
    expect(parse(quorum)).toEqual({ ...parse(), ...those });
    expect(parse(quorum, ["x-delivery-limit", long(-1)]).deliveryLimit).toBeUndefined();
    expect(parse(quorum, ["x-delivery-limit", long(0)]).deliveryLimit).toBe(0);
    expect(parse(["x-delivery-limit", long(3)]).deliveryLimit).toBe(3);
    expect(parse(quorum, ["x-overflow", text("reject-publish-dlx")]).overflow).toBe("drop-head");
    expect(parse(quorum, ["x-dead-letter-strategy", text("at-least-once")]).deadLettersAtLeastOnce).toBe(true);
  });

  it("say how retries of a quorum queue are delayed", () => {
    const fields: [string, FieldValue][] = [quorum, ["x-delayed-retry-min", long(10)]];
    expect(parse(...fields).delayedRetry).toBeUndefined();
    expect(parse(...fields, ["x-delayed-retry-type", text("disabled")]).delayedRetry).toBeUndefined();
    expect(parse(...fields, ["x-delayed-retry-type", text("all")], ["x-delayed-retry-max", long(50)])).toMatchObject({
      delayedRetry: { of: "all", minMs: 10, maxMs: 50 },
    });
  });

  it.each(["client-local", "balanced", "least-leaders"])(
    "that place replicas are kept without effect: %s",
    (locator) => {
      expect(parse(["x-queue-leader-locator", text(locator)], ["x-queue-version", long(2)])).toEqual(parse());
    },
  );

  it.each([
    "x-dead-letter-strategy",
    "x-delayed-retry-type",
    "x-quorum-initial-group-size",
    "x-max-in-memory-length",
    "x-max-age",
  ])("of other types are refused by classic queues: %s", (name) => {
    expect(() => parse([name, long(1)])).toThrow(
      `PRECONDITION_FAILED - invalid arg '${name}' for ${queue} of queue type rabbit_classic_queue`,
    );
  });

  it.each(["x-max-priority", "x-queue-mode", "x-queue-version", "x-max-age"])(
    "of other types are refused by quorum queues: %s",
    (name) => {
      expect(() => parse(quorum, [name, long(1)])).toThrow(
        `PRECONDITION_FAILED - invalid arg '${name}' for ${queue} of queue type rabbit_quorum_queue`,
      );
    },
  );

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
      [quorum, ["x-dead-letter-strategy", text("sometimes")]],
      "invalid arg 'x-dead-letter-strategy' for queue 'q' in vhost '/': invalid_dlx_strategy",
    ],
    [
      [quorum, ["x-quorum-initial-group-size", long(0)]],
      "invalid arg 'x-quorum-initial-group-size' for queue 'q' in vhost '/': {value_zero,0}",
    ],
    [
      [["x-queue-leader-locator", text("anywhere")]],
      "invalid arg 'x-queue-leader-locator' for queue 'q' in vhost '/': invalid_queue_locator_arg",
    ],
    [
      [["x-queue-version", long(3)]],
      `invalid arg 'x-queue-version' for queue 'q' in vhost '/': "unsupported queue version '3'"`,
    ],
    [
      [["x-delivery-limit", text("5")]],
      `invalid arg 'x-delivery-limit' for queue 'q' in vhost '/': "expected integer, got longstr"`,
    ],
    [
      [["x-consumer-timeout", long(-1)]],
      "invalid arg 'x-consumer-timeout' for queue 'q' in vhost '/': {value_negative,-1}",
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
