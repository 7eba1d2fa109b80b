import type { Channel, GetMessage, Options } from "amqplib";
import { describe, expect, it } from "vitest";
import { AmqpClient, body, collect, counts, drain, nextError, send, useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);
const type = { "x-queue-type": "quorum" };

function quorum(more: Record<string, unknown> = {}): Options.AssertQueue {
  return { durable: true, arguments: { ...type, ...more } };
}

async function take(channel: Channel, queue: string): Promise<GetMessage> {
  return await eventually(async () => {
    const message = await channel.get(queue);
    if (message === false) throw new Error(`${queue} is empty`);
    return message;
  });
}

function countOf(message: GetMessage): unknown {
  return message.properties.headers?.["x-delivery-count"] ?? 0;
}

describe("a quorum queue", () => {
  it.each([
    ["non-durable", { durable: false, arguments: type }],
    ["auto-delete", { ...quorum(), autoDelete: true }],
    ["exclusive-owner", { ...quorum(), exclusive: true }],
  ])("is never %s", async (property, options) => {
    const channel = await client.channel();
    const error = nextError(channel);
    const name = client.queueName();
    await expect(channel.assertQueue(name, options)).rejects.toThrow();
    expect((await error).message).toContain(
      `PRECONDITION_FAILED - invalid property '${property}' for queue '${name}' in vhost '/'`,
    );
  });

  it("has a name of its own", async () => {
    const channel = await client.channel();
    const error = nextError(channel);
    await expect(channel.assertQueue("", quorum())).rejects.toThrow();
    expect((await error).message).toContain(
      "PRECONDITION_FAILED - Cannot declare a server-named queue for type rabbit_quorum_queue",
    );
  });

  it.each(["ifUnused", "ifEmpty"] as const)("is deleted without conditions only, not %s", async (flag) => {
    const connection = await client.connect();
    const channel = await client.channel(connection);
    const queue = await client.queue(channel, quorum());
    const error = nextError(connection);
    await expect(channel.deleteQueue(queue, { [flag]: true })).rejects.toThrow();
    expect((await error).message).toMatch(/540.*are not supported by quorum queues/);
  });

  it("takes no consumer of a channel with a global prefetch", async () => {
    const connection = await client.connect();
    const channel = await client.channel(connection);
    const queue = await client.queue(channel, quorum());
    await channel.prefetch(5, true);
    const error = nextError(connection);
    await expect(collect(channel, queue, { noAck: false })).rejects.toThrow();
    expect((await error).message).toContain("does not support global qos");
  });

  it("gives nothing to basic.get while it has single active consumers", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, quorum({ "x-single-active-consumer": true }));
    const error = nextError(channel);
    await expect(channel.get(queue)).rejects.toThrow();
    expect((await error).message).toContain(
      `RESOURCE_LOCKED - cannot obtain access to locked queue '${queue}' in vhost '/'. basic.get operations are not supp`,
    );
  });

  it("counts the deliveries that failed: by basic.reject, and by a channel that closed", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel, quorum());
    send(channel, queue, ["stubborn"], { persistent: true, headers: { mine: 1 } });
    const first = await take(channel, queue);
    expect(countOf(first)).toBe(0);
    channel.reject(first, true);
    const second = await take(channel, queue);
    expect(second.properties.headers).toEqual({ mine: 1, "x-delivery-count": 1 });
    expect(second.fields.redelivered).toBe(true);
    await channel.close();
    const other = await client.channel();
    expect(countOf(await take(other, queue))).toBe(2);
  });

  it("does not count what basic.nack puts back", async (context) => {
    differs(context, "nack is no failure");
    const channel = await client.channel();
    const queue = await client.queue(channel, quorum());
    send(channel, queue, ["returned"], { persistent: true });
    channel.nack(await take(channel, queue), false, true);
    expect(countOf(await take(channel, queue))).toBe(0);
  });

  it("dead-letters a message whose deliveries failed more often than its limit says", async () => {
    const channel = await client.channel();
    const dead = await client.queue(channel);
    const more = { "x-delivery-limit": 2, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead };
    const queue = await client.queue(channel, quorum(more));
    send(channel, queue, ["poison"], { persistent: true });
    for (let times = 0; times < 3; times++) channel.reject(await take(channel, queue), true);
    const message = await take(channel, dead);
    expect(body(message)).toBe("poison");
    expect(message.properties.headers?.["x-death"]).toMatchObject([{ reason: "delivery_limit", queue, count: 1 }]);
    expect((await counts(channel, queue)).messageCount).toBe(0);
  });

  it("has a limit of twenty when it says nothing, and none when it says less than zero", async (context) => {
    differs(context, "delivery limit");
    const channel = await client.channel();
    const [limited, unlimited] = [
      await client.queue(channel, quorum()),
      await client.queue(channel, quorum({ "x-delivery-limit": -1 })),
    ];
    for (const queue of [limited, unlimited]) {
      send(channel, queue, ["poison"], { persistent: true });
      for (let times = 0; times < 21; times++) channel.reject(await take(channel, queue), true);
    }
    expect(await drain(channel, limited)).toEqual([]);
    expect(await drain(channel, unlimited)).toEqual(["poison"]);
  });

  it("serves higher priorities first, always", async (context) => {
    differs(context, "quorum priorities");
    const channel = await client.channel();
    const queue = await client.queue(channel, quorum());
    send(channel, queue, ["normal"], { persistent: true });
    for (const priority of [0, 31, 5]) send(channel, queue, [`${priority}`], { persistent: true, priority });
    expect(await drain(channel, queue)).toEqual(["31", "5", "normal", "0"]);
  });

  it("makes what failed wait before it is tried again", async (context) => {
    differs(context, "delayed retry");
    const channel = await client.channel();
    const retry = { "x-delayed-retry-type": "all", "x-delayed-retry-min": 100, "x-delayed-retry-max": 1000 };
    const queue = await client.queue(channel, quorum(retry));
    send(channel, queue, ["again"], { persistent: true });
    const message = await take(channel, queue);
    const failedAt = Date.now();
    channel.reject(message, true);
    expect(await channel.get(queue)).toBe(false);
    expect(countOf(await take(channel, queue))).toBe(1);
    expect(Date.now() - failedAt).toBeGreaterThanOrEqual(98);
  });

  it("keeps its messages, transient ones too, and their counts over kill -9", async (context) => {
    needsOwnBroker(context);
    const own = await startBroker();
    const ownClient = new AmqpClient(own);
    try {
      const channel = await ownClient.confirmChannel();
      await channel.assertQueue("q", quorum({ "x-delivery-limit": 3 }));
      send(channel, "q", ["kept"], { persistent: false });
      await channel.waitForConfirms();
      for (let times = 0; times < 2; times++) channel.reject(await take(channel, "q"), true);
      // What a declaration waits for has the rejections of before in it.
      await channel.assertQueue("other");
      await own.kill9();
      await own.restart();
      const again = await ownClient.channel();
      const message = await take(again, "q");
      expect([body(message), countOf(message), message.fields.redelivered]).toEqual(["kept", 2, true]);
      for (let times = 0; times < 2; times++) {
        again.reject(times === 0 ? message : await take(again, "q"), true);
      }
      expect(await drain(again, "q")).toEqual([]);
    } finally {
      await ownClient.cleanUp();
      await own.stop();
    }
  });
});

it("a classic queue has a delivery limit when it is given one", async (context) => {
  differs(context, "delivery limit");
  const channel = await client.channel();
  const queue = await client.queue(channel, { arguments: { "x-delivery-limit": 1 } });
  send(channel, queue, ["poison"]);
  channel.reject(await take(channel, queue), true);
  const again = await take(channel, queue);
  expect(countOf(again)).toBe(1);
  channel.reject(again, true);
  expect(await drain(channel, queue)).toEqual([]);
});

it("a server-named queue begins as x-name-prefix says", async (context) => {
  differs(context, "name prefix");
  const channel = await client.channel();
  const declare = (prefix: string) =>
    channel.assertQueue("", { exclusive: true, arguments: { "x-name-prefix": prefix } });
  const { queue } = await declare("work");
  expect(queue).toMatch(/^work-[\w-]{22}$/);
  const error = nextError(channel);
  await expect(declare("p".repeat(65))).rejects.toThrow();
  expect((await error).message).toContain(`Queue name prefix '${"p".repeat(65)}' exceeds the 64-byte limit`);
});
