import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import {
  byName,
  declareExchange,
  declareQueue,
  declareQueueWith,
  type Refusal,
  type Step,
  useRefusalBench,
} from "../support/refusals.ts";
import { type Fields, Tagged } from "../support/wire-codec.ts";

const broker = useBroker();
const bench = useRefusalBench(broker);

const noQueue = "NOT_FOUND - no queue '<q>' in vhost '/'";
const noExchange = "NOT_FOUND - no exchange '<x>' in vhost '/'";
const nothingDeclared = "NOT_FOUND - no previously declared queue";
const onDefaultExchange = "ACCESS_REFUSED - operation not permitted on the default exchange";
const locked =
  "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '<q>' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.";

const missing: Refusal[] = [
  {
    name: "passive declare of a missing queue",
    steps: [["queue.declare", { queue: "<q>", passive: true }]],
    text: noQueue,
  },
  { name: "consuming from a missing queue", steps: [["basic.consume", { queue: "<q>" }]], text: noQueue },
  { name: "getting from a missing queue", steps: [["basic.get", { queue: "<q>" }]], text: noQueue },
  { name: "purging a missing queue", steps: [["queue.purge", { queue: "<q>" }]], text: noQueue },
  { name: "binding a missing queue", steps: [["queue.bind", { queue: "<q>", exchange: "amq.direct" }]], text: noQueue },
  {
    name: "binding to a missing exchange",
    steps: [declareQueue(), ["queue.bind", { queue: "<q>", exchange: "<x>" }]],
    text: noExchange,
  },
  {
    name: "binding where both are missing",
    steps: [["queue.bind", { queue: "<q>", exchange: "<x>" }]],
    text: noExchange,
  },
  {
    name: "passive declare of a missing exchange",
    steps: [["exchange.declare", { exchange: "<x>", passive: true }]],
    text: noExchange,
  },
  {
    name: "binding a missing exchange",
    steps: [["exchange.bind", { source: "amq.direct", destination: "<x>" }]],
    text: noExchange,
  },
  {
    name: "binding from a missing exchange",
    steps: [["exchange.bind", { source: "<x>", destination: "amq.direct" }]],
    text: noExchange,
  },
  { name: "consuming from the last queue when there is none", steps: [["basic.consume"]], text: nothingDeclared },
  { name: "getting from the last queue when there is none", steps: [["basic.get"]], text: nothingDeclared },
  {
    name: "binding the last queue when there is none",
    steps: [["queue.bind", { exchange: "amq.direct" }]],
    text: nothingDeclared,
  },
  { name: "purging the last queue when there is none", steps: [["queue.purge"]], text: nothingDeclared },
  { name: "deleting the last queue when there is none", steps: [["queue.delete"]], text: nothingDeclared },
  {
    name: "passive declare without a name",
    steps: [["queue.declare", { passive: true }]],
    text: "NOT_FOUND - no queue '' in vhost '/'",
  },
  {
    name: "passive declare of a missing reserved name",
    steps: [["queue.declare", { queue: "amq.<q>", passive: true }]],
    text: "NOT_FOUND - no queue 'amq.<q>' in vhost '/'",
  },
];

const forQueue = (argument: string, reason: string) =>
  `PRECONDITION_FAILED - inequivalent arg '${argument}' for queue '<q>' in vhost '/': ${reason}`;
const forExchange = (argument: string, reason: string) =>
  `PRECONDITION_FAILED - inequivalent arg '${argument}' for exchange '<x>' in vhost '/': ${reason}`;
const plainQueue: Step = ["queue.declare", { queue: "<q>" }];
const differsNow = "received 'true' but current is 'false'";

