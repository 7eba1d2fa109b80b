import { describe, expect, it } from "vitest";
import { type DeadLetter, isCycle, makeDeadLetter } from "../../src/dead-letters.ts";
import { emptyTable, type FieldTable, type FieldValue } from "../../src/field-table.ts";
import type { DeathReason, Grave } from "../../src/queue/dead-letter.ts";
import { Message } from "../../src/record.ts";
import { bind, declareExchange } from "../../src/topology.ts";
import { bodyOf, message, type Parts, record } from "../support/messages.ts";
import { drain, persistent, TestConsumer, WaiterLog } from "../support/queue.ts";
import { declare, testVhost } from "../support/vhost.ts";

const now = 1_700_000_000_999;
const grave: Grave = { name: "q", deadLetterExchange: "dlx", deadLetterRoutingKey: undefined };

const text = (value: string): FieldValue => ({ type: "longstr", value });
const texts = (...values: string[]): FieldValue => ({ type: "array", value: values.map(text) });
const long = (value: number | bigint): FieldValue => ({ type: "long", value });

function die(parts: Parts, reason: DeathReason = "rejected", queue: Grave = grave): DeadLetter {
  return makeDeadLetter(queue, reason, record(parts), now);
}

function dieAgain(letter: DeadLetter, reason: DeathReason, queue: Grave = grave): DeadLetter {
  return makeDeadLetter(queue, reason, letter.record, now);
}

function headersOf({ record }: DeadLetter): FieldTable {
  return new Message().setOwned(record).headers();
}

function deathsOf(letter: DeadLetter): FieldTable[] {
  const field = headersOf(letter).get("x-death");
  if (field?.type !== "array") throw new Error("no x-death");
  return field.value.flatMap((entry) => (entry.type === "table" ? [entry.value] : []));
}

/** Each death as "queue reason count". */
function summary(letter: DeadLetter): string[] {
  return deathsOf(letter).map((death) =>
    ["queue", "reason", "count"]
      .map((name) => {
        const field = death.get(name);
        return field !== undefined && "value" in field ? String(field.value) : "";
      })
      .join(" "),
  );
}

describe("a dead letter", () => {
  it("says in x-death where, when and why it died, and how it was addressed", () => {
    const letter = die(
      { exchange: "orders", routingKey: "new", expiration: "60000", body: Buffer.from("body") },
      "expired",
    );
    expect(deathsOf(letter)).toEqual([
      new Map<string, FieldValue>([
        ["count", long(1)],
        ["reason", text("expired")],
        ["queue", text("q")],
        ["time", { type: "timestamp", value: 1_700_000_000 }],
        ["exchange", text("orders")],
        ["routing-keys", texts("new")],
        ["original-expiration", text("60000")],
      ]),
    ]);
    const made = new Message().setOwned(letter.record);
    expect([made.exchange, made.routingKey, made.expiration, bodyOf(made).toString()]).toEqual([
      "dlx",
      "new",
      undefined,
      "body",
    ]);
  });

  it("keeps its other headers and properties", () => {
    const headers = new Map([["mine", long(5)]]);
    const made = new Message().setOwned(die({ headers, deliveryMode: 2, priority: 7, replyTo: "r" }).record);
    expect([made.headers().get("mine"), made.persistent, made.priority, made.replyTo]).toEqual([long(5), true, 7, "r"]);
  });

  it("remembers its first death for ever, and its last", () => {
    const letter = dieAgain(die({ exchange: "x" }, "expired"), "rejected", { ...grave, name: "other" });
    const headers = headersOf(letter);
    const which = ["first", "last"].map((each) =>
      ["queue", "reason", "exchange"].map((what) => headers.get(`x-${each}-death-${what}`)),
    );
    expect(which).toEqual([
      [text("q"), text("expired"), text("x")],
      [text("other"), text("rejected"), text("dlx")],
    ]);
  });

  it("counts deaths in the same queue for the same reason, the newest first", () => {
    let letter = die({}, "expired");
    letter = dieAgain(letter, "rejected");
    letter = dieAgain(letter, "expired", { ...grave, name: "other" });
    letter = dieAgain(letter, "expired");
    letter = dieAgain(letter, "expired");
    expect(summary(letter)).toEqual(["q expired 3", "other expired 1", "q rejected 1"]);
  });

  it("goes to the queue's own routing key if it has one, and then without CC", () => {
    const headers = new Map([["CC", texts("copy")]]);
    expect(die({ routingKey: "k", headers }).routingKeys).toEqual(["k", "copy"]);
    const letter = die({ routingKey: "k", headers }, "rejected", { ...grave, deadLetterRoutingKey: "dead" });
    expect([letter.routingKeys, headersOf(letter).has("CC")]).toEqual([["dead"], false]);
    expect(deathsOf(letter)[0]?.get("routing-keys")).toEqual(texts("k", "copy"));
    expect(new Message().setOwned(letter.record).routingKey).toBe("dead");
  });

  it.each<[string, FieldValue]>([
    ["no array", text("?")],
    ["an array of anything", { type: "array", value: [long(1), text("x")] }],
    ["the largest count", xDeath(long(2n ** 63n - 1n))],
    ["the least count", xDeath(long(-(2n ** 63n)))],
    ["a count that is no number", xDeath(text("many"))],
  ])("is made whatever a client put into x-death: %s", (_name, value) => {
    const letter = die({ headers: new Map([["x-death", value]]) });
    expect(summary(letter)[0]).toMatch(/^q rejected -?\d+$/);
  });

  function xDeath(count: FieldValue): FieldValue {
    const death: FieldTable = new Map([
      ["count", count],
      ["queue", text("q")],
      ["reason", text("rejected")],
    ]);
    return { type: "array", value: [{ type: "table", value: death }] };
  }
});

