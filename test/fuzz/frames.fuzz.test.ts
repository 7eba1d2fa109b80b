import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BrokerError } from "../../src/errors.ts";
import { FrameDecoder, frameType } from "../../src/protocol/amqp/codec/frame-decoder.ts";
import { FrameWriter, recycle } from "../../src/protocol/amqp/codec/frame-writer.ts";
import {
  decodeMethod,
  encodeMethod,
  type Method,
  methodFields,
  methodNames,
} from "../../src/protocol/amqp/codec/methods.ts";
import { deliverPrefix } from "../../src/protocol/amqp/deliver.ts";
import { Message } from "../../src/record.ts";
import { anyFieldTable, text } from "../support/field-values.ts";
import { answers, cut, FrameLog } from "../support/frames.ts";
import { bodyOf, frame, type Parts, record } from "../support/messages.ts";
import { anyParts } from "../support/parts.ts";
import { manyRuns } from "../support/runs.ts";

const fieldValues = {
  octet: fc.nat(0xff),
  short: fc.nat(0xffff),
  long: fc.integer({ min: 0, max: 0xffff_ffff }),
  longlong: fc.nat(Number.MAX_SAFE_INTEGER),
  bit: fc.boolean(),
  shortstr: text(255),
  longstr: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  table: anyFieldTable,
};

/** Any method with any arguments. */
const anyMethod: fc.Arbitrary<Method> = fc.constantFrom(...methodNames).chain((name) =>
  fc
    .record(Object.fromEntries(methodFields(name).map(([field, type]) => [field, fieldValues[type]])))
    // The record has just these fields with values of these types.
    .map((args) => ({ name, args }) as unknown as Method),
);

const channel = fc.nat(0xffff);

type Step =
  | { readonly what: "method"; readonly channel: number; readonly method: Method }
  | { readonly what: "heartbeat" }
  | { readonly what: "confirm"; readonly channel: number; readonly nack: boolean; readonly tag: number }
  | { readonly what: "deliver"; readonly channel: number; readonly parts: Parts; readonly tag: number };

const tag = fc.nat(Number.MAX_SAFE_INTEGER);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ what: fc.constant("method" as const), channel, method: anyMethod }),
  fc.record({ what: fc.constant("heartbeat" as const) }),
  fc.record({ what: fc.constant("confirm" as const), channel, nack: fc.boolean(), tag }),
  fc.record({ what: fc.constant("deliver" as const), channel, parts: anyParts, tag }),
);

const frameMax = fc.constantFrom(4096, 8192, 20_000, 131_072);

/** Writes a step, and notes in `log` the frames that must come out. */
function write(writer: FrameWriter, step: Step, most: number, log: FrameLog): void {
  switch (step.what) {
    case "method": {
      const { name, args } = step.method;
      writer.method(step.channel, name, args as never);
      log.add({ type: frameType.method, channel: step.channel, payload: encodeMethod(name, args as never) });
      break;
    }
    case "heartbeat":
      writer.heartbeat();
      log.add({ type: frameType.heartbeat, channel: 0, payload: Buffer.alloc(0) });
      break;
    case "confirm": {
      const multiple = step.tag % 2 === 1;
      if (step.nack) writer.nack(step.channel, step.tag, multiple);
      else writer.ack(step.channel, step.tag, multiple);
      const payload = step.nack
        ? encodeMethod("basic.nack", { deliveryTag: step.tag, multiple, requeue: true })
        : encodeMethod("basic.ack", { deliveryTag: step.tag, multiple });
      log.add({ type: frameType.method, channel: step.channel, payload });
      break;
    }
    case "deliver":
      deliver(writer, step, most, log);
      break;
    default:
      step satisfies never;
  }
}

