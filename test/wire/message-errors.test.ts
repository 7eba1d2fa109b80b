import { describe, expect, it } from "vitest";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import {
  byName,
  declareExchange,
  declareQueue,
  declareQueueWith,
  publish,
  type Refusal,
  useRefusalBench,
} from "../support/refusals.ts";

const sizeMax = 100_000;
const broker = useBroker({ args: ["--max-message-size", String(sizeMax)] });
const bench = useRefusalBench(broker);

const noExchange = "NOT_FOUND - no exchange '<x>' in vhost '/'";

const expirations: [expiration: string, reason: string][] = [
  ["abc", "no_integer"],
  ["", "no_integer"],
  [" 5", "no_integer"],
  ["5x", '{leftover_string,"x"}'],
  ["5 ", '{leftover_string," "}'],
  ["1.5", '{leftover_string,".5"}'],
  ["-1", "{value_negative,-1}"],
  ["315360000001", "{value_too_large,315360000001}"],
];

const toNobody = { "routing-key": "<q>" };
const unacceptable = (header: string, type: string) =>
  `PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,"${header}",${type}}`;

const publishing: Refusal[] = [
  {
    name: "publishing to a missing exchange",
    provoke: publish({ exchange: "<x>" }),
    method: "basic.publish",
    text: noExchange,
  },
  ...expirations.map(
    ([expiration, reason]): Refusal => ({
      name: `publishing with the expiration '${expiration}'`,
      provoke: publish(toNobody, { expiration }),
      method: "basic.publish",
      text: `PRECONDITION_FAILED - invalid expiration '${expiration}': ${reason}`,
    }),
  ),
  {
    name: "publishing as another user",
    provoke: publish(toNobody, { "user-id": "joe" }),
    method: "basic.publish",
    text: "PRECONDITION_FAILED - user_id property set to 'joe' but authenticated user was 'guest'",
  },
  {
    name: "publishing with a CC that is no list",
    provoke: publish(toNobody, { headers: { CC: "a" } }),
    method: "basic.publish",
    text: unacceptable("CC", "longstr"),
  },
  {
    name: "publishing with a CC that is a number",
    provoke: publish(toNobody, { headers: { CC: 5 } }),
    method: "basic.publish",
    text: unacceptable("CC", "signedint"),
  },
  {
    name: "publishing with a BCC that is no list",
    provoke: publish(toNobody, { headers: { BCC: "a" } }),
    method: "basic.publish",
    text: unacceptable("BCC", "longstr"),
  },
  {
    name: "publishing to an internal exchange",
    steps: [declareExchange({ internal: true })],
    provoke: publish({ exchange: "<x>" }),
    method: "basic.publish",
    text: "ACCESS_REFUSED - cannot publish to internal exchange '<x>' in vhost '/'",
  },
  {
    name: "a direct reply-to without a consumer for it",
    provoke: publish(toNobody, { "reply-to": "amq.rabbitmq.reply-to" }),
    method: "basic.publish",
    text: "PRECONDITION_FAILED - fast reply consumer does not exist",
  },
  {
    name: "a missing exchange in a transaction",
    steps: [["tx.select"]],
    provoke: publish({ exchange: "<x>" }),
    method: "basic.publish",
    text: noExchange,
  },
];

const replyTo = { queue: "amq.rabbitmq.reply-to" };
const unknownTag = (tag: number) => `PRECONDITION_FAILED - unknown delivery tag ${tag}`;

