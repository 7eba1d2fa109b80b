import type { Channel } from "amqplib";
import { describe, expect, it } from "vitest";
import { drain, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

type Headers = Record<string, unknown>;

async function boundQueue(channel: Channel, exchange: string, ...tables: Headers[]): Promise<string> {
  const queue = await client.queue(channel);
  for (const table of tables) await channel.bindQueue(queue, exchange, "", table);
  return queue;
}

function publish(channel: Channel, exchange: string, messages: Record<string, Headers>): void {
  for (const [name, headers] of Object.entries(messages)) {
    channel.publish(exchange, "", Buffer.from(name), { headers });
  }
}

describe("headers exchange", () => {
  it("with x-match all asks for every header of the binding", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await boundQueue(channel, exchange, { "x-match": "all", format: "pdf", type: "report" });
    publish(channel, exchange, {
      both: { format: "pdf", type: "report" },
      more: { format: "pdf", type: "report", extra: 1 },
      one: { format: "pdf" },
      other: { format: "pdf", type: "log" },
      none: {},
    });
    expect(await drain(channel, queue)).toEqual(["both", "more"]);
  });

  it("with x-match any asks for one of them", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await boundQueue(channel, exchange, { "x-match": "any", format: "pdf", type: "report" });
    publish(channel, exchange, {
      both: { format: "pdf", type: "report" },
      one: { type: "report" },
      other: { format: "zip" },
      none: {},
    });
    expect(await drain(channel, queue)).toEqual(["both", "one"]);
  });

  it("takes all as the match when the binding names none", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await boundQueue(channel, exchange, { format: "pdf", type: "report" });
    publish(channel, exchange, { both: { format: "pdf", type: "report" }, one: { type: "report" } });
    expect(await drain(channel, queue)).toEqual(["both"]);
  });

  it("takes every message for a binding without headers, and none when it says any", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const all = await boundQueue(channel, exchange, {});
    const any = await boundQueue(channel, exchange, { "x-match": "any" });
    publish(channel, exchange, { bare: {}, dressed: { format: "pdf" } });
    channel.publish(exchange, "", Buffer.from("no headers at all"));
    expect(await drain(channel, all)).toEqual(["bare", "dressed", "no headers at all"]);
    expect(await drain(channel, any)).toEqual([]);
  });

  it("compares values with their kind: a number is not the text of it", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await boundQueue(channel, exchange, { count: 5 });
    publish(channel, exchange, {
      number: { count: 5 },
      text: { count: "5" },
      other: { count: 6 },
      truth: { count: true },
    });
    expect(await drain(channel, queue)).toEqual(["number"]);
  });

  it("with a void value asks only that the header is there", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await boundQueue(channel, exchange, { present: null });
    publish(channel, exchange, {
      text: { present: "x" },
      number: { present: 0 },
      nothing: { present: null },
      absent: {},
    });
    expect(await drain(channel, queue)).toEqual(["text", "number", "nothing"]);
  });

  it("leaves headers that begin with x- out of the comparison", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await boundQueue(channel, exchange, { "x-match": "all", "x-ignored": "a", format: "pdf" });
    publish(channel, exchange, { plain: { format: "pdf" }, other: { format: "zip", "x-ignored": "a" } });
    expect(await drain(channel, queue)).toEqual(["plain"]);
  });

  it("with all-with-x and any-with-x compares those headers too", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const all = await boundQueue(channel, exchange, { "x-match": "all-with-x", "x-tenant": "a", format: "pdf" });
    const any = await boundQueue(channel, exchange, { "x-match": "any-with-x", "x-tenant": "a", format: "pdf" });
    publish(channel, exchange, {
      both: { "x-tenant": "a", format: "pdf" },
      tenant: { "x-tenant": "a" },
      format: { format: "pdf" },
      none: { "x-tenant": "b" },
    });
    expect(await drain(channel, all)).toEqual(["both"]);
    expect(await drain(channel, any)).toEqual(["both", "tenant", "format"]);
  });

  it("keeps bindings apart that differ in their headers alone", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await boundQueue(channel, exchange, { format: "pdf" }, { format: "zip" });
    await channel.unbindQueue(queue, exchange, "", { format: "pdf" });
    publish(channel, exchange, { pdf: { format: "pdf" }, zip: { format: "zip" } });
    expect(await drain(channel, queue)).toEqual(["zip"]);
  });

  it("ignores the routing key", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "headers");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, "some key", { format: "pdf" });
    channel.publish(exchange, "another key", Buffer.from("pdf"), { headers: { format: "pdf" } });
    expect(await drain(channel, queue)).toEqual(["pdf"]);
  });

  it("is there as amq.headers and amq.match", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    for (const exchange of ["amq.headers", "amq.match"]) {
      await channel.bindQueue(queue, exchange, "", { for: queue });
      channel.publish(exchange, "", Buffer.from(exchange), { headers: { for: queue } });
    }
    expect(await drain(channel, queue)).toEqual(["amq.headers", "amq.match"]);
  });
});
