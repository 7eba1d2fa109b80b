import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import { byName, declareQueue, publish, type Refusal, useRefusalBench } from "../support/refusals.ts";
import { WireClient } from "../support/wire-client.ts";

const broker = useBroker();
const bench = useRefusalBench(broker);

const toNobody = { "routing-key": "<q>" };

const inState = "CHANNEL_ERROR - unexpected method in connection state running";
const unimplemented = "COMMAND_INVALID - unimplemented method";
const expectedOpen = "CHANNEL_ERROR - expected 'channel.open'";
const noMethodFrame = "UNEXPECTED_FRAME - expected method frame, got non method frame instead";
const noHeader = "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead";
const noBody = "UNEXPECTED_FRAME - expected content body, got non content body frame instead";
const tag = { queue: "<q>", "consumer-tag": "<q>" };

const hard: Refusal[] = [
  {
    name: "using a consumer tag twice",
    steps: [declareQueue(), ["basic.consume", tag], ["basic.consume", tag]],
    text: "NOT_ALLOWED - attempt to reuse consumer tag '<q>'",
  },
  {
    name: "an immediate message",
    provoke: publish({ ...toNobody, immediate: true }),
    method: "basic.publish",
    text: "NOT_IMPLEMENTED - immediate=true",
  },
  {
    name: "a prefetch size",
    steps: [["basic.qos", { "prefetch-size": 10 }]],
    text: "NOT_IMPLEMENTED - prefetch_size!=0 (10)",
  },
  {
    name: "recovery without requeue",
    steps: [["basic.recover", { requeue: false }]],
    text: "NOT_IMPLEMENTED - requeue=false",
  },
  { name: "stopping the flow", steps: [["channel.flow", { active: false }]], text: "NOT_IMPLEMENTED - active=false" },
  { name: "opening a channel twice", steps: [["channel.open"]], text: "CHANNEL_ERROR - second 'channel.open' seen" },
  {
    name: "a method before channel.open",
    provoke: (client) => client.sendMethod(2, "queue.declare"),
    method: "queue.declare",
    text: expectedOpen,
  },
  {
    name: "a publish before channel.open",
    provoke: (client) => client.publish(2, {}),
    method: "basic.publish",
    text: expectedOpen,
  },
  {
    name: "closing a channel that is not open",
    provoke: (client) => client.sendMethod(2, "channel.close"),
    method: "channel.close",
    text: expectedOpen,
  },
  {
    name: "a channel's method on channel 0",
    provoke: (client) => client.sendMethod(0, "queue.declare"),
    method: "queue.declare",
    text: inState,
  },
  {
    name: "opening channel 0",
    provoke: (client) => client.sendMethod(0, "channel.open"),
    method: "channel.open",
    text: inState,
  },
  {
    name: "opening the connection twice",
    provoke: (client) => client.sendMethod(0, "connection.open", { "virtual-host": "/" }),
    method: "connection.open",
    text: inState,
  },
  {
    name: "a login after the login",
    provoke: (client) => client.startOk(),
    method: "connection.start-ok",
    text: inState,
  },
  {
    name: "connection.close-ok without a close",
    provoke: (client) => client.sendMethod(0, "connection.close-ok"),
    method: "connection.close-ok",
    text: inState,
  },
  {
    name: "a connection's method on a channel",
    steps: [["connection.open", { "virtual-host": "/" }]],
    text: unimplemented,
  },
  { name: "closing the connection on a channel", steps: [["connection.close"]], text: unimplemented },
  { name: "a server's method", steps: [["queue.declare-ok", { queue: "<q>" }]], text: unimplemented },
  { name: "channel.flow-ok without a flow", steps: [["channel.flow-ok", { active: true }]], text: unimplemented },
  { name: "channel.close-ok without a close", steps: [["channel.close-ok"]], text: unimplemented },
  {
    name: "arguments that end too soon",
    provoke: (client) => client.sendFrame(1, 1, Buffer.from([0, 50, 0, 10, 0, 0, 5])),
    method: "queue.declare",
    text: "FRAME_ERROR - cannot decode <<0,0,5>>",
  },
  {
    name: "bytes behind the arguments",
    provoke: (client) => client.sendFrame(1, 1, Buffer.from([0, 60, 0, 10, 0, 0, 0, 0, 0, 1, 0, 9, 9])),
    method: "basic.qos",
    text: "FRAME_ERROR - cannot decode <<0,0,0,0,0,1,0,9,9>>",
  },
  {
    name: "a method frame without a whole method number",
    provoke: (client) => client.sendFrame(1, 1, Buffer.from([0, 50])),
    text: "FRAME_ERROR - type 1, all octets = <<0,50>>: unknown_frame",
  },
  {
    name: "an unknown frame type",
    provoke: (client) => client.sendFrame(4, 1, Buffer.from([1, 2])),
    text: "FRAME_ERROR - type 4, all octets = <<1,2>>: unknown_frame",
  },
  {
    name: "a heartbeat with a payload",
    provoke: (client) => client.sendFrame(8, 0, Buffer.from([1])),
    text: "FRAME_ERROR - type 8, all octets = <<1>>: unknown_frame",
  },
  {
    name: "a heartbeat on a channel",
    provoke: (client) => client.sendHeartbeat(1),
    text: "UNEXPECTED_FRAME - type 8, all octets = <<>>",
  },
  {
    name: "a wrong end of a frame",
    provoke: (client) => client.send(Buffer.from([1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 20, 0xaa])),
    text: "FRAME_ERROR - type 1, all octets = <<0,60,0,20>>: {invalid_frame_end_marker,170}",
  },
  {
    name: "a wrong end of a long frame",
    provoke: (client) =>
      client.send(Buffer.concat([Buffer.from([3, 0, 1, 0, 0, 0, 20]), Buffer.alloc(20, 1), Buffer.from([0xaa])])),
    text: "FRAME_ERROR - type 3, first 16 octets = <<1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1>>: {invalid_frame_end_marker,170}",
  },
  {
    name: "a frame over the negotiated size",
    provoke: (client) => client.sendFrame(3, 1, Buffer.alloc(131_073)),
    text: "FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,131073,131064}",
  },
  {
    name: "the head alone of a frame over the negotiated size",
    provoke: (client) => client.send(Buffer.from([1, 0, 1, 0xff, 0xff, 0xff, 0xff])),
    text: "FRAME_ERROR - type 1, all octets = <<>>: {frame_too_large,4294967295,131064}",
  },
  { name: "a content header out of nowhere", provoke: (client) => client.sendContentHeader(1, 5), text: noMethodFrame },
  {
    name: "a content body out of nowhere",
    provoke: (client) => client.sendBody(1, Buffer.from("x")),
    text: noMethodFrame,
  },
  {
    name: "a content body on a channel that is not open",
    provoke: (client) => client.sendBody(7, Buffer.from("x")),
    text: noMethodFrame,
  },
  {
    name: "a content body on channel 0",
    provoke: (client) => client.sendBody(0, Buffer.from("abc")),
    text: 'UNEXPECTED_FRAME - type 3, all octets = <<"abc">>',
  },
  {
    name: "a content header on channel 0",
    provoke: (client) => client.sendContentHeader(0, 1),
    text: "UNEXPECTED_FRAME - type 2, all octets = <<0,60,0,0,0,0,0,0,0,0,0,1,0,0>>",
  },
  {
    name: "a method where a content header is due",
    provoke: (client) => afterPublish(client).sendMethod(1, "basic.qos"),
    method: "basic.publish",
    text: noHeader,
  },
  {
    name: "a content body where its header is due",
    provoke: (client) => afterPublish(client).sendBody(1, Buffer.from("x")),
    method: "basic.publish",
    text: noHeader,
  },
  {
    name: "a content header of another class",
    provoke: (client) => afterPublish(client).sendContentHeader(1, 5, {}, 50),
    method: "basic.publish",
    text: "UNEXPECTED_FRAME - expected content header for class 60, got one for class 50 instead",
  },
  {
    name: "a method where a content body is due",
    provoke: (client) => afterPublish(client, 5).sendMethod(1, "basic.qos"),
    method: "basic.publish",
    text: noBody,
  },
  {
    name: "a content header where its body is due",
    provoke: (client) => afterPublish(client, 5).sendContentHeader(1, 5),
    method: "basic.publish",
    text: noBody,
  },
  {
    name: "a body longer than its header says",
    provoke: (client) => afterPublish(client, 2).sendBody(1, Buffer.from("xxx")),
    method: "basic.publish",
    text: "FRAME_ERROR - content body frame exceeds remaining content size",
    difference: "body size",
  },
  {
    name: "a header that announces more than any message may have",
    provoke: (client) => afterPublish(client, 536_870_913),
    method: "basic.publish",
    text: "FRAME_ERROR - content body size 536870913 exceeds maximum allowed size 536870912",
    difference: "body size",
  },
];