const inequivalent: Refusal[] = [
  {
    name: "redeclaring a queue as durable",
    steps: [plainQueue, ["queue.declare", { queue: "<q>", durable: true }]],
    text: forQueue("durable", differsNow),
  },
  {
    name: "redeclaring a queue as auto-delete",
    steps: [plainQueue, ["queue.declare", { queue: "<q>", "auto-delete": true }]],
    text: forQueue("auto_delete", differsNow),
  },
  { name: "redeclaring a queue as exclusive", steps: [plainQueue, declareQueue()], text: locked },
  { name: "redeclaring an exclusive queue as shared", steps: [declareQueue(), plainQueue], text: locked },
  {
    name: "redeclaring with an argument more",
    steps: [declareQueue(), declareQueueWith({ "x-message-ttl": 60_000 })],
    text: forQueue("x-message-ttl", "received the value '60000' of type 'signedint' but current is none"),
  },
  {
    name: "redeclaring with an argument less",
    steps: [declareQueueWith({ "x-message-ttl": 60_000 }), declareQueue()],
    text: forQueue("x-message-ttl", "received none but current is the value '60000' of type 'signedint'"),
  },
  {
    name: "redeclaring with another value",
    steps: [declareQueueWith({ "x-max-length": 5 }), declareQueueWith({ "x-max-length": 10 })],
    text: forQueue("x-max-length", "received '10' but current is '5'"),
  },
  {
    name: "redeclaring with another text",
    steps: [declareQueueWith({ "x-dead-letter-exchange": "a" }), declareQueueWith({ "x-dead-letter-exchange": "b" })],
    text: forQueue("x-dead-letter-exchange", "received 'b' but current is 'a'"),
  },
  {
    name: "redeclaring with a text more",
    steps: [declareQueue(), declareQueueWith({ "x-dead-letter-exchange": "a" })],
    text: forQueue("x-dead-letter-exchange", "received the value 'a' of type 'longstr' but current is none"),
  },
  {
    name: "redeclaring an exchange with another type",
    steps: [declareExchange(), declareExchange({ type: "fanout" })],
    text: forExchange("type", "received 'fanout' but current is 'direct'"),
  },
  {
    name: "redeclaring an exchange as durable",
    steps: [declareExchange(), declareExchange({ durable: true })],
    text: forExchange("durable", differsNow),
  },
  {
    name: "redeclaring an exchange as auto-delete",
    steps: [declareExchange(), declareExchange({ "auto-delete": true })],
    text: forExchange("auto_delete", differsNow),
  },
  {
    name: "redeclaring an exchange as internal",
    steps: [declareExchange(), declareExchange({ internal: true })],
    text: forExchange("internal", differsNow),
  },
  {
    name: "redeclaring with an alternate exchange",
    steps: [declareExchange(), declareExchange({ arguments: { "alternate-exchange": "a" } })],
    text: forExchange("alternate-exchange", "received the value 'a' of type 'longstr' but current is none"),
  },
  {
    name: "redeclaring amq.direct with another type",
    steps: [["exchange.declare", { exchange: "amq.direct", type: "fanout", durable: true }]],
    text: "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.direct' in vhost '/': received 'fanout' but current is 'direct'",
  },
];

const badArguments: [args: Fields, reason: string][] = [
  [{ "x-expires": 0 }, "{value_zero,0}"],
  [{ "x-expires": -1 }, "{value_negative,-1}"],
  [{ "x-expires": "1000" }, '"expected integer, got longstr"'],
  [{ "x-expires": 315_360_000_001 }, "{value_too_large,315360000001}"],
  [{ "x-message-ttl": -1 }, "{value_negative,-1}"],
  [{ "x-message-ttl": new Tagged("s", -5) }, "{value_negative,-5}"],
  [{ "x-message-ttl": 315_360_000_001 }, "{value_too_large,315360000001}"],
  [{ "x-message-ttl": "5" }, '"expected integer, got longstr"'],
  [{ "x-message-ttl": true }, '"expected integer, got bool"'],
  [{ "x-message-ttl": 1.5 }, '"expected integer, got double"'],
  [{ "x-message-ttl": new Tagged("f", 5) }, '"expected integer, got float"'],
  [{ "x-message-ttl": new Tagged("D", 5) }, '"expected integer, got decimal"'],
  [{ "x-message-ttl": new Tagged("T", 5) }, '"expected integer, got timestamp"'],
  [{ "x-message-ttl": null }, '"expected integer, got void"'],
  [{ "x-message-ttl": [] }, '"expected integer, got array"'],
  [{ "x-message-ttl": new Tagged("F", {}) }, '"expected integer, got table"'],
  [{ "x-message-ttl": new Tagged("x", "5") }, '"expected integer, got binary"'],
  [{ "x-max-length": -1 }, "{value_negative,-1}"],
  [{ "x-max-length": "a" }, '"expected integer, got longstr"'],
  [{ "x-max-length-bytes": -1 }, "{value_negative,-1}"],
  [{ "x-max-priority": 256 }, "{max_value_exceeded,256}"],
  [{ "x-max-priority": -1 }, "{value_negative,-1}"],
  [{ "x-max-priority": "a" }, '"expected integer, got longstr"'],
  [{ "x-overflow": "spill" }, "invalid_overflow"],
  [{ "x-overflow": 5 }, "{unacceptable_type,signedint}"],
  [{ "x-dead-letter-routing-key": "a" }, "routing_key_but_no_dlx_defined"],
  [{ "x-dead-letter-exchange": "a", "x-dead-letter-routing-key": 5 }, "{unacceptable_type,signedint}"],
  [{ "x-single-active-consumer": "yes" }, "{unacceptable_type,longstr}"],
  [{ "x-queue-type": "stack" }, "\"unsupported queue type 'stack'\""],
  [{ "x-queue-type": 5 }, "{unacceptable_type,signedint}"],
];

