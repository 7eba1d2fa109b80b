import { describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { Transcript } from "../support/transcript.ts";
import { WireClient } from "../support/wire-client.ts";
import { type Fields, Tagged } from "../support/wire-codec.ts";

const broker = useBroker();
const url = process.env["RABBITMQ_PEER_URL"];
const peer = await reachable(url);
const reason =
  url === undefined ? "RABBITMQ_PEER_URL names no RabbitMQ to compare with" : `no RabbitMQ answers at ${url}`;

async function reachable(address: string | undefined): Promise<{ host: string; port: number } | undefined> {
  if (address === undefined) return undefined;
  const { hostname, port } = new URL(address);
  const target = { host: hostname, port: Number(port || 5672) };
  const client = await WireClient.connect(target).catch(() => undefined);
  client?.destroy();
  return client === undefined ? undefined : target;
}

type Scenario = (transcript: Transcript, name: (what: string) => string) => Promise<void>;

/** The same names for both brokers, new ones for each run. */
function namesOfRun(): (what: string) => string {
  const suffix = unique("d");
  return (what) => `${what}-${suffix}`;
}

async function play(target: { host: string; port: number }, scenario: Scenario, name: (what: string) => string) {
  const transcript = await Transcript.open(target);
  await transcript.call("channel.open");
  await scenario(transcript, name);
  await transcript.close();
  return transcript.lines;
}

async function compare(scenario: Scenario): Promise<void> {
  if (peer === undefined) throw new Error(reason);
  const name = namesOfRun();
  const theirs = await play(peer, scenario, name);
  const ours = await play(broker, scenario, name);
  // What follows the first difference follows from it.
  const first = theirs.findIndex((line, index) => line !== ours[index]);
  const shown = (lines: string[]) => (first < 0 ? lines : lines.slice(Math.max(0, first - 10), first + 1));
  expect(shown(ours)).toEqual(shown(theirs));
}

/** After a close by the broker: takes it, and opens the channel again. */
async function reopen(transcript: Transcript): Promise<void> {
  transcript.send("channel.close-ok");
  await transcript.call("channel.open");
}

const scenarios: Record<string, Scenario> = {
  "declarations and their counts": async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("queue.declare", { queue, passive: true });
    await t.call("queue.declare", { exclusive: true });
    await t.call("queue.bind", { exchange: "amq.topic", "routing-key": "#" });
    await t.call("queue.delete", {});
    await t.call("queue.delete", { queue });
    await t.call("queue.delete", { queue });
    await t.call("queue.declare", { queue, passive: true });
    await reopen(t);
  },

  "a queue's type is compared, and classic is what says nothing": async (t, name) => {
    const [classic, quorum] = [{ "x-queue-type": "classic" }, { "x-queue-type": "quorum" }];
    for (const [queue, first, other] of [
      [name("classic"), classic, {}],
      [name("plain"), {}, classic],
      [name("quorum"), quorum, quorum],
    ] as const) {
      for (const args of [first, other]) await t.call("queue.declare", { queue, durable: true, arguments: args });
      for (const args of first === quorum ? [classic, {}] : [quorum]) {
        await t.call("queue.declare", { queue, durable: true, arguments: args });
        await reopen(t);
      }
      await t.call("queue.delete", { queue });
    }
  },

  "arguments without effect are compared by the types that know them, and passed over by the others": async (
    t,
    name,
  ) => {
    const inert: [argument: string, value: unknown, other: unknown][] = [
      ["x-queue-mode", "lazy", "default"],
      ["x-queue-version", 2, 1],
      ["x-queue-master-locator", "min-masters", "client-local"],
      ["x-queue-leader-locator", "client-local", "balanced"],
      ["x-quorum-initial-group-size", 1, 2],
      ["x-max-in-memory-length", 5, 6],
      ["x-max-in-memory-bytes", 5, 6],
      ["x-max-age", "1D", "2D"],
      ["x-stream-max-segment-size-bytes", 1000, 2000],
      ["x-initial-cluster-size", 1, 2],
      ["x-ha-policy", "all", "nodes"],
      ["my-own", 1, 2],
    ];
    for (const type of ["classic", "quorum"]) {
      for (const [argument, value, other] of inert) {
        // RabbitMQ 4 lets a classic queue say where its leader is to be; 3.10 does not.
        if (type === "classic" && argument === "x-queue-leader-locator") continue;
        const queue = name(type);
        for (const given of [value, value, undefined, other]) {
          const args = { "x-queue-type": type, ...(given !== undefined && { [argument]: given }) };
          const { name: answer } = await t.call("queue.declare", { queue, durable: true, arguments: args });
          if (answer === "channel.close") await reopen(t);
        }
        await t.call("queue.delete", { queue });
      }
    }
  },

  "arguments without effect must be right": async (t, name) => {
    const wrong: [type: string, argument: string, value: unknown][] = [
      ["classic", "x-queue-mode", "fast"],
      ["classic", "x-queue-mode", 1],
      ["classic", "x-queue-version", 3],
      ["classic", "x-queue-version", "2"],
      ["quorum", "x-queue-leader-locator", "anywhere"],
      ["quorum", "x-queue-leader-locator", 1],
      ["quorum", "x-quorum-initial-group-size", 0],
      ["quorum", "x-quorum-initial-group-size", "1"],
      ["quorum", "x-max-in-memory-length", -1],
      ["quorum", "x-max-in-memory-bytes", "1"],
    ];
    for (const [type, argument, value] of wrong) {
      const args = { "x-queue-type": type, [argument]: value };
      await t.call("queue.declare", { queue: name("q"), durable: true, arguments: args });
      await reopen(t);
    }
  },

  "x-consistent-hash refuses what it cannot weigh or hash": async (t, name) => {
    const [queue, exchange] = [name("q"), name("x")];
    const type = "x-consistent-hash";
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("exchange.declare", { exchange, type });
    for (const key of ["a", "", "0", "-3"]) {
      await t.call("queue.bind", { queue, exchange, "routing-key": key });
      await reopen(t);
    }
    await t.call("queue.bind", { queue, exchange, "routing-key": "10" });
    t.publish({ exchange, "routing-key": "any" }, "through");
    await t.call("basic.get", { queue, "no-ack": true });
    for (const args of [{ "hash-property": "user_id" }, { "hash-property": "timestamp", "hash-header": "h" }]) {
      await t.call("exchange.declare", { exchange: name("y"), type, arguments: args });
      await reopen(t);
    }
    await t.call("exchange.delete", { exchange });
  },

  "no-wait methods answer nothing": async (t, name) => {
    const [queue, exchange] = [name("q"), name("x")];
    t.send("queue.declare", { queue, exclusive: true, nowait: true });
    t.send("exchange.declare", { exchange, type: "fanout", nowait: true });
    t.send("queue.bind", { queue, exchange, nowait: true });
    t.send("confirm.select", { nowait: true });
    t.send("basic.consume", { queue, "consumer-tag": "c", nowait: true, "no-ack": true });
    t.publish({ exchange }, "through");
    await sorted(t, 2);
    t.send("basic.cancel", { "consumer-tag": "c", nowait: true });
    t.send("queue.purge", { queue, nowait: true });
    t.send("queue.delete", { queue, nowait: true });
    t.send("exchange.delete", { exchange, nowait: true });
    await t.call("basic.qos", { "prefetch-count": 1 });
  },

  "get, ack, reject, nack and recover": async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    for (const body of ["1", "2", "3", "4", "5"]) t.publish({ "routing-key": queue }, body);
    for (let index = 0; index < 4; index++) await t.call("basic.get", { queue });
    t.send("basic.ack", { "delivery-tag": 2 });
    t.send("basic.reject", { "delivery-tag": 1, requeue: true });
    t.send("basic.nack", { "delivery-tag": 4, multiple: true, requeue: true });
    await t.call("queue.declare", { queue, passive: true });
    for (let index = 0; index < 5; index++) await t.call("basic.get", { queue });
    await t.call("basic.recover", { requeue: true });
    await t.call("basic.get", { queue, "no-ack": true });
    await t.call("queue.purge", { queue });
    await t.call("basic.get", { queue });
    t.send("basic.ack", { "delivery-tag": 0, multiple: true });
    t.send("basic.ack", { "delivery-tag": 99 });
    await t.receive();
    await reopen(t);
  },

  "deliveries, prefetch and cancel": async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    for (const body of ["1", "2", "3", "4"]) t.publish({ "routing-key": queue }, body, { "message-id": body });
    await t.call("basic.qos", { "prefetch-count": 2 });
    await t.call("basic.consume", { queue, "consumer-tag": "c" });
    await t.receiveMany(2);
    t.send("basic.ack", { "delivery-tag": 2, multiple: true });
    await t.receiveMany(2);
    await t.call("basic.cancel", { "consumer-tag": "c" });
    await t.call("basic.cancel", { "consumer-tag": "c" });
    t.send("basic.nack", { "delivery-tag": 3, requeue: true });
    await t.call("queue.declare", { queue, passive: true });
    await t.call("basic.get", { queue });
    await t.call("basic.consume", { queue });
    t.send("queue.delete", { queue });
    await sorted(t, 2);
  },

  "a consumer is cancelled with its queue": async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("basic.consume", { queue, "consumer-tag": "c" });
    await t.call("channel.open", {}, 2);
    t.send("queue.delete", { queue }, 2);
    await sorted(t, 2);
    await t.call("queue.declare", { queue, exclusive: true });
  },

  "confirms and returns": async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("confirm.select");
    t.publish({ "routing-key": queue }, "kept");
    await t.receive();
    t.publish({ "routing-key": "nobody", exchange: "amq.direct" }, "dropped");
    await t.receive();
    const properties = { "content-type": "text/plain", headers: { a: 1 }, priority: 3 };
    t.publish({ "routing-key": "nobody", exchange: "amq.direct", mandatory: true }, "returned", properties);
    await t.receiveMany(2);
    t.publish({ "routing-key": queue, mandatory: true }, "persistent", { "delivery-mode": 2 });
    await t.receive();
    t.publish({ exchange: name("missing") }, "refused");
    await t.receive();
    await reopen(t);
  },

  "properties and header types come back as they went": async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    const headers = {
      bool: true,
      int8: new Tagged("b", -5),
      uint8: new Tagged("B", 200),
      int16: new Tagged("s", -500),
      uint16: new Tagged("u", 50_000),
      int32: new Tagged("I", -70_000),
      uint32: new Tagged("i", 4_000_000_000),
      int64: new Tagged("l", -5_000_000_000),
      float: new Tagged("f", 0.5),
      double: new Tagged("d", 1.25),
      decimal: new Tagged("D", 314),
      string: "text",
      bytes: new Tagged("x", Buffer.from([1, 2])),
      nothing: null,
      array: [1, "two", [false]],
      table: { inner: { deep: 1 } },
    };
    const properties = {
      "content-type": "a/b",
      "content-encoding": "gzip",
      headers,
      "delivery-mode": 2,
      priority: 9,
      "correlation-id": "c",
      "reply-to": "r",
      expiration: "60000",
      "message-id": "m",
      timestamp: 1_700_000_000,
      type: "t",
      "user-id": "guest",
      "app-id": "a",
      "cluster-id": "k",
    };
    t.publish({ "routing-key": queue }, "all", properties);
    t.publish({ "routing-key": queue }, "none");
    t.publish({ "routing-key": queue }, "empty", { headers: {}, "content-type": "" });
    for (let index = 0; index < 3; index++) await t.call("basic.get", { queue, "no-ack": true });
  },

  "topics, headers and exchanges bound to exchanges": async (t, name) => {
    const [topic, headers, fanout] = [name("topic"), name("headers"), name("fanout")];
    const queues = ["a", "b", "c"].map(name);
    await t.call("exchange.declare", { exchange: topic, type: "topic", "auto-delete": true });
    await t.call("exchange.declare", { exchange: headers, type: "headers", "auto-delete": true });
    await t.call("exchange.declare", { exchange: fanout, type: "fanout", "auto-delete": true });
    const [a, b, c] = queues;
    for (const queue of queues) await t.call("queue.declare", { queue, exclusive: true });
    await t.call("queue.bind", { queue: a, exchange: topic, "routing-key": "*.b.#" });
    await t.call("queue.bind", { queue: b, exchange: headers, arguments: { "x-match": "any", k: 1, s: "x" } });
    await t.call("queue.bind", { queue: c, exchange: fanout });
    await t.call("exchange.bind", { source: topic, destination: headers, "routing-key": "#" });
    await t.call("exchange.bind", { source: headers, destination: fanout, arguments: { k: 1, s: "x" } });
    await t.call("confirm.select");
    for (const key of ["", "a", "a.b", "a.b.c", "b", "x.b", ".b", "a..b"]) {
      for (const table of [{}, { k: 1 }, { k: 1, s: "x" }, { k: new Tagged("l", 1) }, { k: "1" }]) {
        t.publish({ exchange: topic, "routing-key": key, mandatory: true }, `${key}|${Object.keys(table)}`, {
          headers: table,
        });
        if ((await t.receive()).name === "basic.return") await t.receive();
      }
    }
    for (const queue of queues) {
      while ((await t.call("basic.get", { queue, "no-ack": true })).name === "basic.get-ok") await Promise.resolve();
    }
    for (const queue of queues) await t.call("queue.delete", { queue });
    await t.call("exchange.declare", { exchange: topic, passive: true });
    await reopen(t);
  },

  "dead letters": async (t, name) => {
    const [work, dead] = [name("work"), name("dead")];
    await t.call("queue.declare", { queue: dead, exclusive: true });
    const args = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead, "x-max-length": 2 };
    await t.call("queue.declare", { queue: work, exclusive: true, arguments: args });
    await t.call("confirm.select");
    for (const body of ["1", "2", "3"]) {
      t.publish({ "routing-key": work }, body, {
        headers: { CC: [`cc ${body}`], BCC: ["b"], mine: body },
        expiration: "900000",
      });
      await t.receive();
    }
    await t.call("basic.get", { queue: dead });
    await t.call("basic.get", { queue: work });
    t.send("basic.reject", { "delivery-tag": 2 });
    await t.call("queue.declare", { queue: work, passive: true });
    await t.call("basic.get", { queue: dead });
    await t.call("queue.purge", { queue: work });
    await t.call("basic.get", { queue: dead });
  },

  "dead letters by CC and BCC": async (t, name) => {
    const [work, graves] = [name("work"), name("graves")];
    const queues = [name("by key"), name("by cc"), name("by bcc")];
    await t.call("exchange.declare", { exchange: graves, type: "direct" });
    const args = { "x-dead-letter-exchange": graves };
    for (const queue of [work, ...queues]) await t.call("queue.declare", { queue, exclusive: true, arguments: args });
    for (const [index, key] of [work, "copy", "hidden"].entries()) {
      await t.call("queue.bind", { queue: queues[index] ?? "", exchange: graves, "routing-key": key });
    }
    await t.call("confirm.select");
    t.publish({ "routing-key": work }, "x", { headers: { CC: ["copy"], BCC: ["hidden"], mine: 1 } });
    await t.receive();
    await t.call("basic.get", { queue: work });
    t.send("basic.reject", { "delivery-tag": 1 });
    await t.call("queue.declare", { queue: work, passive: true });
    for (const queue of queues) await t.call("basic.get", { queue });
    // The third one dies once more, and would go round to all three.
    await t.call("queue.unbind", { queue: queues[2] ?? "", exchange: graves, "routing-key": "hidden" });
    await t.call("queue.bind", { queue: queues[0] ?? "", exchange: graves, "routing-key": "hidden" });
    t.send("basic.reject", { "delivery-tag": 4 });
    await t.call("queue.declare", { queue: queues[2] ?? "", passive: true });
    for (const queue of queues) await t.call("basic.get", { queue, "no-ack": true });
    await t.call("exchange.delete", { exchange: graves });
  },

  "dead letters through exchanges and an alternate": async (t, name) => {
    const [work, first, second, last] = [name("work"), name("first"), name("second"), name("last")];
    const [routed, unrouted] = [name("routed"), name("unrouted")];
    await t.call("exchange.declare", { exchange: last, type: "fanout" });
    const args = { "alternate-exchange": last };
    for (const exchange of [first, second]) {
      await t.call("exchange.declare", { exchange, type: "topic", arguments: exchange === second ? args : {} });
    }
    await t.call("exchange.bind", { source: first, destination: second, "routing-key": "#" });
    const dying = { "x-dead-letter-exchange": first, "x-max-length": 1 };
    await t.call("queue.declare", { queue: work, exclusive: true, arguments: dying });
    for (const queue of [routed, unrouted]) await t.call("queue.declare", { queue, exclusive: true });
    await t.call("queue.bind", { queue: work, exchange: "amq.topic", "routing-key": "#" });
    await t.call("queue.bind", { queue: routed, exchange: second, "routing-key": "known.*" });
    await t.call("queue.bind", { queue: unrouted, exchange: last });
    await t.call("confirm.select");
    for (const key of ["known.key", "unknown.key", "the last"]) {
      t.publish({ exchange: "amq.topic", "routing-key": key }, key);
      await t.receive();
    }
    await t.call("queue.declare", { queue: work, passive: true });
    for (const queue of [routed, unrouted, work]) {
      await t.call("basic.get", { queue, "no-ack": true });
      await t.call("basic.get", { queue, "no-ack": true });
    }
    for (const exchange of [first, second, last]) await t.call("exchange.delete", { exchange });
  },

  "a client's own x-death is counted on": async (t, name) => {
    const [work, dead] = [name("work"), name("dead")];
    await t.call("queue.declare", { queue: dead, exclusive: true });
    const args = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead };
    await t.call("queue.declare", { queue: work, exclusive: true, arguments: args });
    const first = {
      "x-first-death-queue": "nursery",
      "x-first-death-reason": "expired",
      "x-first-death-exchange": "cradle",
    };
    const same = { reason: "rejected", queue: work, exchange: "", "routing-keys": [work] };
    const other = { count: 5, reason: "expired", queue: "nursery", exchange: "cradle", "routing-keys": ["k"] };
    const own = [
      [{ ...same, count: 5 }],
      [{ ...same, count: new Tagged("l", 5) }],
      [{ ...same, count: new Tagged("s", 5) }],
      [other],
      [other, { ...same, count: 2 }],
      [same],
      "no deaths at all",
      undefined,
    ];
    await t.call("confirm.select");
    for (const [index, deaths] of own.entries()) {
      t.publish({ "routing-key": work }, "again", {
        headers: { ...first, ...(deaths !== undefined && { "x-death": deaths }) },
      });
      await t.receive();
      await t.call("basic.get", { queue: work });
      t.send("basic.reject", { "delivery-tag": 2 * index + 1 });
      await t.call("queue.declare", { queue: work, passive: true });
      await t.call("basic.get", { queue: dead });
    }
  },

  priorities: async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true, arguments: { "x-max-priority": 5 } });
    for (const [index, priority] of [0, 3, 5, 200, undefined, 3, 1].entries()) {
      t.publish({ "routing-key": queue }, String(index), priority === undefined ? {} : { priority });
    }
    for (let index = 0; index < 8; index++) await t.call("basic.get", { queue, "no-ack": true });
  },

  transactions: async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("tx.select");
    t.publish({ "routing-key": queue }, "1");
    await t.call("basic.get", { queue });
    await t.call("tx.commit");
    await t.call("basic.get", { queue });
    t.send("basic.ack", { "delivery-tag": 1 });
    t.publish({ "routing-key": queue }, "2");
    await t.call("tx.rollback");
    t.publish({ "routing-key": "nobody", mandatory: true }, "3");
    t.send("tx.commit");
    await t.receiveMany(2);
    await t.call("basic.get", { queue });
    await t.call("confirm.select");
    await reopen(t);
  },

  "direct reply-to": async (t, name) => {
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("basic.consume", { queue: "amq.rabbitmq.reply-to", "consumer-tag": "r", "no-ack": true });
    t.publish({ "routing-key": queue }, "ask", { "reply-to": "amq.rabbitmq.reply-to", "correlation-id": "1" });
    await t.call("basic.get", { queue, "no-ack": true });
    await t.call("basic.cancel", { "consumer-tag": "r" });
    t.publish({ "routing-key": queue }, "too late", { "reply-to": "amq.rabbitmq.reply-to" });
    await t.receive();
    await reopen(t);
  },

  "direct reply-to is no queue": async (t, name) => {
    const pseudo = "amq.rabbitmq.reply-to";
    const gone = `${pseudo}.nobody`;
    for (const passive of [false, true]) await t.call("queue.declare", { queue: pseudo, passive });
    for (const queue of [pseudo, gone]) {
      await t.call("queue.delete", { queue });
      for (const method of ["queue.purge", "basic.get"]) {
        await t.call(method, { queue });
        await reopen(t);
      }
    }
    for (const passive of [false, true]) {
      await t.call("queue.declare", { queue: gone, passive });
      await reopen(t);
    }
    for (const method of ["basic.consume", "queue.bind"]) {
      await t.call(method, { queue: gone, exchange: "amq.direct" });
      await reopen(t);
    }
    await t.call("confirm.select");
    for (const key of [pseudo, gone]) {
      t.publish({ "routing-key": key, mandatory: true }, "to nobody");
      await t.receiveMany(2);
    }
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    t.publish({ "routing-key": queue }, "an address of one's own", { "reply-to": gone });
    await t.receive();
    await t.call("basic.get", { queue, "no-ack": true });
  },

  "direct reply-to refuses": async (t, name) => {
    const pseudo = "amq.rabbitmq.reply-to";
    const queue = name("q");
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("basic.consume", { queue: pseudo });
    await reopen(t);
    await t.call("basic.consume", { queue: pseudo, "consumer-tag": "a", "no-ack": true, exclusive: true });
    await t.call("basic.consume", { queue: pseudo, "consumer-tag": "b", "no-ack": true });
    await reopen(t);
    t.publish({ "routing-key": queue }, "before a consumer", { "reply-to": pseudo });
    await t.receive();
    await reopen(t);
    await t.call("tx.select");
    t.publish({ "routing-key": queue }, "in a transaction", { "reply-to": pseudo });
    await t.receive();
    await reopen(t);
    await t.call("basic.get", { queue });
    await t.call("basic.consume", { queue: pseudo, "consumer-tag": "a", "no-ack": true });
    await t.call("basic.consume", { queue: pseudo, "consumer-tag": "a", "no-ack": true });
  },

  "auto-delete": async (t, name) => {
    const [queue, exchange] = [name("q"), name("x")];
    await t.call("exchange.declare", { exchange, type: "direct", "auto-delete": true });
    await t.call("queue.declare", { queue, "auto-delete": true });
    await t.call("queue.bind", { queue, exchange, "routing-key": "k" });
    await t.call("basic.consume", { queue, "consumer-tag": "c" });
    await t.call("basic.cancel", { "consumer-tag": "c" });
    await t.call("queue.declare", { queue, passive: true });
    await reopen(t);
    await t.call("exchange.declare", { exchange, passive: true });
    await reopen(t);
  },

  "an alternate exchange": async (t, name) => {
    const [queue, exchange, alternate] = [name("q"), name("x"), name("alternate")];
    await t.call("exchange.declare", { exchange: alternate, type: "fanout", "auto-delete": true });
    await t.call("exchange.declare", { exchange, type: "direct", arguments: { "alternate-exchange": alternate } });
    await t.call("queue.declare", { queue, exclusive: true });
    await t.call("queue.bind", { queue, exchange: alternate });
    await t.call("confirm.select");
    t.publish({ exchange, "routing-key": "unknown", mandatory: true }, "caught");
    await t.receive();
    await t.call("basic.get", { queue, "no-ack": true });
    await t.call("queue.delete", { queue });
    t.publish({ exchange, "routing-key": "unknown", mandatory: true }, "not caught");
    await t.receiveMany(2);
    await t.call("exchange.delete", { exchange });
  },

  "flow, access and other odd methods": async (t) => {
    await t.call("channel.flow", { active: true });
    await t.call("access.request", { realm: "/data", read: true });
    t.send("basic.recover-async", { requeue: true });
    await t.call("basic.qos", { "prefetch-count": 65_535, global: true });
    await t.call("connection.update-secret", { "new-secret": "s", reason: "r" }, 0);
    await t.call("basic.cancel", { "consumer-tag": "never" });
    await t.call("channel.close", { "reply-code": 200, "reply-text": "bye" });
    await t.call("channel.open");
  },
};