/** basic.publish without its content; with a size also the content header. */
function afterPublish(client: WireClient, bodySize?: number): WireClient {
  client.sendMethod(1, "basic.publish", { "routing-key": "nobody" });
  if (bodySize !== undefined) client.sendContentHeader(1, bodySize);
  return client;
}

describe("the broker closes the connection for", () => {
  it.for(byName(hard))("%s", async ([, refusal], context) => {
    if (refusal.difference !== undefined) differs(context, refusal.difference);
    expect(await bench.provoke(refusal)).toEqual(bench.expected(refusal, "connection.close"));
    bench.wire.sendMethod(0, "connection.close-ok");
    expect(await bench.wire.next("the end")).toEqual({ type: "closed" });
  });

  it("more channels than were negotiated", async () => {
    const small = await WireClient.open(broker, { channelMax: 2 });
    await small.openChannel(1);
    await small.openChannel(2);
    small.sendMethod(3, "channel.open");
    expect(await small.expect("connection.close")).toEqual({
      "reply-code": 530,
      "reply-text": "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)",
      "class-id": 0,
      "method-id": 0,
    });
    small.destroy();
  });
});

describe("bytes that make no sense", () => {
  const nonsense: [what: string, frame: (client: WireClient) => void][] = [
    ["an unknown method", (client) => client.sendFrame(1, 1, Buffer.from([0, 50, 0, 99]))],
    ["an unknown class", (client) => client.sendFrame(1, 1, Buffer.from([0, 99, 0, 1]))],
    ["a short method on channel 0", (client) => client.sendFrame(1, 0, Buffer.from([0, 10, 0, 40, 5]))],
    ["a table that ends too soon", (client) => client.sendFrame(1, 1, queueDeclare([0, 0, 0, 3, 1, 0x61, 0x3f]))],
    [
      "a table value of an unknown type",
      (client) => client.sendFrame(1, 1, queueDeclare([0, 0, 0, 4, 1, 0x61, 0x3f, 0])),
    ],
    [
      "a name that is not UTF-8",
      (client) => client.sendFrame(1, 1, Buffer.from([0, 50, 0, 10, 0, 0, 2, 0xff, 0xfe, 4, 0, 0, 0, 0])),
    ],
    [
      "properties without their values",
      (client) =>
        afterPublish(client).sendFrame(2, 1, Buffer.from([0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfc, 1])),
    ],
  ];

  function queueDeclare(table: number[]): Buffer {
    return Buffer.from([0, 50, 0, 10, 0, 0, 1, 0x78, 0, ...table]);
  }

  it.each(nonsense)("%s ends the connection and harms no other", async (_, send) => {
    send(bench.wire);
    const frame = await bench.wire.next("the end");
    if (frame.type !== "closed") {
      expect(frame).toMatchObject({ type: "method", name: "connection.close" });
      bench.wire.sendMethod(0, "connection.close-ok");
      expect(await bench.wire.next("the end")).toEqual({ type: "closed" });
    }
    await bench.neighbour.call(1, "basic.qos", { "prefetch-count": 1 });
  });
});
