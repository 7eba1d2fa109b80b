import { describe, expect, it } from "vitest";
import { collect, drain, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("publish/subscribe", () => {
  it("copies a message to every queue bound to a fanout exchange, whatever its routing key", async () => {
    const channel = await client.channel();
    const logs = await client.exchange(channel, "fanout");
    const inboxes = [];
    for (let subscriber = 0; subscriber < 3; subscriber++) {
      const own = await client.channel();
      const { queue } = await own.assertQueue("", { exclusive: true });
      expect(queue).toMatch(/^amq\.gen-[A-Za-z0-9_-]{22}$/);
      await own.bindQueue(queue, logs, "ignored");
      inboxes.push(await collect(own, queue));
    }
    channel.publish(logs, "", Buffer.from("to all"));
    channel.publish(logs, "any.key", Buffer.from("again"));
    for (const inbox of inboxes) await eventually(() => expect(inbox.bodies).toEqual(["to all", "again"]));
  });

  it("drops a message nobody is subscribed for", async () => {
    const channel = await client.channel();
    const logs = await client.exchange(channel, "fanout");
    channel.publish(logs, "", Buffer.from("lost"));
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, logs, "");
    channel.publish(logs, "", Buffer.from("kept"));
    expect(await drain(channel, queue)).toEqual(["kept"]);
  });

  it("delivers one copy to a queue that is bound twice", async () => {
    const channel = await client.channel();
    const logs = await client.exchange(channel, "fanout");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, logs, "one");
    await channel.bindQueue(queue, logs, "two");
    channel.publish(logs, "", Buffer.from("single"));
    expect(await drain(channel, queue)).toEqual(["single"]);
    await channel.unbindQueue(queue, logs, "one");
    channel.publish(logs, "", Buffer.from("still bound"));
    expect(await drain(channel, queue)).toEqual(["still bound"]);
    await channel.unbindQueue(queue, logs, "two");
    channel.publish(logs, "", Buffer.from("unbound"));
    expect(await drain(channel, queue)).toEqual([]);
  });

  it("has amq.fanout in every virtual host", async () => {
    const channel = await client.channel();
    await channel.checkExchange("amq.fanout");
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, "amq.fanout", "");
    channel.publish("amq.fanout", "", Buffer.from("to all"));
    expect(await drain(channel, queue)).toContain("to all");
  });
});