/** Reads what two independent parts of a broker send in no fixed order, and lists it in one. */
async function sorted(t: Transcript, count: number): Promise<void> {
  const from = t.lines.length;
  await t.receiveMany(count);
  t.lines.push(...t.lines.splice(from).toSorted());
}

describe("the same conversation with RabbitMQ", () => {
  it.for(Object.entries(scenarios))("%s", async ([, scenario], context) => {
    context.skip(peer === undefined, reason);
    await compare(scenario);
  });
});

/** The same sequence for the same seed, on every machine (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const queueArguments: Fields[] = [
  {},
  {},
  { "x-max-length": 3 },
  { "x-max-priority": 4 },
  { "x-max-length-bytes": 12, "x-overflow": "reject-publish" },
  { "x-message-ttl": 3_600_000 },
  { "x-max-length": -1 },
  { "my-own": "argument" },
];
const keys = ["", "a", "b", "a.b", "a.#", "#", "*", "b.a"];
const types = ["direct", "fanout", "topic", "headers"];
const tables: Fields[] = [{}, { k: 1 }, { k: 2 }, { "x-match": "any", k: 1, s: "x" }, { s: "x" }];

/** The channel with the messages that are held. */
const holding = 2;

/** A walk over everything that answers at once: what is declared, bound, sent and taken depends on the seed alone. */
class Walk {
  readonly #t: Transcript;
  readonly #random: (below: number) => number;
  readonly #queues: string[];
  readonly #exchanges: string[];
  /** Of messages that are held, on a channel of their own. */
  #unacked: number[] = [];
  readonly #there = new Set<string>();