const invalid: Refusal[] = [
  ...badArguments.map(([args, reason]): Refusal => {
    const [argument = ""] = Object.keys(args).slice(-1);
    const text = `PRECONDITION_FAILED - invalid arg '${argument}' for queue '<q>' in vhost '/': ${reason}`;
    return { name: `a queue with ${argument} that is ${reason}`, steps: [declareQueueWith(args)], text };
  }),
  {
    name: "a dead-letter exchange that is no text",
    steps: [declareQueueWith({ "x-dead-letter-exchange": 5 })],
    text: "PRECONDITION_FAILED - invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue '<q>' in vhost '/'",
  },
  {
    name: "an alternate exchange that is no text",
    steps: [declareExchange({ arguments: { "alternate-exchange": 5 } })],
    text: "PRECONDITION_FAILED - invalid type 'signedint' for arg 'alternate-exchange' in exchange '<x>' in vhost '/'",
  },
  {
    name: "a stream's argument on a classic queue",
    steps: [declareQueueWith({ "x-max-age": "1h" })],
    text: "PRECONDITION_FAILED - invalid arg 'x-max-age' for queue '<q>' in vhost '/' of queue type rabbit_classic_queue",
  },
  {
    name: "an unknown exchange type",
    steps: [declareExchange({ type: "circular" })],
    text: "PRECONDITION_FAILED - unknown exchange type 'circular'",
    difference: "unknown exchange type",
  },
  {
    name: "an unknown x-match",
    steps: [
      declareQueue(),
      ["queue.bind", { queue: "<q>", exchange: "amq.headers", arguments: { "x-match": "most" } }],
    ],
    text: 'PRECONDITION_FAILED - Invalid x-match field value <<"most">>; expected all, any, all-with-x, or any-with-x',
  },
  {
    name: "an x-match that is no text",
    steps: [declareQueue(), ["queue.bind", { queue: "<q>", exchange: "amq.headers", arguments: { "x-match": 5 } }]],
    text: "PRECONDITION_FAILED - Invalid x-match field type signedint (value 5); expected longstr",
  },
  {
    name: "a consumer priority that is no number",
    steps: [declareQueue(), ["basic.consume", { queue: "<q>", arguments: { "x-priority": "high" } }]],
    text: "PRECONDITION_FAILED - invalid arg 'x-priority' for queue '<q>' in vhost '/': \"expected integer, got longstr\"",
  },
];

const deletion = (name: string) => `ACCESS_REFUSED - deletion of system exchange '${name}' in vhost '/' not allowed`;