function deliver(
  writer: FrameWriter,
  step: { readonly channel: number; readonly parts: Parts; readonly tag: number },
  most: number,
  log: FrameLog,
): void {
  const { channel, tag, parts } = step;
  const message = new Message().setOwned(record(parts));
  const { bytes, addressStart, addressEnd, contentStart, contentEnd } = message;
  writer.deliver(channel, deliverPrefix("ctag"), tag, tag % 2 === 1, bytes, addressStart, addressEnd);
  writer.content(channel, bytes, contentStart + 1, contentEnd, most, tag % 3 === 0);
  const { exchange = "", routingKey = "", body = Buffer.alloc(0) } = parts;
  const args = { consumerTag: "ctag", deliveryTag: tag, redelivered: tag % 2 === 1, exchange, routingKey };
  log.add({ type: frameType.method, channel, payload: encodeMethod("basic.deliver", args) });
  const header = Buffer.from(bytes.subarray(contentStart + 8, message.propertiesEnd));
  log.add({ type: frameType.header, channel, payload: header });
  if (body.length > 0) log.add({ type: frameType.body, channel, payload: body });
}

/** What a writer wrote. What the socket took the writer may use again; what it did not, must stay as it is. */
function written(steps: readonly Step[], most: number, taken: () => boolean, log: FrameLog): Buffer {
  const writer = new FrameWriter();
  const parts: Buffer[] = [];
  const flush = (): void => {
    const { size } = writer;
    const { parts: list, chunks } = writer.take();
    const all = taken();
    for (const part of list) parts.push(all ? Buffer.from(part) : part);
    if (all) recycle(chunks);
    const sum = list.reduce((total, part) => total + part.length, 0);
    expect([sum, writer.size]).toEqual([size, 0]);
  };
  for (const [i, step] of steps.entries()) {
    write(writer, step, most, log);
    if (i % 3 === 2) flush();
  }
  flush();
  return Buffer.concat(parts);
}

/** Pushes chunks as a connection does: after a refusal nothing more comes before it is resumed. */
function decode(decoder: FrameDecoder, chunks: readonly Buffer[]): void {
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (decoder.refused) decoder.resume();
  }
}

const chunkSizes = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
);

function frameSizes(bytes: Buffer): number[] {
  const sizes: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at + 3) + 8;
    sizes.push(size);
    at += size;
  }
  return sizes;
}

describe("frames", () => {
  it("come out as they were written, however the stream is cut and whatever is refused for a while", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        frameMax,
        chunkSizes,
        fc.array(fc.boolean(), { maxLength: 20 }),
        fc.array(fc.boolean(), { maxLength: 5 }),
        (steps, most, sizes, refusals, takes) => {
          const expected = new FrameLog();
          const bytes = written(steps, most, answers(takes), expected);
          const seen = new FrameLog(answers(refusals));
          const decoder = new FrameDecoder(131_072, seen);
          // Bytes that come one by one make long runs slow.
          decode(decoder, cut(bytes, bytes.length > 20_000 ? sizes.map((size) => size + 1000) : sizes));
          expect(seen.lines()).toEqual(expected.lines());
          expect(decoder.refused).toBe(false);
        },
      ),
    );
  });

  it("of a body never exceed what the consumer agreed to", () => {
    fc.assert(
      fc.property(anyParts, frameMax, fc.boolean(), (parts, most, bytesStay) => {
        const writer = new FrameWriter();
        const owned = record(parts);
        const message = new Message().setOwned(owned);
        writer.content(1, owned, message.contentStart + 1, owned.length, most, bytesStay);
        const bytes = Buffer.concat(writer.take().parts);
        const [, ...bodies] = frameSizes(bytes);
        expect(bodies.every((size) => size <= most && size > 8)).toBe(true);
      }),
    );
  });

  it("of any method carry its arguments", () => {
    fc.assert(
      fc.property(anyMethod, ({ name, args }) => {
        const payload = encodeMethod(name, args as never);
        const around = Buffer.concat([Buffer.from("<<"), payload, Buffer.from(">>")]);
        expect(decodeMethod(around, 2, around.length - 2)).toEqual({ name, args });
      }),
      manyRuns(10),
    );
  });

  it("with anything for a method are decoded or refused, and nothing else ever happens", () => {
    const payload = fc
      .tuple(anyMethod, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(), fc.boolean())
      .map(([{ name, args }, changes, at, whole]) => {
        const bytes = encodeMethod(name, args as never);
        for (const [place, octet] of changes) bytes[place % bytes.length] = octet;
        return whole ? bytes : bytes.subarray(0, at % bytes.length);
      });
    fc.assert(
      fc.property(payload, (bytes) => {
        try {
          const { name, args } = decodeMethod(bytes, 0, bytes.length);
          // What was understood can be said again.
          const again = encodeMethod(name, args as never);
          expect(decodeMethod(again, 0, again.length)).toEqual({ name, args });
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
          expect(["FRAME_ERROR", "COMMAND_INVALID"]).toContain(error.replyCode);
        }
      }),
      manyRuns(10),
    );
  });

  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(
        fc.array(fc.record({ type: fc.constantFrom(1, 2, 3, 8, 0, 255), channel: fc.nat(3), size: fc.nat(6000) }), {
          maxLength: 5,
        }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
      )
      .map(([frames, changes]) => {
        const bytes = Buffer.concat(
          frames.map(({ type, channel, size }) => frame(type, channel, Buffer.alloc(size, 0xce))),
        );
        for (const [at, octet] of changes) if (bytes.length > 0) bytes[at % bytes.length] = octet;
        return bytes;
      }),
  );

  it("that are garbage are a FRAME_ERROR at most, the same however the stream is cut", () => {
    const outcome = (bytes: Buffer, sizes: readonly number[]): unknown => {
      const log = new FrameLog();
      try {
        decode(new FrameDecoder(4096, log), cut(bytes, sizes));
        // What of a body came before an error depends on the cut.
        return log.lines().filter((line) => !line.startsWith(`${frameType.body} `));
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        return error.replyCode;
      }
    };
    fc.assert(
      fc.property(garbage, chunkSizes, (bytes, sizes) => {
        const whole = outcome(bytes, [bytes.length]);
        expect(whole === "FRAME_ERROR" || Array.isArray(whole)).toBe(true);
        expect(outcome(bytes, sizes)).toEqual(whole);
      }),
      manyRuns(5),
    );
  });
});

