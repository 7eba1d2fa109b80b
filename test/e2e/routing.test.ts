import { describe, expect, it } from "vitest";
import { drain, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("routing", () => {
  it("sends each severity to the queues bound with it over a direct exchange", async () => {
    const channel = await client.channel();
    const logs = await client.exchange(channel, "direct");
    const [disk, screen] = [await client.queue(channel), await client.queue(channel)];
    await channel.bindQueue(disk, logs, "error");
    for (const severity of ["info", "warning", "error"]) await channel.bindQueue(screen, logs, severity);

    for (const severity of ["info", "warning", "error", "debug"]) {
      channel.publish(logs, severity, Buffer.from(`a ${severity}`));
    }
    expect(await drain(channel, disk)).toEqual(["a error"]);
    expect(await drain(channel, screen)).toEqual(["a info", "a warning", "a error"]);
  });

  it("compares routing keys literally and with case", async () => {
    const channel = await client.channel();
    const logs = await client.exchange(channel, "direct");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, logs, "a.*");
    for (const key of ["a.b", "A.*", "a.*", "a.*.b", ""]) channel.publish(logs, key, Buffer.from(key));
    expect(await drain(channel, queue)).toEqual(["a.*"]);
  });

  it("stops after the queue is unbound, and unbinding again is no error", async () => {
    const channel = await client.channel();
    const logs = await client.exchange(channel, "direct");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, logs, "key");
    channel.publish(logs, "key", Buffer.from("before"));
    await channel.unbindQueue(queue, logs, "key");
    channel.publish(logs, "key", Buffer.from("after"));
    await channel.unbindQueue(queue, logs, "key");
    expect(await drain(channel, queue)).toEqual(["before"]);
  });

  it("routes by queue name over the default exchange without a binding", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    channel.publish("", queue, Buffer.from("by name"));
    expect(await drain(channel, queue)).toEqual(["by name"]);
  });

  it("keeps exchange and routing key of the publish on the delivery", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, "amq.direct", queue);
    channel.publish("amq.direct", queue, Buffer.from("x"));
    const message = await channel.get(queue, { noAck: true });
    expect(message).toMatchObject({ fields: { exchange: "amq.direct", routingKey: queue } });
  });

  it("drops bindings with their queue, so that a new queue of that name starts without them", async () => {
    const channel = await client.channel();
    const logs = await client.exchange(channel, "direct");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, logs, "key");
    await channel.deleteQueue(queue);
    await channel.assertQueue(queue);
    channel.publish(logs, "key", Buffer.from("not bound"));
    expect(await drain(channel, queue)).toEqual([]);
  });
});