describe("a dead letter's way", () => {
  it("ends where it has died before with nobody taking part", () => {
    const letter = dieAgain(die({}, "expired"), "expired", { ...grave, name: "other" });
    expect([isCycle(letter, "q"), isCycle(letter, "other"), isCycle(letter, "third")]).toEqual([true, true, false]);
  });

  it("goes on when a consumer has rejected it since", () => {
    const rejected = dieAgain(die({}, "expired"), "rejected", { ...grave, name: "other" });
    expect(isCycle(rejected, "q")).toBe(false);
    const after = dieAgain(rejected, "expired", { ...grave, name: "third" });
    expect([isCycle(after, "q"), isCycle(after, "third")]).toEqual([false, true]);
  });
});

describe("a vhost", () => {
  const toDlx = (exchange: string, more: [string, FieldValue][] = []): FieldTable =>
    new Map([["x-dead-letter-exchange", text(exchange)], ...more]);

  it("sends dead letters on before the turn is over", async () => {
    const { vhost } = testVhost();
    const dlx = {
      name: "dlx",
      type: "fanout",
      durable: true,
      autoDelete: false,
      internal: false,
      arguments: emptyTable,
    };
    const grave = declare(vhost, "grave");
    bind(vhost, declareExchange(vhost, dlx), grave, "", emptyTable);
    const queue = declare(vhost, "q", toDlx("dlx", [["x-max-length", long(1)]]));
    queue.enqueue(message({ routingKey: "a" }), undefined, 0);
    queue.enqueue(message({ routingKey: "b" }), undefined, 0);
    expect([queue.ready, grave.ready]).toEqual([1, 0]);
    await Promise.resolve();
    expect(drain(grave)).toEqual(["a"]);
  });

  it("drops dead letters for an exchange that is not there", async () => {
    const { vhost } = testVhost();
    const queue = declare(vhost, "q", toDlx("nowhere", [["x-message-ttl", long(0)]]));
    queue.enqueue(message({ routingKey: "a" }), undefined, 0);
    await Promise.resolve();
    expect(queue.ready).toBe(0);
  });

  it("ends a cycle of queues that expire into each other", async () => {
    const { vhost, host } = testVhost();
    const args = (other: string): FieldTable =>
      toDlx("", [
        ["x-message-ttl", long(10)],
        ["x-dead-letter-routing-key", text(other)],
      ]);
    const [first, second] = [declare(vhost, "first", args("second")), declare(vhost, "second", args("first"))];
    first.enqueue(message({}), undefined, 0);
    const seen: number[][] = [];
    for (let i = 0; i < 4; i++) {
      host.clock.advance(10);
      await Promise.resolve();
      seen.push([first.ready, second.ready]);
    }
    expect(seen).toEqual([
      [0, 1],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it("lets a message that a consumer rejects go round for ever", async () => {
    const { vhost } = testVhost();
    const queue = declare(vhost, "q", toDlx("", [["x-dead-letter-routing-key", text("q")]]));
    const consumer = new TestConsumer({ prefetch: 1 });
    queue.addConsumer(consumer);
    queue.enqueue(message({ routingKey: "q" }), undefined, 0);
    for (let i = 0; i < 5; i++) {
      consumer.settle(queue, "reject");
      await Promise.resolve();
    }
    expect(consumer.got).toHaveLength(6);
  });

  it("tells who published only once the dead letter is on disk in the message's place", async () => {
    const { vhost, host } = testVhost();
    declare(vhost, "grave");
    const dead = toDlx("", [
      ["x-dead-letter-routing-key", text("grave")],
      ["x-message-ttl", long(0)],
    ]);
    const queue = declare(vhost, "q", dead);
    host.store.settle();
    const waiter = new WaiterLog();
    expect(queue.enqueue(persistent("a"), waiter, 1)).toBe("waits");
    await Promise.resolve();
    const seen: [number, number][] = [];
    while (waiter.told.length === 0) {
      host.store.step();
      seen.push([waiter.told.length, host.store.disk.state().segments.length]);
    }
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});
