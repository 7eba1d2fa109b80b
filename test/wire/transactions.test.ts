import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { WireClient } from "../support/wire-client.ts";

const broker = useBroker();
let client: WireClient;
let queue: unknown;

/** Bodies of what is ready, over another channel than the transaction's; all stays where it was. */
async function ready(): Promise<string[]> {
  const bodies: string[] = [];
  await client.openChannel(2);
  for (;;) {
    client.sendMethod(2, "basic.get", { queue });
    const reply = await client.nextMethod();
    if (reply.name === "basic.get-empty") break;
    bodies.push((await client.nextContent()).body.toString());
  }
  await client.call(2, "channel.close");
  return bodies;
}

async function get(): Promise<unknown> {
  client.sendMethod(1, "basic.get", { queue });
  const { "delivery-tag": tag } = await client.expect("basic.get-ok");
  await client.nextContent();
  return tag;
}

beforeEach(async () => {
  client = await WireClient.open(broker);
  await client.openChannel(1);
  queue = (await client.call(1, "queue.declare", { exclusive: true }))["queue"];
});

afterEach(() => client.close());

describe("a transaction", () => {
  it("holds publishes back until it is committed", async () => {
    await client.call(1, "tx.select");
    client.publish(1, { "routing-key": queue }, "a");
    client.publish(1, { "routing-key": queue }, "b", { "delivery-mode": 2 });
    expect(await ready()).toEqual([]);
    await client.call(1, "tx.commit");
    expect(await ready()).toEqual(["a", "b"]);
  });

  it("forgets its publishes when it is rolled back", async () => {
    await client.call(1, "tx.select");
    client.publish(1, { "routing-key": queue }, "lost");
    await client.call(1, "tx.rollback");
    client.publish(1, { "routing-key": queue }, "kept");
    await client.call(1, "tx.commit");
    expect(await ready()).toEqual(["kept"]);
  });

  it("holds acknowledgements back until it is committed", async () => {
    client.publish(1, { "routing-key": queue }, "a");
    await client.call(1, "tx.select");
    client.sendMethod(1, "basic.ack", { "delivery-tag": await get() });
    await client.call(1, "tx.commit");
    await client.call(1, "channel.close");
    expect(await ready()).toEqual([]);
  });

  it("takes acknowledgements back when it is rolled back, and the messages may be acknowledged anew", async () => {
    client.publish(1, { "routing-key": queue }, "a");
    await client.call(1, "tx.select");
    const tag = await get();
    client.sendMethod(1, "basic.ack", { "delivery-tag": tag });
    await client.call(1, "tx.rollback");
    client.sendMethod(1, "basic.nack", { "delivery-tag": tag, requeue: true });
    await client.call(1, "tx.commit");
    expect(await ready()).toEqual(["a"]);
  });

  it("ends without effect when the channel closes", async () => {
    client.publish(1, { "routing-key": queue }, "a");
    await client.call(1, "tx.select");
    client.sendMethod(1, "basic.ack", { "delivery-tag": await get() });
    client.publish(1, { "routing-key": queue }, "b");
    await client.call(1, "channel.close");
    expect(await ready()).toEqual(["a"]);
  });

  it("returns mandatory messages before it answers the commit", async () => {
    await client.call(1, "tx.select");
    client.publish(1, { "routing-key": "nobody-listens-here", mandatory: true }, "back");
    client.sendMethod(1, "tx.commit");
    expect(await client.expect("basic.return")).toMatchObject({ "reply-code": 312, "reply-text": "NO_ROUTE" });
    expect((await client.nextContent()).body.toString()).toBe("back");
    await client.expect("tx.commit-ok");
  });

  it("may be selected twice and committed empty", async () => {
    await client.call(1, "tx.select");
    await client.call(1, "tx.select");
    await client.call(1, "tx.commit");
    await client.call(1, "tx.rollback");
  });
});
