import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BrokerError } from "../../src/errors.ts";
import { emptyTable } from "../../src/field-table.ts";
import { FrameDecoder, type FrameHandler, frameType } from "../../src/protocol/amqp/codec/frame-decoder.ts";
import { encodeMethod } from "../../src/protocol/amqp/codec/methods.ts";
import { ContentAssembly } from "../../src/protocol/amqp/publish.ts";
import { Message } from "../../src/record.ts";
import { editRecord } from "../../src/record-edit.ts";
import { anyFieldTable, text } from "../support/field-values.ts";
import { cut } from "../support/frames.ts";
import { bodyOf, frame, headerPayload, message, type Parts } from "../support/messages.ts";
import { anyParts } from "../support/parts.ts";
import { manyRuns } from "../support/runs.ts";

const bodyMax = 1_000_000;

/** What of a message must arrive. */
function summary(message: Message, mandatory: boolean): string {
  const { bytes, addressStart, addressEnd, contentStart, propertiesEnd } = message;
  const address = bytes.toString("latin1", addressStart, addressEnd);
  const header = bytes.toString("latin1", contentStart + 8, propertiesEnd);
  return [mandatory, address, header, message.bodySize, bodyOf(message).toString("latin1")].join("|");
}

function expected(parts: Parts): string {
  return summary(message(parts), isMandatory(parts));
}

function isMandatory({ body }: Parts): boolean {
  return body !== undefined && body.length % 2 === 1;
}

/** The frames of a basic.publish, its body in frames of at most these sizes, over and over; 0 is an empty one. */
function publishFrames(channel: number, parts: Parts, sizes: readonly number[]): Buffer[] {
  const { exchange = "", routingKey = "", body = Buffer.alloc(0) } = parts;
  const args = { ticket: 0, exchange, routingKey, mandatory: isMandatory(parts), immediate: false };
  const frames = [
    frame(frameType.method, channel, encodeMethod("basic.publish", args)),
    frame(frameType.header, channel, headerPayload(parts, body.length)),
  ];
  for (let at = 0, i = 0; at < body.length; i++) {
    const size = i > 50 ? 131_064 : (sizes[i % Math.max(1, sizes.length)] ?? 131_064);
    frames.push(frame(frameType.body, channel, body.subarray(at, at + size)));
    at += size;
  }
  return frames;
}

/** The channels of a connection, as far as publishing goes. */
class Channels implements FrameHandler {
  inChunk: ContentAssembly | undefined;
  #heldBytes = 0;
  readonly published = new Map<number, string[]>();
  readonly #assemblies = new Map<number, ContentAssembly>();
  readonly #kept: { record: Buffer; text: string }[] = [];

  held(change: number): void {
    this.#heldBytes += change;
    expect(this.#heldBytes).toBeGreaterThanOrEqual(0);
  }

  checkHeld(): void {}

  frame(type: number, channel: number, bytes: Buffer, start: number, end: number): boolean {
    const assembly = this.#assembly(channel);
    if (type === frameType.method) assembly.method(bytes, start, end);
    else if (type === frameType.header) this.#publish(channel, assembly.header(bytes, start, end));
    else if (type === frameType.body) this.#publish(channel, assembly.body(bytes, start, end));
    return true;
  }

  bodyPart(channel: number, bytes: Buffer, start: number, end: number): boolean {
    this.#publish(channel, this.#assembly(channel).bodyPart(bytes, start, end));
    return true;
  }

  #assembly(channel: number): ContentAssembly {
    const assembly = this.#assemblies.get(channel) ?? new ContentAssembly(this, bodyMax);
    this.#assemblies.set(channel, assembly);
    return assembly;
  }

