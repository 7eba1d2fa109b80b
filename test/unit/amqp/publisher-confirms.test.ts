import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type ConfirmSink, PublisherConfirms } from "../../../src/protocol/amqp/publisher-confirms.ts";

class Sink implements ConfirmSink {
  sent: string[] = [];
  pending = 0;

  ack(deliveryTag: number, multiple: boolean): void {
    this.sent.push(`ack ${deliveryTag}${multiple ? " multiple" : ""}`);
  }

  nack(deliveryTag: number, multiple: boolean): void {
    this.sent.push(`nack ${deliveryTag}${multiple ? " multiple" : ""}`);
  }

  confirmsPending(): void {
    this.pending++;
  }
}

describe("publisher confirms", () => {
  let sink: Sink;
  let confirms: PublisherConfirms;

  beforeEach(() => {
    sink = new Sink();
    confirms = new PublisherConfirms(sink);
  });

  function begin(count: number, queues = 1): void {
    for (let i = 0; i < count; i++) confirms.begin(queues);
  }

  /** Sends, and returns what went out. */
  function send(): string[] {
    sink.sent = [];
    confirms.send();
    return sink.sent;
  }

  it("go out together, once a turn", () => {
    begin(3);
    for (const tag of [1, 2, 3]) confirms.committed(tag);
    expect([sink.pending, send()]).toEqual([1, ["ack 3 multiple"]]);
    begin(1);
    confirms.committed(4);
    expect([sink.pending, send(), confirms.unconfirmed]).toEqual([2, ["ack 4"], 0]);
  });

  it("wait for every queue the message went to", () => {
    begin(1, 3);
    confirms.committed(1);
    confirms.committed(1);
    expect([sink.pending, send()]).toEqual([0, []]);
    confirms.committed(1);
    expect(send()).toEqual(["ack 1"]);
  });

  it("come at once for a message that went nowhere", () => {
    begin(1, 0);
    expect(send()).toEqual(["ack 1"]);
  });

  it("of publishes that overtake others go out one by one, and never twice", () => {
    begin(5);
    for (const tag of [3, 5]) confirms.committed(tag);
    expect(send()).toEqual(["ack 3", "ack 5"]);
    for (const tag of [2, 1]) confirms.committed(tag);
    expect(send()).toEqual(["ack 2 multiple"]);
    confirms.committed(4);
    expect([send(), confirms.unconfirmed]).toEqual([["ack 4"], 0]);
  });

  it("are nacks for what a queue refused, in runs of their own", () => {
    begin(6);
    for (const tag of [1, 2, 5, 6]) confirms.committed(tag);
    for (const tag of [3, 4]) confirms.rejected(tag);
    expect(send()).toEqual(["ack 2 multiple", "nack 4 multiple", "ack 6 multiple"]);
  });

  it("are nacks when one of several queues refuses, once all have answered", () => {
    begin(1, 2);
    confirms.rejected(1);
    expect(send()).toEqual([]);
    confirms.committed(1);
    expect(send()).toEqual(["nack 1 multiple"]);
  });

  it("are kept apart when thousands wait behind the first", () => {
    begin(10_000);
    for (let tag = 10_000; tag > 1; tag--) confirms.committed(tag);
    expect(new Set(send()).size).toBe(9999);
    expect(confirms.unconfirmed).toBe(10_000);
    confirms.committed(1);
    expect([send(), confirms.unconfirmed]).toEqual([["ack 1"], 0]);
  });

  it("tell the client of every publish exactly once, rightly, whatever the order", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ what: fc.constant("begin"), n: fc.nat(3) }) },
      { weight: 8, arbitrary: fc.record({ what: fc.constantFrom("committed", "committed", "rejected"), n: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant("send"), n: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
        const log = new Sink();
        const ring = new PublisherConfirms(log);
        const waiting = new Map<number, number>();
        const refused = new Set<number>();
        const settled = new Set<number>();
        const answer = (tag: number): void => {
          const left = (waiting.get(tag) ?? 0) - 1;
          if (left > 0) waiting.set(tag, left);
          else {
            waiting.delete(tag);
            settled.add(tag);
          }
        };
        // What a client does with confirms.
        let told = new Map<number, string>();
        const open = new Set<number>();
        const read = (): void => {
          ring.send();
          told = new Map();
          for (const line of log.sent) {
            const [kind = "", number, multiple] = line.split(" ");
            const tags = multiple === undefined ? [Number(number)] : [...open].filter((tag) => tag <= Number(number));
            expect(tags.every((tag) => open.has(tag))).toBe(true);
            for (const tag of tags) {
              open.delete(tag);
              told.set(tag, kind);
            }
          }
          log.sent = [];
          const expected = [...settled].map((tag) => [tag, refused.has(tag) ? "nack" : "ack"] as const);
          expect(told).toEqual(new Map(expected));
          settled.clear();
          expect(ring.unconfirmed).toBeGreaterThanOrEqual(open.size);
        };
        for (const { what, n } of steps) {
          if (what === "begin") {
            const tag = ring.begin(n);
            open.add(tag);
            if (n === 0) settled.add(tag);
            else waiting.set(tag, n);
          } else if (what === "send") read();
          else {
            const tag = [...waiting.keys()][n % Math.max(1, waiting.size)];
            if (tag === undefined) continue;
            if (what === "rejected") {
              refused.add(tag);
              ring.rejected(tag);
            } else ring.committed(tag);
            answer(tag);
          }
        }
        read();
        for (const [tag, left] of [...waiting])
          for (let i = 0; i < left; i++) {
            ring.committed(tag);
            answer(tag);
          }
        read();
        expect([open.size, ring.unconfirmed]).toEqual([0, 0]);
      }),
    );
  });
});
