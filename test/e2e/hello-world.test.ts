import { describe, expect, it } from "vitest";
import { collect, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("hello world", () => {
  it("delivers what is sent to a queue by name to its consumer", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const inbox = await collect(channel, queue);
    send(channel, queue, ["Hello World!"]);
    await eventually(() => expect(inbox.bodies).toEqual(["Hello World!"]));
    const { fields } = inbox.at(0);
    expect(fields).toMatchObject({ exchange: "", routingKey: queue, redelivered: false, consumerTag: inbox.tag });
    expect(fields.deliveryTag).toBe(1);
  });

  it("keeps messages for a consumer that comes later, in the order they were sent", async () => {
    const sender = await client.channel();
    const queue = await client.queue(sender);
    const bodies = Array.from({ length: 1000 }, (_, index) => `message ${index}`);
    send(sender, queue, bodies);
    await sender.close();

    const inbox = await collect(await client.channel(), queue);
    await eventually(() => expect(inbox.bodies).toEqual(bodies));
  });

  it("carries every property and header to the other side", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const properties = {
      contentType: "application/json",
      contentEncoding: "utf-8",
      deliveryMode: 2,
      priority: 3,
      correlationId: "call 7",
      replyTo: "somewhere",
      expiration: "60000",
      messageId: "m-1",
      timestamp: 1_700_000_000,
      type: "greeting",
      userId: "guest",
      appId: "hello",
    };
    const headers = {
      text: "grüße",
      count: 3,
      big: 2 ** 40,
      negative: -5,
      ratio: 1.5,
      yes: true,
      nothing: null,
      list: [1, "two", false],
      nested: { inner: "value" },
      bytes: Buffer.from([0, 255]),
    };
    channel.sendToQueue(queue, Buffer.from("{}"), { ...properties, headers });
    const inbox = await collect(channel, queue);
    await eventually(() => expect(inbox.messages).toHaveLength(1));
    const received = inbox.at(0).properties;
    expect(received).toMatchObject(properties);
    expect(received.headers).toEqual(headers);
  });

  it("delivers an empty body", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["", "not empty", ""]);
    const inbox = await collect(channel, queue);
    await eventually(() => expect(inbox.bodies).toEqual(["", "not empty", ""]));
  });

  it("forgets a message once it went to a consumer without acknowledgements", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    send(channel, queue, ["once"]);
    const inbox = await collect(channel, queue);
    await eventually(() => expect(inbox.bodies).toEqual(["once"]));
    await channel.close();
    expect(await drain(await client.channel(), queue)).toEqual([]);
  });
});