  constructor(transcript: Transcript, name: (what: string) => string, seed: number) {
    this.#t = transcript;
    this.#random = randomFrom(seed);
    this.#queues = ["q0", "q1", "q2", "q3"].map(name);
    this.#exchanges = ["x0", "x1", "x2", "x3"].map(name);
  }

  async run(steps: number): Promise<void> {
    await this.#t.call("confirm.select");
    await this.#t.call("channel.open", {}, holding);
    for (let step = 0; step < steps; step++) await this.#step();
    for (const exchange of this.#exchanges) await this.#t.call("exchange.delete", { exchange });
    for (const queue of this.#queues) await this.#t.call("queue.delete", { queue });
  }

  #pick<T>(values: readonly T[]): T {
    const value = values[this.#random(values.length)];
    if (value === undefined) throw new Error("nothing to pick from");
    return value;
  }

  #chance(percent: number): boolean {
    return this.#random(100) < percent;
  }

  async #step(): Promise<void> {
    const dice = this.#random(100);
    if (dice < 12) await this.#declareQueue();
    else if (dice < 20) await this.#declareExchange();
    else if (dice < 34) await this.#bind();
    else if (dice < 66) await this.#publish();
    else if (dice < 84) await this.#get();
    else if (dice < 94) await this.#settle();
    else await this.#remove();
  }

