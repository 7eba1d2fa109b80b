import type { Channel } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { body, collect, type Inbox, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const admin = asGuest(broker);
const vhost = "test-tracing";
const everything = { configure: ".*", write: ".*", read: ".*" };

beforeAll(async () => {
  await admin.must("PUT", `/vhosts/${vhost}`, { tracing: true });
  await admin.must("PUT", `/permissions/${vhost}/guest`, everything);
});

afterAll(() => admin.must("DELETE", `/vhosts/${vhost}`));

async function traced(): Promise<{ channel: Channel; traces: Inbox; queue: string }> {
  const channel = await client.channel(await client.connect(`/${vhost}`));
  const { queue: copies } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(copies, "amq.rabbitmq.trace", "#");
  const traces = await collect(channel, copies);
  const { queue } = await channel.assertQueue("", { exclusive: true });
  return { channel, traces, queue };
}

function keys(traces: Inbox): string[] {
  return traces.messages.map(({ fields }) => fields.routingKey);
}

describe("the firehose", () => {
  it("copies what is published and what is delivered, with all there is to say of it", async () => {
    const { channel, traces, queue } = await traced();
    await channel.bindQueue(queue, "amq.direct", "key");
    const options = { messageId: "m1", persistent: true, priority: 3, headers: { CC: ["more"], mine: 1 } };
    channel.publish("amq.direct", "key", Buffer.from("text"), options);
    const message = await eventually(async () => {
      const got = await channel.get(queue);
      if (got === false) throw new Error("not there yet");
      return got;
    });
    channel.reject(message, true);
    await collect(channel, queue);
    await eventually(() =>
      expect(keys(traces)).toEqual(["publish.amq.direct", `deliver.${queue}`, `deliver.${queue}`]),
    );
    const about = {
      exchange_name: "amq.direct",
      routing_keys: ["key", "more"],
      properties: { message_id: "m1", delivery_mode: 2, priority: 3, headers: { CC: ["more"], mine: 1 } },
      node: expect.any(String),
      vhost,
      connection: expect.stringContaining(" -> "),
      channel: 1,
      user: "guest",
    };
    expect(traces.messages.map(body)).toEqual(["text", "text", "text"]);
    expect(traces.messages.map(({ properties }) => properties.headers)).toEqual([
      { ...about, routed_queues: [queue] },
      { ...about, redelivered: 0 },
      { ...about, redelivered: 1 },
    ]);
  });

  it("copies what goes to the default exchange", async () => {
    const { channel, traces, queue } = await traced();
    channel.sendToQueue(queue, Buffer.from("1"));
    await eventually(() => expect(keys(traces)).toEqual(["publish."]));
    expect(traces.at(0).properties.headers).toMatchObject({ exchange_name: "", routing_keys: [queue], properties: {} });
  });

  it("is on and off as the vhost's tracing says", async () => {
    const { channel, traces, queue } = await traced();
    const tracing = async () => await admin.read(`/vhosts/${vhost}?columns=tracing`);
    expect(await tracing()).toEqual({ tracing: true });
    await admin.must("PUT", `/vhosts/${vhost}`, { tracing: false });
    expect(await tracing()).toEqual({ tracing: false });
    channel.sendToQueue(queue, Buffer.from("unseen"));
    await eventually(async () => expect((await channel.checkQueue(queue)).messageCount).toBe(1));
    await admin.must("PUT", `/vhosts/${vhost}`, { tracing: true });
    channel.sendToQueue(queue, Buffer.from("seen"));
    await eventually(() => expect(traces.bodies).toEqual(["seen"]));
  });
});