  #publish(channel: number, message: Message | undefined): void {
    if (message === undefined) return;
    const { mandatory } = this.#assembly(channel);
    this.published.set(channel, [...(this.published.get(channel) ?? []), summary(message, mandatory)]);
    const record = message.own();
    this.#kept.push({ record, text: record.toString("latin1") });
  }

  /** Whether every record that was kept is what it was, though its chunk may be long overwritten. */
  keptIsSound(): boolean {
    return this.#kept.every(({ record, text }) => {
      const message = new Message().setOwned(record);
      return record.toString("latin1") === text && bodyOf(message).length === message.bodySize;
    });
  }
}

const publish = fc.record({
  parts: anyParts,
  sizes: fc.array(fc.constantFrom(0, 1, 7, 100, 4089, 5000, 131_064), { minLength: 1, maxLength: 5 }),
});

const positive = publish.filter(({ sizes }) => sizes.some((size) => size > 0));

const chunkSizes = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
  fc.constant([10_000_000]),
);

/** Frames of several channels and heartbeats, mixed as `turns` says; those of one channel keep their order. */
function interleave(lists: readonly Buffer[][], turns: readonly number[]): Buffer {
  const left = lists.map((list) => [...list]);
  const frames: Buffer[] = [];
  for (let i = 0; left.some((list) => list.length > 0); i++) {
    const turn = turns[i % turns.length] ?? 0;
    if (turn === 5) frames.push(frame(frameType.heartbeat, 0, Buffer.alloc(0)));
    const from = left[turn % left.length]?.length ? left[turn % left.length] : left.find((list) => list.length > 0);
    const next = from?.shift();
    if (next !== undefined) frames.push(next);
  }
  return Buffer.concat(frames);
}

describe("a published message", () => {
  it("is the same however its frames are cut, and mixed with those of other channels", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(positive, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }),
        chunkSizes,
        fc.boolean(),
        (channels, turns, sizes, spilling) => {
          const lists = channels.map((publishes, i) =>
            publishes.flatMap(({ parts, sizes }) => publishFrames(i + 1, parts, sizes)),
          );
          const handler = new Channels();
          const decoder = new FrameDecoder(131_072, handler);
          let before: Buffer | undefined;
          for (const chunk of cut(interleave(lists, turns), sizes)) {
            decoder.push(chunk);
            if (!spilling) continue;
            // What a connection does. Then only the decoder may want the chunk, and that until the next one comes.
            handler.inChunk?.spill();
            before?.fill(0xee);
            before = chunk;
          }
          for (const [i, publishes] of channels.entries()) {
            expect(handler.published.get(i + 1) ?? []).toEqual(publishes.map(({ parts }) => expected(parts)));
          }
          expect(handler.keptIsSound()).toBe(true);
        },
      ),
      manyRuns(2),
    );
  });

  it("never makes a consumer get an empty body frame", () => {
    const handler = new Channels();
    const records: Buffer[] = [];
    const assembly = new ContentAssembly(handler, bodyMax);
    const bytes = Buffer.concat(publishFrames(1, { body: Buffer.from("ab") }, [0, 1]));
    const decoder = new FrameDecoder(131_072, {
      frame: (type, _channel, chunk, start, end) => {
        if (type === frameType.method) assembly.method(chunk, start, end);
        else if (type === frameType.header) assembly.header(chunk, start, end);
        else {
          const done = assembly.body(chunk, start, end);
          if (done !== undefined) records.push(done.own());
        }
        return true;
      },
      bodyPart: () => true,
    });
    decoder.push(bytes);
    const [made] = records;
    expect(records).toHaveLength(1);
    expect(made?.includes(Buffer.of(0, 0, 0, 0, 0xce))).toBe(false);
    expect(made && bodyOf(new Message().setOwned(made)).toString()).toBe("ab");
  });

  it("after one that was refused or abandoned is taken as ever", () => {
    const handler = new Channels();
    const assembly = new ContentAssembly(handler, 100);
    const feed = (parts: Parts, count: number): Message | undefined => {
      let made: Message | undefined;
      for (const [i, bytes] of publishFrames(1, parts, [10]).slice(0, count).entries()) {
        if (i === 0) assembly.method(bytes, 7, bytes.length - 1);
        else if (i === 1) made = assembly.header(bytes, 7, bytes.length - 1);
        else made = assembly.body(bytes, 7, bytes.length - 1);
      }
      return made;
    };
    expect(() => feed({ body: Buffer.alloc(101) }, 2)).toThrow(
      "message size 101 is larger than configured max size 100",
    );
    assembly.abandon();
    expect(feed({ body: Buffer.alloc(50) }, 3)).toBeUndefined();
    expect(assembly.idle).toBe(false);
    assembly.abandon();
    expect(handler.inChunk).toBeUndefined();
    const made = feed({ routingKey: "k", body: Buffer.from("fifteen letters") }, 9);
    expect([made?.routingKey, made && bodyOf(made).toString(), assembly.idle]).toEqual(["k", "fifteen letters", true]);
  });

  it("of any bytes is refused with a BrokerError if at all", () => {
    const event = fc.record({
      what: fc.constantFrom("method", "header", "body", "bodyPart"),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        anyParts.map(({ exchange = "", routingKey = "" }) =>
          encodeMethod("basic.publish", { ticket: 0, exchange, routingKey, mandatory: false, immediate: false }),
        ),
        fc.tuple(anyParts, fc.nat(30)).map(([parts, size]) => headerPayload(parts, size)),
      ),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const user = new Channels();
        const assembly = new ContentAssembly(user, bodyMax);
        for (const { what, payload } of events) {
          const bytes = Buffer.concat([Buffer.alloc(7), payload, Buffer.of(0xce)]);
          const end = bytes.length - 1;
          try {
            if (what === "method" && assembly.idle) assembly.method(bytes, 7, end);
            else if (what === "header") assembly.header(bytes, 7, end);
            else if (what === "body") assembly.body(bytes, 7, end);
            else if (what === "bodyPart") assembly.bodyPart(bytes, 7, end);
          } catch (error) {
            expect(error).toBeInstanceOf(BrokerError);
            assembly.abandon();
          }
        }
      }),
      manyRuns(5),
    );
  });
});

