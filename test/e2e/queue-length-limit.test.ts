import { describe, expect, it } from "vitest";
import { collect, counts, drain, send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("queue length limit", () => {
  it("drops the oldest messages over x-max-length", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { maxLength: 3 });
    send(channel, queue, ["1", "2", "3", "4", "5"]);
    await channel.waitForConfirms();
    expect((await counts(channel, queue)).messageCount).toBe(3);
    expect(await drain(channel, queue)).toEqual(["3", "4", "5"]);
  });

  it("drops the oldest messages over x-max-length-bytes, which counts bodies", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { arguments: { "x-max-length-bytes": 10 } });
    send(channel, queue, ["aaaa", "bbbb", "cc"], { headers: { "not counted": "x".repeat(100) } });
    await channel.waitForConfirms();
    expect((await counts(channel, queue)).messageCount).toBe(3);
    send(channel, queue, ["d"]);
    await channel.waitForConfirms();
    expect(await drain(channel, queue)).toEqual(["bbbb", "cc", "d"]);
    send(channel, queue, ["e", "larger than the queue"]);
    await channel.waitForConfirms();
    expect(await drain(channel, queue)).toEqual([]);
  });

  it("keeps to whichever of both limits is reached first", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { maxLength: 2, arguments: { "x-max-length-bytes": 10 } });
    send(channel, queue, ["a", "b", "c"]);
    await channel.waitForConfirms();
    expect(await drain(channel, queue)).toEqual(["b", "c"]);
    send(channel, queue, ["aaaaaa", "bbbbbb"]);
    await channel.waitForConfirms();
    expect(await drain(channel, queue)).toEqual(["bbbbbb"]);
  });

  it("does not count messages that consumers hold", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { maxLength: 2 });
    const worker = await client.channel();
    await worker.prefetch(2);
    const inbox = await collect(worker, queue, { noAck: false });
    send(channel, queue, ["held 1", "held 2"]);
    await eventually(() => expect(inbox.messages).toHaveLength(2));
    send(channel, queue, ["1", "2", "3"]);
    await channel.waitForConfirms();
    expect((await counts(channel, queue)).messageCount).toBe(2);
    await worker.close();
    await eventually(async () => expect((await counts(channel, queue)).messageCount).toBe(2));
    expect(await drain(channel, queue)).toEqual(["2", "3"]);
  });

  it("of zero keeps nothing, yet serves a waiting consumer", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { maxLength: 0 });
    send(channel, queue, ["dropped"]);
    await channel.waitForConfirms();
    const inbox = await collect(channel, queue);
    send(channel, queue, ["delivered"]);
    await eventually(() => expect(inbox.bodies).toEqual(["delivered"]));
  });

  it("with overflow reject-publish refuses what is new, and says so to publishers with confirms", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, { maxLength: 2, arguments: { "x-overflow": "reject-publish" } });
    const outcomes: string[] = [];
    for (const text of ["1", "2", "3"]) {
      channel.sendToQueue(queue, Buffer.from(text), {}, (error) =>
        outcomes.push(error === null ? text : `not ${text}`),
      );
      await eventually(() => expect(outcomes).toHaveLength(Number(text)));
    }
    expect(outcomes).toEqual(["1", "2", "not 3"]);
    expect(await drain(channel, queue)).toEqual(["1", "2"]);
    send(channel, queue, ["room again"]);
    await channel.waitForConfirms();
    expect(await drain(channel, queue)).toEqual(["room again"]);
  });

  it("with overflow reject-publish refuses the message that would make it too many bytes", async () => {
    const channel = await client.confirmChannel();
    const queue = await client.queue(channel, {
      arguments: { "x-max-length-bytes": 10, "x-overflow": "reject-publish" },
    });
    send(channel, queue, ["123456"]);
    await channel.waitForConfirms();
    send(channel, queue, ["12345"]);
    await expect(channel.waitForConfirms()).rejects.toThrow();
    send(channel, queue, ["7890"]);
    await channel.waitForConfirms();
    expect(await drain(channel, queue)).toEqual(["123456", "7890"]);
  });

  it("with overflow reject-publish-dlx dead-letters what it refuses", async () => {
    const channel = await client.confirmChannel();
    const dead = await client.queue(channel);
    const queue = await client.queue(channel, {
      maxLength: 1,
      deadLetterExchange: "",
      deadLetterRoutingKey: dead,
      arguments: { "x-overflow": "reject-publish-dlx" },
    });
    send(channel, queue, ["kept"]);
    await channel.waitForConfirms();
    send(channel, queue, ["refused"]);
    await expect(channel.waitForConfirms()).rejects.toThrow();
    await eventually(async () => expect((await counts(channel, dead)).messageCount).toBe(1));
    const message = await channel.get(dead, { noAck: true });
    expect(message).toMatchObject({ properties: { headers: { "x-first-death-reason": "maxlen" } } });
    expect(await drain(channel, queue)).toEqual(["kept"]);
  });
});
