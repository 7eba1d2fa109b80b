import { describe, expect, it } from "vitest";
import { AmqpClient, body, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

/** A queue that never has room. */
const full = { arguments: { "x-max-length": 0, "x-overflow": "reject-publish" } };

function atLeastOnce(exchange: string, more: object = {}) {
  return {
    arguments: {
      "x-queue-type": "quorum",
      "x-overflow": "reject-publish",
      "x-dead-letter-strategy": "at-least-once",
      "x-dead-letter-exchange": exchange,
      ...more,
    },
  };
}

describe("dead lettering at least once", () => {
  it("keeps messages whose dead-letter exchange is missing until it is there", async () => {
    const channel = await client.confirmChannel();
    const exchange = client.exchangeName("graves");
    const queue = await client.queue(channel, atLeastOnce(exchange, { "x-message-ttl": 50 }));
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

  it.concurrent.for(["missing", "full"])(
    "brings each message there once, over kill -9 while its target is %s",
    async (target, context) => {
      needsOwnBroker(context);
      const own = await startBroker();
      const ownClient = new AmqpClient(own);
      const undead = () => asGuest(own).read("/queues/%2F/work?columns=messages,messages_unacknowledged");
      try {
        const before = await ownClient.confirmChannel();
        if (target === "full") await before.assertQueue("dead", full);
        await before.assertQueue("work", atLeastOnce("", { "x-dead-letter-routing-key": "dead" }));
        send(before, "work", ["1", "2", "3"], { persistent: true, expiration: 50 });
        send(before, "work", ["alive"], { persistent: true });
        await before.waitForConfirms();
        await eventually(async () => expect(await undead()).toEqual({ messages: 4, messages_unacknowledged: 3 }));
        await own.kill9();
        await own.restart();
        await eventually(async () => expect(await undead()).toEqual({ messages: 4, messages_unacknowledged: 3 }));
        const between = await ownClient.channel();
        if (target === "full") await between.deleteQueue("dead");
        await between.assertQueue("dead");
        await eventually(async () => expect((await counts(between, "dead")).messageCount).toBe(3));
        // What a declaration waits for has the dead letters of before in it.
        await between.assertQueue("other");
        await own.kill9();
        await own.restart();
        expect(await undead()).toEqual({ messages: 1, messages_unacknowledged: 0 });
        expect(await drain(await ownClient.channel(), "dead")).toEqual(["1", "2", "3"]);
      } finally {
        await ownClient.cleanUp();
        await own.stop();
      }
    },
  );
});
