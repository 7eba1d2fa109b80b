import { describe, expect, it } from "vitest";
import { send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

/** Whether a message finds the queue. To ask by passive declare would be to use the queue and renew its life. */
async function exists(queue: string): Promise<boolean> {
  const channel = await client.confirmChannel();
  let found = true;
  channel.on("return", () => {
    found = false;
  });
  send(channel, queue, ["are you there?"], { mandatory: true });
  await channel.waitForConfirms();
  await channel.close();
  return found;
}

describe("a queue with x-expires", () => {
  it("is deleted when nobody uses it, messages or not", async () => {
    const channel = await client.channel();
    const [empty, full] = [await client.queue(channel, { expires: 50 }), await client.queue(channel, { expires: 50 })];
    send(channel, full, ["x"]);
    await eventually(async () => expect(await exists(empty)).toBe(false));
    await eventually(async () => expect(await exists(full)).toBe(false));
  });

  it("stays while it has a consumer, and goes after it", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, { expires: 150 });
    const witness = await client.queue(channel, { expires: 300 });
    const { consumerTag } = await channel.consume(queue, () => {});
    await eventually(async () => expect(await exists(witness)).toBe(false));
    expect(await exists(queue)).toBe(true);
    await channel.cancel(consumerTag);
    await eventually(async () => expect(await exists(queue)).toBe(false));
  });

  it("stays while somebody takes messages with basic.get or declares it", async () => {
    const channel = await client.channel();
    const [got, declared] = [client.queueName(), client.queueName()];
    await channel.assertQueue(got, { expires: 1000 });
    await channel.assertQueue(declared, { expires: 1000 });
    const witness = await client.queue(channel, { expires: 1500 });
    // When the witness is gone, more time has passed than the two live without being used.
    await eventually(async () => {
      await channel.get(got);
      await channel.assertQueue(declared, { expires: 1000 });
      expect(await exists(witness)).toBe(false);
    });
    for (const queue of [got, declared]) expect(await exists(queue)).toBe(true);
  });
});
