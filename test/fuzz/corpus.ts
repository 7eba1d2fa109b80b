import { encodeContentHeader, encodeMethod, type Fields, Tagged, Writer } from "../support/wire-codec.ts";
import { methodNamed } from "../support/wire-methods.ts";

/** A frame before it is bytes, so that what is changed in it can be made to fit again. */
export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** The frame as it goes over the wire. */
export function wire({ type, channel, payload }: Frame): Buffer {
  return new Writer().uint(1, type).uint(2, channel).longString(payload).uint(1, 0xce).bytes;
}

function method(channel: number, name: string, fields: Fields = {}): Frame {
  return { type: 1, channel, payload: encodeMethod(methodNamed(name), fields) };
}

function content(channel: number, fields: Fields, properties: Fields, body: string): Frame[] {
  return [
    method(channel, "basic.publish", fields),
    { type: 2, channel, payload: encodeContentHeader(60, body.length, properties) },
    { type: 3, channel, payload: Buffer.from(body) },
  ];
}

/** Who the fuzzer is, in a vhost of their own. */
export const fuzzer = { name: "fuzzer", password: "fuzz", vhost: "fuzzed" };

/** A login as some user. */
export function startOk(name: string, password: string): Frame {
  return method(0, "connection.start-ok", {
    "client-properties": { product: "fuzz", capabilities: { authentication_failure_close: true, "basic.nack": true } },
    mechanism: "PLAIN",
    response: `\0${name}\0${password}`,
    locale: "en_US",
  });
}

/** What honest clients say after that, until their connection is open. */
export const opening: readonly Frame[] = [
  method(0, "connection.tune-ok", { "channel-max": 2047, "frame-max": 131_072, heartbeat: 0 }),
  method(0, "connection.open", { "virtual-host": fuzzer.vhost }),
];

const headers = {
  text: "x",
  number: new Tagged("I", 7),
  deep: { a: { b: { c: new Tagged("A", [new Tagged("S", "x"), new Tagged("t", true)]) } } },
  CC: new Tagged("A", [new Tagged("S", "q")]),
};
const queueArguments = {
  "x-message-ttl": new Tagged("I", 60_000),
  "x-max-length": new Tagged("I", 100),
  "x-max-priority": new Tagged("B", 5),
  "x-dead-letter-exchange": new Tagged("S", ""),
  "x-overflow": new Tagged("S", "reject-publish"),
};

/** What clients do on a channel that is open: real traffic, in the order in which it makes sense. */
export const conversations: readonly (readonly Frame[])[] = [
  [
    method(1, "queue.declare", { queue: "q", durable: true }),
    method(1, "queue.declare", { queue: "q", passive: true }),
  ],
  [method(1, "queue.declare", { queue: "args", durable: true, arguments: queueArguments })],
  [
    method(1, "queue.declare", {
      queue: "quorum",
      durable: true,
      arguments: { "x-queue-type": new Tagged("S", "quorum") },
    }),
  ],
  [method(1, "queue.declare", { queue: "", exclusive: true }), method(1, "basic.consume", { queue: "" })],
  [
    method(1, "exchange.declare", { exchange: "x", type: "topic", durable: true }),
    method(1, "queue.declare", { queue: "q", durable: true }),
    method(1, "queue.bind", { queue: "q", exchange: "x", "routing-key": "a.*.#" }),
    ...content(1, { exchange: "x", "routing-key": "a.b.c" }, { headers, "delivery-mode": 2 }, "routed"),
  ],
  [
    method(1, "exchange.declare", { exchange: "h", type: "headers" }),
    method(1, "queue.bind", { queue: "q", exchange: "h", arguments: { "x-match": "any", text: "x" } }),
    ...content(1, { exchange: "h" }, { headers, priority: 3, expiration: "1000" }, "by its headers"),
  ],
  [
    method(1, "exchange.declare", {
      exchange: "d",
      type: "x-delayed-message",
      arguments: { "x-delayed-type": "direct" },
    }),
    ...content(1, { exchange: "d" }, { headers: { "x-delay": new Tagged("I", 50) } }, "late"),
  ],
  [
    method(1, "exchange.bind", { destination: "x", source: "h" }),
    method(1, "exchange.unbind", { destination: "x", source: "h" }),
  ],
  [method(1, "confirm.select"), ...content(1, { "routing-key": "q" }, { "delivery-mode": 2 }, "confirmed")],
  [
    method(1, "tx.select"),
    ...content(1, { "routing-key": "q" }, { "message-id": "1", timestamp: 1 }, "in a transaction"),
    method(1, "tx.commit"),
    method(1, "tx.rollback"),
  ],
  [
    method(1, "basic.qos", { "prefetch-count": 10 }),
    method(1, "basic.consume", { queue: "q", "consumer-tag": "t", arguments: { "x-priority": new Tagged("I", 5) } }),
    method(1, "basic.ack", { "delivery-tag": 1 }),
    method(1, "basic.nack", { "delivery-tag": 2, requeue: true }),
    method(1, "basic.reject", { "delivery-tag": 3 }),
    method(1, "basic.recover", { requeue: true }),
    method(1, "basic.cancel", { "consumer-tag": "t" }),
  ],
  [method(1, "basic.get", { queue: "q" }), method(1, "basic.ack", { "delivery-tag": 1, multiple: true })],
  [
    method(1, "basic.consume", { queue: "amq.rabbitmq.reply-to", "no-ack": true }),
    ...content(1, { "routing-key": "q", mandatory: true }, { "reply-to": "amq.rabbitmq.reply-to" }, "?"),
  ],
  [
    method(1, "queue.purge", { queue: "q" }),
    method(1, "queue.unbind", { queue: "q", exchange: "x", "routing-key": "a.*.#" }),
  ],
  [method(1, "queue.delete", { queue: "args", "if-empty": true }), method(1, "exchange.delete", { exchange: "x" })],
  [method(1, "channel.flow", { active: true }), method(1, "channel.close", { "reply-code": 200 })],
  [{ type: 8, channel: 0, payload: Buffer.alloc(0) }, method(0, "connection.update-secret", { "new-secret": "x" })],
];