const reserved: Refusal[] = [
  {
    name: "declaring a queue with a reserved name",
    steps: [["queue.declare", { queue: "amq.<q>" }]],
    text: "ACCESS_REFUSED - queue name 'amq.<q>' contains reserved prefix 'amq.*'",
  },
  {
    name: "declaring an exchange with a reserved name",
    steps: [["exchange.declare", { exchange: "amq.<x>", type: "direct" }]],
    text: "ACCESS_REFUSED - exchange name 'amq.<x>' contains reserved prefix 'amq.*'",
  },
  {
    name: "deleting a system exchange",
    steps: [["exchange.delete", { exchange: "amq.direct" }]],
    text: deletion("amq.direct"),
  },
  {
    name: "deleting a reserved name that is not there",
    steps: [["exchange.delete", { exchange: "amq.<x>" }]],
    text: deletion("amq.<x>"),
  },
  ...["queue.bind", "queue.unbind"].map(
    (method): Refusal => ({
      name: `${method} of the pseudo-queue of replies`,
      steps: [[method, { queue: "amq.rabbitmq.reply-to", exchange: "amq.direct" }]],
      text: "ACCESS_REFUSED - cannot bind or unbind to a volatile (direct reply-to) queue",
      difference: "reply-to binding",
    }),
  ),
  {
    name: "declaring the default exchange",
    steps: [["exchange.declare", { exchange: "", type: "direct", durable: true }]],
    text: onDefaultExchange,
  },
  {
    name: "passive declare of the default exchange",
    steps: [["exchange.declare", { exchange: "", passive: true }]],
    text: onDefaultExchange,
  },
  { name: "deleting the default exchange", steps: [["exchange.delete", { exchange: "" }]], text: onDefaultExchange },
  {
    name: "binding a queue to the default exchange",
    steps: [declareQueue(), ["queue.bind", { queue: "<q>", exchange: "" }]],
    text: onDefaultExchange,
  },
  {
    name: "unbinding a queue from the default exchange",
    steps: [declareQueue(), ["queue.unbind", { queue: "<q>", exchange: "" }]],
    text: onDefaultExchange,
  },
  {
    name: "binding an exchange to the default exchange",
    steps: [["exchange.bind", { source: "", destination: "amq.direct" }]],
    text: onDefaultExchange,
  },
  {
    name: "binding the default exchange to another",
    steps: [["exchange.bind", { source: "amq.direct", destination: "" }]],
    text: onDefaultExchange,
  },
  {
    name: "unbinding an exchange from the default exchange",
    steps: [["exchange.unbind", { source: "", destination: "amq.direct" }]],
    text: onDefaultExchange,
  },
];

const inUse: Refusal[] = [
  {
    name: "deleting a queue with a consumer, if unused",
    steps: [
      declareQueue(),
      ["basic.consume", { queue: "<q>" }],
      ["queue.delete", { queue: "<q>", "if-unused": true, "if-empty": true }],
    ],
    text: "PRECONDITION_FAILED - queue '<q>' in vhost '/' in use",
  },
  {
    name: "deleting an exchange with a binding, if unused",
    steps: [
      declareQueue(),
      declareExchange(),
      ["queue.bind", { queue: "<q>", exchange: "<x>" }],
      ["exchange.delete", { exchange: "<x>", "if-unused": true }],
    ],
    text: "PRECONDITION_FAILED - exchange '<x>' in vhost '/' in use",
  },
];

describe("declarations: the broker closes the channel, and nothing else, for", () => {
  const refusals = [missing, inequivalent, invalid, reserved, inUse].flat();

  it.for(byName(refusals))("%s", async ([, refusal], context) => {
    if (refusal.difference !== undefined) differs(context, refusal.difference);
    expect(await bench.provoke(refusal)).toEqual(bench.expected(refusal, "channel.close"));
    bench.wire.sendMethod(1, "channel.close-ok");
    await bench.wire.openChannel(1);
  });

  it("deleting a queue with messages, if empty", async () => {
    const { queue } = bench;
    await bench.wire.call(1, "confirm.select");
    await bench.wire.call(1, "queue.declare", { queue, exclusive: true });
    bench.wire.publish(1, { "routing-key": queue }, "message");
    await bench.wire.expect("basic.ack");
    bench.wire.sendMethod(1, "queue.delete", { queue, "if-empty": true });
    const close = await bench.wire.expect("channel.close");
    expect(close["reply-text"]).toBe(`PRECONDITION_FAILED - queue '${queue}' in vhost '/' not empty`);
  });

  const onLocked: Step[] = [
    ["queue.declare", { queue: "<q>" }],
    ["queue.declare", { queue: "<q>", passive: true }],
    ["queue.bind", { queue: "<q>", exchange: "amq.direct" }],
    ["queue.purge", { queue: "<q>" }],
    ["queue.delete", { queue: "<q>" }],
    ["basic.consume", { queue: "<q>" }],
    ["basic.get", { queue: "<q>" }],
  ];

  it.for(onLocked)("%s on another connection's exclusive queue", async (step) => {
    await bench.neighbour.call(1, "queue.declare", { queue: bench.queue, exclusive: true });
    const refusal = { name: "", steps: [step], text: locked };
    expect(await bench.provoke(refusal)).toEqual(bench.expected(refusal, "channel.close"));
  });
});
