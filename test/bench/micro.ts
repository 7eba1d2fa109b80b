/*
 * Codec, routing and queue, each by itself and without I/O. Seeded, so that two runs do the same work.
 */
import { bench, do_not_optimize, group, run, summary } from "mitata";
import { emptyTable, type FieldTable } from "../../src/field-table.ts";
import { MessageContent } from "../../src/message-content.ts";
import { FrameDecoder } from "../../src/protocol/amqp/codec/frame-decoder.ts";
import { FrameWriter, recycle } from "../../src/protocol/amqp/codec/frame-writer.ts";
import { ContentAssembly } from "../../src/protocol/amqp/publish.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { Message } from "../../src/record.ts";
import { bind, declareExchange } from "../../src/topology.ts";
import type { Vhost } from "../../src/vhost.ts";
import { frame, headerPayload, message, record } from "../support/messages.ts";
import { TestConsumer, TestHost } from "../support/queue.ts";
import { declare, testVhost } from "../support/vhost.ts";
import { encodeMethod } from "../support/wire-codec.ts";
import { methodNamed } from "../support/wire-methods.ts";

/** A generator of numbers below 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = seeded(20);
const word = (): string => Math.floor(random() * 1e9).toString(36);

/** The frames of a message as a publisher sends them. */
function publishFrames(body: Buffer, headers?: FieldTable): Buffer {
  const publish = encodeMethod(methodNamed("basic.publish"), { "routing-key": "orders" });
  const header = headerPayload({ ...(headers !== undefined && { headers }), deliveryMode: 2 }, body.length);
  return Buffer.concat([frame(1, 1, publish), frame(2, 1, header), frame(3, 1, body)]);
}

/** Takes publishes apart as a channel does, and counts them. */
class PublishReader {
  readonly #assembly = new ContentAssembly({ inChunk: undefined, held: () => {}, checkHeld: () => {} }, 1 << 27);
  read = 0;

  frame(type: number, _channel: number, bytes: Buffer, start: number, end: number): boolean {
    let complete: Message | undefined;
    if (type === 1) this.#assembly.method(bytes, start, end);
    else if (type === 2) complete = this.#assembly.header(bytes, start, end);
    else complete = this.#assembly.body(bytes, start, end);
    if (complete !== undefined) this.read++;
    return true;
  }

  bodyPart(): boolean {
    return true;
  }
}

group("codec: 100 messages of a chunk", () => {
  for (const size of [16, 1024]) {
    const chunk = Buffer.concat(Array.from({ length: 100 }, () => publishFrames(Buffer.alloc(size))));
    const reader = new PublishReader();
    const decoder = new FrameDecoder(131_072, reader);
    bench(`decode publishes of ${size} B`, () => decoder.push(chunk));
  }
  for (const size of [16, 1024]) {
    const bytes = record({ routingKey: "orders", body: Buffer.alloc(size) });
    const { addressEnd, contentStart } = message({ routingKey: "orders", body: Buffer.alloc(size) });
    const prefix = Buffer.from([0, 60, 0, 60, 4, 99, 116, 97, 103]);
    const writer = new FrameWriter();
    bench(`encode deliveries of ${size} B`, () => {
      for (let i = 0; i < 100; i++) {
        writer.deliver(1, prefix, i, false, bytes, 0, addressEnd);
        writer.content(1, bytes, contentStart + 1, bytes.length, 131_072, false);
      }
      recycle(writer.take().chunks);
    });
  }
});

/** A vhost where an exchange has this many bindings, to as many queues, and messages that match one each. */
function bound(type: string, count: number, keyOf: (index: number) => string): { vhost: Vhost; keys: string[] } {
  const { vhost } = testVhost();
  const properties = { name: "x", type, durable: false, autoDelete: false, internal: false, arguments: emptyTable };
  declareExchange(vhost, properties);
  const keys: string[] = [];
  for (let index = 0; index < count; index++) {
    const queue = declare(vhost, `q${index}`);
    const key = keyOf(index);
    bind(vhost, vhost.getExchange("x"), queue, key, emptyTable);
    keys.push(key);
  }
  return { vhost, keys };
}

/** Messages to an exchange with these keys, one behind the other as in what a socket was read into; taken in turn. */
class MessageRing {
  readonly #message = new Message();
  readonly #bytes: Buffer;
  /** The four bounds of each. */
  readonly #parts: Uint32Array;
  #at = 0;

  constructor(exchange: string, keys: readonly string[]) {
    const messages = keys.map((routingKey) => message({ exchange, routingKey, body: Buffer.alloc(16) }));
    this.#bytes = Buffer.concat(messages.map(({ bytes }) => bytes));
    let start = 0;
    this.#parts = Uint32Array.from(
      messages.flatMap(({ bytes, addressStart, addressEnd, contentStart, contentEnd }) => {
        const parts = [addressStart, addressEnd, contentStart, contentEnd].map((part) => start + part);
        start += bytes.length;
        return parts;
      }),
    );
  }

  next(): Message {
    const at = this.#at;
    this.#at = (at + 4) % this.#parts.length;
    const [addressStart = 0, addressEnd = 0, contentStart = 0, contentEnd = 0] = this.#parts.subarray(at, at + 4);
    return this.#message.set(this.#bytes, addressStart, addressEnd, contentStart, contentEnd);
  }
}

summary(() => {
  for (const [type, keyOf] of [
    ["direct", () => word()],
    ["topic", () => `${word()}.*.${word()}.#`],
  ] as const) {
    for (const count of [10, 10_000]) {
      const { vhost, keys } = bound(type, count, keyOf);
      // Twice as many as are remembered, so that the bindings are looked through.
      const asked = Array.from({ length: 20_000 }, () => {
        const key = keys[Math.floor(random() * count)] ?? "";
        return key.replace("*", word()).replace("#", word());
      });
      const ring = new MessageRing("x", asked);
      bench(`route: ${type}, ${count} bindings`, () => {
        const next = ring.next();
        return do_not_optimize(vhost.route(next.exchange, [next.routingKey], new MessageContent(next)));
      });
    }
  }
});

group("queue: 1,000 messages of 16 B", () => {
  const small = message({ routingKey: "orders", body: Buffer.alloc(16) });
  const publish = (queue: Queue): void => {
    for (let i = 0; i < 1000; i++) queue.enqueue(small, undefined, 0);
  };
  bench("to a consumer, handed over", () => {
    const queue = new TestHost().queue();
    queue.addConsumer(new TestConsumer({ noAck: true }));
    publish(queue);
  });
  bench("to a backlog, then to a consumer", () => {
    const queue = new TestHost().queue();
    publish(queue);
    queue.addConsumer(new TestConsumer({ noAck: true }));
  });
});

await run();