describe("a message's frames", () => {
  it("say what its record says", () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const message = new Message().setOwned(record(parts));
        expect(message.exchange).toBe(parts.exchange ?? "");
        expect(message.routingKey).toBe(parts.routingKey ?? "");
        expect(message.headers()).toEqual(parts.headers ?? new Map());
        expect(message.priority).toBe(parts.priority ?? 0);
        expect(message.persistent).toBe(parts.deliveryMode === 2);
        expect(message.expiration).toBe(parts.expiration);
        expect(message.replyTo).toBe(parts.replyTo);
        expect(message.userId).toBe(parts.userId);
        expect(bodyOf(message).equals(parts.body ?? Buffer.alloc(0))).toBe(true);
        expect(message.toRecord().equals(message.own())).toBe(true);
        expect(message.size).toBe(message.own().length);
      }),
    );
  });

  it("with any properties but sound ones are refused", () => {
    const damaged = fc
      .tuple(anyParts, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
      .map(([parts, changes]) => {
        const bytes = record({ ...parts, body: Buffer.alloc(0) });
        const sound = new Message().setOwned(bytes);
        // The frame itself is the decoder's business, so only the flags and the properties are damaged.
        const from = sound.contentStart + 20;
        for (const [at, octet] of changes) bytes[from + (at % (sound.propertiesEnd - from))] = octet;
        return bytes;
      });
    fc.assert(
      fc.property(damaged, (bytes) => {
        const message = new Message();
        try {
          message.setRecord(bytes, 0, bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
          return;
        }
        expect(reencoded(message).equals(bytes)).toBe(true);
      }),
      manyRuns(10),
    );
  });
});

/** The record again, with its properties read one by one by another reader than the broker's. */
function reencoded(message: Message): Buffer {
  const { bytes, propertiesStart, propertiesEnd, propertyFlags: flags } = message;
  let at = propertiesStart;
  const shortOnes = [0x8000, 0x4000, 0x2000, 0x1000, 0x0800, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040];
  for (const flag of [...shortOnes, 0x0020, 0x0010, 0x0008, 0x0004]) {
    if ((flags & flag) === 0) continue;
    if (flag === 0x2000) at += 4 + bytes.readUInt32BE(at);
    else if (flag === 0x1000 || flag === 0x0800) at += 1;
    else if (flag === 0x0040) at += 8;
    else at += 1 + bytes.readUInt8(at);
  }
  return at === propertiesEnd && (flags & 3) === 0 ? message.toRecord() : Buffer.alloc(0);
}