  async #call(method: string, fields: Fields): Promise<void> {
    await this.#after(await this.#t.call(method, fields));
  }

  /**
   * A refusal costs the channel, which holds nothing: RabbitMQ gives back what a channel held when it finds that the
   * channel has gone, and nothing tells when that is.
   */
  async #after({ name }: { name: string }): Promise<void> {
    if (name !== "channel.close") return;
    await reopen(this.#t);
    await this.#t.call("confirm.select");
    await this.#sync();
  }

  /**
   * Takes a message from every queue and gives it back, twice: by then what was on its way from queue to queue is
   * there. RabbitMQ's queues work beside each other; only what one of them is asked in turn is in order.
   */
  async #sync(): Promise<void> {
    for (const queue of [...this.#there, ...this.#there]) {
      const { name, fields } = await this.#t.call("basic.get", { queue });
      if (name === "basic.get-ok")
        this.#t.send("basic.reject", { "delivery-tag": fields["delivery-tag"], requeue: true });
    }
    await this.#heard(1);
  }

  /** Once this is answered, queues have heard what was sent on a channel, ahead of what another one asks of them. */
  async #heard(channel: number): Promise<void> {
    await this.#t.call("basic.qos", { "prefetch-count": 0 }, channel);
  }

  async #declareQueue(): Promise<void> {
    const queue = this.#pick(this.#queues);
    const dead = this.#chance(30) ? { "x-dead-letter-exchange": this.#pick(["", ...this.#exchanges]) } : {};
    const args = { ...this.#pick(queueArguments), ...dead };
    const declared = await this.#t.call("queue.declare", { queue, durable: this.#chance(10), arguments: args });
    if (declared.name === "queue.declare-ok") this.#there.add(queue);
    await this.#after(declared);
  }

  async #declareExchange(): Promise<void> {
    const alternate = this.#chance(20) ? { "alternate-exchange": this.#pick(this.#exchanges) } : {};
    const index = this.#random(this.#exchanges.length);
    await this.#call("exchange.declare", {
      exchange: this.#exchanges[index],
      // Mostly the type it has, so that most declarations succeed.
      type: this.#chance(90) ? types[index] : this.#pick(types),
      durable: this.#chance(10),
      "auto-delete": this.#chance(10),
      internal: this.#chance(5),
      arguments: alternate,
    });
  }

  async #bind(): Promise<void> {
    const verb = this.#chance(75) ? "bind" : "unbind";
    const common = { "routing-key": this.#pick(keys), arguments: this.#pick(tables) };
    if (this.#chance(70)) {
      await this.#call(`queue.${verb}`, {
        queue: this.#pick(this.#queues),
        exchange: this.#pick([...this.#exchanges, "amq.topic"]),
        ...common,
      });
    } else {
      await this.#call(`exchange.${verb}`, {
        source: this.#pick(this.#exchanges),
        destination: this.#pick(this.#exchanges),
        ...common,
      });
    }
  }

  async #publish(): Promise<void> {
    const exchange = this.#pick(["", "", "amq.topic", ...this.#exchanges]);
    const routingKey = exchange === "" ? this.#pick(this.#queues) : this.#pick(keys);
    const cc = this.#chance(10) ? { CC: [this.#pick(keys)], BCC: [this.#pick([...this.#queues, ...keys])] } : {};
    const properties = {
      headers: { ...this.#pick(tables), ...cc },
      "delivery-mode": this.#pick([1, 2]),
      priority: this.#random(8),
    };
    const mandatory = this.#chance(50);
    this.#t.publish({ exchange, "routing-key": routingKey, mandatory }, `body ${this.#random(1000)}`, properties);
    const reply = await this.#t.receive();
    if (reply.name === "basic.return") await this.#t.receive();
    await this.#after(reply);
    await this.#sync();
  }

  async #get(): Promise<void> {
    const noAck = this.#chance(50);
    const queue = this.#pick(this.#queues);
    if (noAck || !this.#there.has(queue)) {
      await this.#after(await this.#t.call("basic.get", { queue, "no-ack": true }));
    } else {
      const reply = await this.#t.call("basic.get", { queue }, holding);
      if (reply.name === "basic.get-ok") this.#unacked.push(Number(reply.fields["delivery-tag"]));
    }
  }

  async #settle(): Promise<void> {
    if (this.#unacked.length === 0) return;
    if (this.#chance(10)) {
      this.#unacked = [];
      await this.#t.call("basic.recover", { requeue: true }, holding);
    } else {
      const [tag] = this.#unacked.splice(this.#random(this.#unacked.length), 1);
      const method = this.#pick(["basic.ack", "basic.nack", "basic.reject"]);
      this.#t.send(method, { "delivery-tag": tag, requeue: this.#chance(60) }, holding);
      await this.#heard(holding);
    }
    await this.#sync();
  }

  async #remove(): Promise<void> {
    const queue = this.#pick(this.#queues);
    if (this.#chance(40)) {
      await this.#call("queue.purge", { queue });
    } else if (this.#chance(50)) {
      const reply = await this.#t.call("queue.delete", { queue, "if-empty": this.#chance(50) });
      if (reply.name === "queue.delete-ok") this.#there.delete(queue);
      await this.#after(reply);
    } else {
      await this.#call("exchange.delete", { exchange: this.#pick(this.#exchanges), "if-unused": this.#chance(50) });
    }
  }
}

describe("a random walk beside RabbitMQ", () => {
  const seeds = Array.from({ length: Number(process.env["FC_RUNS"] ?? 8) }, (_, index) => index + 1);

  it.for(seeds)("ends in the same place, seed %i", async (seed, context) => {
    context.skip(peer === undefined, reason);
    await compare((transcript, name) => new Walk(transcript, name, seed).run(200));
  });
});