describe("an edited record", () => {
  const edit = fc.record(
    {
      exchange: text(255),
      routingKey: text(255),
      headers: anyFieldTable,
      replyTo: text(255),
      removeExpiration: fc.boolean(),
    },
    { requiredKeys: [] },
  );

  it("is the record of the message with these changes", () => {
    fc.assert(
      fc.property(anyParts, edit, (parts, change) => {
        const { removeExpiration = false, headers, ...rest } = change;
        const { expiration, headers: before, ...others } = parts;
        const changed: Parts = {
          ...others,
          ...rest,
          ...(removeExpiration || expiration === undefined ? {} : { expiration }),
          ...((headers ?? before) === undefined ? {} : { headers: headers ?? before }),
        };
        expect(editRecord(message(parts), change).equals(message(changed).own())).toBe(true);
      }),
      manyRuns(2),
    );
  });

  it("keeps headers for the broker alone apart from what clients see, edit after edit", () => {
    fc.assert(
      fc.property(anyParts, edit, anyFieldTable, (parts, change, hiddenHeaders) => {
        const plain = editRecord(message(parts), change);
        const hiding = new Message().setOwned(editRecord(message(parts), { hiddenHeaders }));
        const edited = new Message().setOwned(editRecord(hiding, change));
        expect(edited.hiddenHeaders()).toEqual(hiddenHeaders);
        expect(edited.toRecord().equals(edited.bytes)).toBe(true);
        const { bytes, addressEnd, contentStart, contentEnd } = edited;
        const seen = Buffer.concat([bytes.subarray(0, addressEnd), bytes.subarray(contentStart, contentEnd)]);
        expect(seen.equals(plain)).toBe(true);
        expect(editRecord(edited, { hiddenHeaders: emptyTable }).equals(plain)).toBe(true);
      }),
      manyRuns(2),
    );
  });
});