const delivering: Refusal[] = [
  {
    name: "acknowledging what was never delivered",
    steps: [["basic.ack", { "delivery-tag": 5 }]],
    text: unknownTag(5),
  },
  { name: "acknowledging the tag 0 alone", steps: [["basic.ack", { "delivery-tag": 0 }]], text: unknownTag(0) },
  {
    name: "acknowledging up to what was never delivered",
    steps: [["basic.ack", { "delivery-tag": 9, multiple: true }]],
    text: unknownTag(9),
  },
  { name: "rejecting what was never delivered", steps: [["basic.reject", { "delivery-tag": 7 }]], text: unknownTag(7) },
  { name: "nacking what was never delivered", steps: [["basic.nack", { "delivery-tag": 7 }]], text: unknownTag(7) },
  {
    name: "acknowledging an unknown tag in a transaction",
    steps: [["tx.select"], ["basic.ack", { "delivery-tag": 4 }]],
    text: unknownTag(4),
  },
  {
    name: "consuming beside an exclusive consumer",
    steps: [declareQueue(), ["basic.consume", { queue: "<q>", exclusive: true }], ["basic.consume", { queue: "<q>" }]],
    text: "ACCESS_REFUSED - queue '<q>' in vhost '/' in exclusive use",
  },
  {
    name: "consuming exclusively beside a consumer",
    steps: [declareQueue(), ["basic.consume", { queue: "<q>" }], ["basic.consume", { queue: "<q>", exclusive: true }]],
    text: "ACCESS_REFUSED - queue '<q>' in vhost '/' in exclusive use",
  },
  {
    name: "an exclusive consumer of a single active consumer queue",
    steps: [
      declareQueueWith({ "x-single-active-consumer": true }),
      ["basic.consume", { queue: "<q>", exclusive: true }],
    ],
    text: "ACCESS_REFUSED - queue '<q>' in vhost '/' in exclusive use",
  },
  {
    name: "a reply consumer that acknowledges",
    steps: [["basic.consume", replyTo]],
    text: "PRECONDITION_FAILED - reply consumer cannot acknowledge",
  },
  {
    name: "a second reply consumer",
    steps: [
      ["basic.consume", { ...replyTo, "no-ack": true }],
      ["basic.consume", { ...replyTo, "no-ack": true }],
    ],
    text: "PRECONDITION_FAILED - reply consumer already set",
  },
  {
    name: "getting from the reply pseudo-queue",
    steps: [["basic.get", replyTo]],
    text: "NOT_FOUND - no queue 'amq.rabbitmq.reply-to' in vhost '/'",
  },
  {
    name: "passive declare of a caller that is not there",
    steps: [["queue.declare", { queue: "amq.rabbitmq.reply-to.<q>", passive: true }]],
    text: "NOT_FOUND - no queue 'amq.rabbitmq.reply-to.<q>' in vhost '/'",
  },
];

const modes: Refusal[] = [
  {
    name: "committing without a transaction",
    steps: [["tx.commit"]],
    text: "PRECONDITION_FAILED - channel is not transactional",
  },
  {
    name: "rolling back without a transaction",
    steps: [["tx.rollback"]],
    text: "PRECONDITION_FAILED - channel is not transactional",
  },
  {
    name: "confirms on a transactional channel",
    steps: [["tx.select"], ["confirm.select"]],
    text: "PRECONDITION_FAILED - cannot switch from tx to confirm mode",
  },
  {
    name: "a transaction on a confirming channel",
    steps: [["confirm.select"], ["tx.select"]],
    text: "PRECONDITION_FAILED - cannot switch from confirm to tx mode",
  },
];

describe("messages: the broker closes the channel, and nothing else, for", () => {
  const refusals = [publishing, delivering, modes].flat();

  it.for(byName(refusals))("%s", async ([, refusal], context) => {
    if (refusal.difference !== undefined) differs(context, refusal.difference);
    expect(await bench.provoke(refusal)).toEqual(bench.expected(refusal, "channel.close"));
    bench.wire.sendMethod(1, "channel.close-ok");
    await bench.wire.openChannel(1);
  });

  it("a message larger than the limit", async (context) => {
    needsOwnBroker(context);
    bench.wire.publish(1, {}, Buffer.alloc(sizeMax));
    bench.wire.publish(1, {}, Buffer.alloc(sizeMax + 1));
    const refusal = {
      name: "",
      method: "basic.publish",
      text: `PRECONDITION_FAILED - message size ${sizeMax + 1} is larger than configured max size ${sizeMax}`,
    };
    const { fields } = await bench.wire.nextMethod("channel.close");
    expect({ close: "channel.close", ...fields }).toEqual(bench.expected(refusal, "channel.close"));
  });

  it("acknowledging a delivery twice", async () => {
    const { queue } = bench;
    await bench.wire.call(1, "queue.declare", { queue, exclusive: true });
    bench.wire.publish(1, { "routing-key": queue }, "message");
    bench.wire.sendMethod(1, "basic.get", { queue });
    await bench.wire.expect("basic.get-ok");
    await bench.wire.nextContent();
    bench.wire.sendMethod(1, "basic.ack", { "delivery-tag": 1 });
    bench.wire.sendMethod(1, "basic.ack", { "delivery-tag": 1 });
    expect((await bench.wire.expect("channel.close"))["reply-text"]).toBe(unknownTag(1));
  });
});
