import { describe, expect, it } from "vitest";
import { drain, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";

const broker = useBroker();
const client = useAmqpClient(broker);

describe("topics", () => {
  it("routes the animals of the manual by speed, colour and species", async () => {
    const channel = await client.channel();
    const animals = await client.exchange(channel, "topic");
    const [orange, lazy] = [await client.queue(channel), await client.queue(channel)];
    await channel.bindQueue(orange, animals, "*.orange.*");
    await channel.bindQueue(lazy, animals, "*.*.rabbit");
    await channel.bindQueue(lazy, animals, "lazy.#");
    const keys = [
      "quick.orange.rabbit",
      "lazy.orange.elephant",
      "quick.orange.fox",
      "lazy.brown.fox",
      "lazy.pink.rabbit",
      "quick.brown.fox",
      "orange",
      "quick.orange.new.rabbit",
      "lazy.orange.new.rabbit",
    ];
    for (const key of keys) channel.publish(animals, key, Buffer.from(key));
    expect(await drain(channel, orange)).toEqual(["quick.orange.rabbit", "lazy.orange.elephant", "quick.orange.fox"]);
    expect(await drain(channel, lazy)).toEqual([
      "quick.orange.rabbit",
      "lazy.orange.elephant",
      "lazy.brown.fox",
      "lazy.pink.rabbit",
      "lazy.orange.new.rabbit",
    ]);
  });

  // An empty key has no words at all; a dot stands between two words, which may be empty.
  const cases: [pattern: string, matching: string[], other: string[]][] = [
    ["#", ["", "a", "a.b", "a.b.c", "..", "*", "#"], []],
    ["*", ["a", "*"], ["", "a.b", "."]],
    ["*.*", ["a.b", "."], ["a", "", "a.b.c"]],
    ["a.#", ["a", "a.b", "a.b.c", "a."], ["", "b.a", "ab", "A"]],
    ["#.a", ["a", "b.a", "c.b.a", ".a"], ["a.b", "ba"]],
    ["a.*", ["a.b", "a."], ["a", "a.b.c"]],
    ["#.*", ["a", "a.b", "."], [""]],
    ["*.#", ["a", "a.b", "."], [""]],
    ["#.#", ["", "a", "a.b.c"], []],
    ["a.#.b", ["a.b", "a.x.b", "a.x.y.b", "a.b.b", "a.b.a.b"], ["a", "b", "a.b.c", "a.x.bb"]],
    ["a.*.b", ["a.x.b", "a..b"], ["a.b", "a.x.y.b"]],
    ["#.a.#", ["a", "x.a", "a.x", "x.a.y", "x.y.a.z"], ["b", "", "aa"]],
    ["*.a.#.b", ["x.a.b", "x.a.y.z.b"], ["a.b", "x.a", "x.y.a.b"]],
    ["a*.b", ["a*.b"], ["ab.b", "a.b"]],
    ["a#", ["a#"], ["a", "ab", "a.b"]],
    ["", [""], ["a", "."]],
    ["a", ["a"], ["", "a.a", "a."]],
  ];

  it.each(cases)("the pattern '%s' takes exactly the keys it should", async (pattern, matching, other) => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "topic");
    const queue = await client.queue(channel);
    await channel.bindQueue(queue, exchange, pattern);
    for (const key of [...matching, ...other]) channel.publish(exchange, key, Buffer.from(key));
    expect(await drain(channel, queue)).toEqual(matching);
  });

  it("delivers one copy to a queue that several patterns match", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "topic");
    const queue = await client.queue(channel);
    for (const pattern of ["#", "a.*", "*.b", "a.#", "a.b"]) await channel.bindQueue(queue, exchange, pattern);
    channel.publish(exchange, "a.b", Buffer.from("one"));
    expect(await drain(channel, queue)).toEqual(["one"]);
  });

  it("keeps the other patterns of a queue when one is unbound", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "topic");
    const queue = await client.queue(channel);
    for (const pattern of ["a.#", "a.b.#", "#.b"]) await channel.bindQueue(queue, exchange, pattern);
    await channel.unbindQueue(queue, exchange, "a.#");
    for (const key of ["a.x", "a.b.c", "x.b"]) channel.publish(exchange, key, Buffer.from(key));
    expect(await drain(channel, queue)).toEqual(["a.b.c", "x.b"]);
    await channel.unbindQueue(queue, exchange, "a.b.#");
    await channel.unbindQueue(queue, exchange, "#.b");
    for (const key of ["a.x", "a.b.c", "x.b"]) channel.publish(exchange, key, Buffer.from(key));
    expect(await drain(channel, queue)).toEqual([]);
  });

  it("matches keys of thirty words, as Celery's delayed delivery uses them", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "topic");
    const [ones, zeros] = [await client.queue(channel), await client.queue(channel)];
    const any = Array.from({ length: 27 }, () => "*").join(".");
    await channel.bindQueue(ones, exchange, `${any}.1.#`);
    await channel.bindQueue(zeros, exchange, `${any}.0.#`);
    const bits = (last: string) => `${Array.from({ length: 27 }, (_, index) => index % 2).join(".")}.${last}`;
    channel.publish(exchange, `${bits("1")}.task.email`, Buffer.from("one"));
    channel.publish(exchange, `${bits("0")}.task`, Buffer.from("zero"));
    expect(await drain(channel, ones)).toEqual(["one"]);
    expect(await drain(channel, zeros)).toEqual(["zero"]);
  });
});
