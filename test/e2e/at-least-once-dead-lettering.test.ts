import { describe, expect, it } from "vitest";
import { body, counts, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("dead lettering at least once", () => {
  it("keeps messages whose dead-letter exchange is missing until it is there", async () => {
    const channel = await client.confirmChannel();
    const exchange = client.exchangeName("graves");
    const queue = await client.queue(channel, {
      arguments: {
        "x-queue-type": "quorum",
        "x-overflow": "reject-publish",
        "x-dead-letter-strategy": "at-least-once",
        "x-dead-letter-exchange": exchange,
        "x-message-ttl": 50,
      },
    });
    send(channel, queue, ["1", "2"], { persistent: true });
    await channel.waitForConfirms();
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(0));
    await channel.assertExchange(exchange, "fanout");
    const dead = await client.queue(channel);
    await channel.bindQueue(dead, exchange, "");
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(2));
    const message = await channel.get(dead, { noAck: true });
    expect(message !== false && [body(message), message.properties.headers?.["x-death"]?.[0]]).toMatchObject([
      "1",
      { reason: "expired", queue, count: 1 },
    ]);
  });
});
