import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { setTimeout as later } from "node:timers/promises";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { cutSocket } from "../support/amqp-client.ts";
import type { TestBroker } from "../support/broker.ts";
import { WireClient } from "../support/wire-client.ts";

/** Something that a client should not do to a broker. `full` is how much of it is to be borne, `small` is for a test. */
export interface Abuse {
  readonly name: string;
  readonly full: number;
  readonly small: number;
  /** Does it and cleans up; what is returned is told. */
  readonly run: (broker: TestBroker, size: number) => Promise<string>;
}

async function withChannel<T>(
  broker: TestBroker,
  act: (channel: ConfirmChannel, connection: ChannelModel) => Promise<T>,
) {
  const connection = await connect(broker.url);
  connection.on("error", () => {});
  const channel = await connection.createConfirmChannel();
  const result = await act(channel, connection);
  await connection.close();
  return result;
}

/** Publishes as fast as the broker confirms, some at a time. */
async function publish(channel: ConfirmChannel, queue: string, count: number, size: number): Promise<void> {
  const body = Buffer.alloc(size);
  const window = size > 10_000 ? 50 : 2000;
  for (let sent = 0; sent < count; ) {
    for (let i = 0; i < window && sent < count; i++, sent++) channel.sendToQueue(queue, body);
    await channel.waitForConfirms();
  }
}

async function stopsReading(broker: TestBroker, megabytes: number): Promise<string> {
  const deaf = await WireClient.open(broker);
  await deaf.openChannel(1);
  await deaf.call(1, "queue.declare", { queue: "abuse" });
  await deaf.call(1, "basic.consume", { queue: "abuse", "no-ack": true });
  deaf.detach().pause();
  await withChannel(broker, (channel) => publish(channel, "abuse", megabytes * 10, 100_000));
  deaf.destroy();
  await withChannel(broker, (channel) => channel.deleteQueue("abuse"));
  return `${megabytes} MB for it`;
}

async function neverAcks(broker: TestBroker, count: number): Promise<string> {
  const consumer = await connect(broker.url);
  const channel = await consumer.createChannel();
  await channel.assertQueue("abuse");
  let came = 0;
  let all = (): void => {};
  const done = new Promise<void>((resolve) => {
    all = resolve;
  });
  await channel.consume("abuse", () => {
    if (++came === count) all();
  });
  await withChannel(broker, (publisher) => publish(publisher, "abuse", count, 10));
  await done;
  consumer.on("error", () => {});
  cutSocket(consumer);
  await withChannel(broker, async (publisher) => {
    while ((await publisher.checkQueue("abuse")).messageCount < count) await later(50);
    await publisher.deleteQueue("abuse");
  });
  return `${count} messages out at once`;
}

/** All at once, each up to an open connection. */
async function manyConnections(broker: TestBroker, count: number): Promise<string> {
  const from = performance.now();
  const clients = await Promise.all(Array.from({ length: count }, () => WireClient.open(broker)));
  const seconds = (performance.now() - from) / 1000;
  for (const client of clients) client.destroy();
  return `${count} open after ${seconds.toFixed(1)} s`;
}

const churnPerSecond = 1000;

/** Connections with a channel that come and go, so many a second. Those that the broker falls behind with are caught up on. */
async function churn(broker: TestBroker, seconds: number): Promise<string> {
  const from = performance.now();
  const pending = new Set<Promise<void>>();
  let count = 0;
  for (let ms = 0; ms < seconds * 1000; ms = performance.now() - from) {
    for (; count < (ms * churnPerSecond) / 1000 && pending.size < 200; count++) {
      const one = comeAndGo(broker).finally(() => pending.delete(one));
      pending.add(one);
    }
    await later(5);
  }
  await Promise.all(pending);
  return `${Math.round((count * 1000) / (performance.now() - from))} connections and channels a second`;
}

async function comeAndGo(broker: TestBroker): Promise<void> {
  const client = await WireClient.open(broker);
  await client.openChannel(1);
  client.destroy();
}

async function manyQueues(broker: TestBroker, count: number): Promise<string> {
  await withChannel(broker, async (channel) => {
    for (const act of ["assertQueue", "deleteQueue"] as const) {
      for (let from = 0; from < count; from += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, i) => channel[act](`abuse.${from + i}`)));
      }
    }
  });
  return `${count} durable queues`;
}

async function bigMessage(broker: TestBroker, megabytes: number): Promise<string> {
  await withChannel(broker, async (channel) => {
    await channel.assertQueue("abuse");
    channel.sendToQueue("abuse", Buffer.alloc(megabytes * 1e6, 7), { persistent: true });
    await channel.waitForConfirms();
    const message = await channel.get("abuse", { noAck: true });
    if (message === false || message.content.length !== megabytes * 1e6) throw new Error("it did not come back whole");
    await channel.deleteQueue("abuse");
  });
  return `${megabytes} MB there and back`;
}

async function nobodyReads(broker: TestBroker, megabytes: number): Promise<string> {
  const from = performance.now();
  await withChannel(broker, async (channel) => {
    await channel.assertQueue("abuse");
    await publish(channel, "abuse", megabytes * 10, 100_000);
    await channel.deleteQueue("abuse");
  });
  const seconds = (performance.now() - from) / 1000;
  return `${megabytes} MB at ${Math.round(megabytes / seconds)} MB/s`;
}

/** Four publishers as fast as they can, one consumer who takes its time; nothing may be dropped. */
async function slowConsumer(broker: TestBroker, seconds: number): Promise<string> {
  const until = performance.now() + seconds * 1000;
  let [confirmed, acked] = [0, 0];
  const consumer = await connect(broker.url);
  consumer.on("error", () => {});
  const slow = await consumer.createChannel();
  await slow.assertQueue("abuse");
  await slow.prefetch(20);
  await slow.consume("abuse", (message) => {
    setTimeout(() => {
      if (message === null || performance.now() > until) return;
      slow.ack(message);
      acked++;
    }, 5);
  });
  const flood = async (channel: ConfirmChannel): Promise<void> => {
    while (performance.now() < until) {
      await publish(channel, "abuse", 1000, 1000);
      confirmed += 1000;
    }
  };
  await Promise.all(Array.from({ length: 4 }, () => withChannel(broker, flood)));
  await consumer.close();
  await withChannel(broker, async (channel) => {
    const { messageCount } = await channel.checkQueue("abuse");
    if (messageCount + acked !== confirmed) throw new Error(`${confirmed} came, ${messageCount + acked} are left`);
    await channel.deleteQueue("abuse");
  });
  return `${Math.round(confirmed / seconds)} in and ${Math.round(acked / seconds)} out a second, none dropped`;
}

async function cycle(broker: TestBroker, count: number): Promise<string> {
  await withChannel(broker, async (channel) => {
    const names = Array.from({ length: count }, (_, i) => `abuse.${i}`);
    for (const name of names) await channel.assertExchange(name, "fanout");
    for (const [i, name] of names.entries()) await channel.bindExchange(names[(i + 1) % count] ?? "", name, "");
    await channel.assertQueue("abuse");
    await channel.bindQueue("abuse", names[count - 1] ?? "", "");
    for (let i = 0; i < 100; i++) channel.publish("abuse.0", "", Buffer.from("round"));
    await channel.waitForConfirms();
    const { messageCount } = await channel.checkQueue("abuse");
    if (messageCount !== 100) throw new Error(`${messageCount} of 100 messages came through`);
    for (const name of names) await channel.deleteExchange(name);
    await channel.deleteQueue("abuse");
  });
  return `100 messages through ${count} exchanges in a cycle`;
}

async function fanOut(broker: TestBroker, count: number): Promise<string> {
  const messages = 50;
  await withChannel(broker, async (channel) => {
    await channel.assertExchange("abuse", "fanout");
    for (let from = 0; from < count; from += 500) {
      await Promise.all(
        Array.from({ length: 500 }, async (_, i) => {
          const { queue } = await channel.assertQueue(`abuse.${from + i}`, { durable: false });
          await channel.bindQueue(queue, "abuse", "");
        }),
      );
    }
    for (let i = 0; i < messages; i++) channel.publish("abuse", "", Buffer.alloc(100));
    await channel.waitForConfirms();
    await channel.deleteExchange("abuse");
    for (let from = 0; from < count; from += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, i) => channel.deleteQueue(`abuse.${from + i}`)));
    }
  });
  return `${messages} messages to ${count} queues each`;
}

/** They say nothing, or half of the handshake, until the broker has had enough of them. */
async function silence(broker: TestBroker, count: number): Promise<string> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connectSocket(broker.port, broker.host, () => {
      if (i % 2 === 0) socket.write(Buffer.from("AMQP\0\0\x09\x01", "latin1"));
    });
    socket.on("error", () => {});
    socket.resume();
    sockets.push(socket);
  }
  await Promise.all(sockets.map((socket) => once(socket, "close")));
  return `${count} of them, closed by the broker`;
}

export const abuses: readonly Abuse[] = [
  { name: "a consumer that stops reading", full: 500, small: 20, run: stopsReading },
  { name: "a consumer that never acks", full: 1_000_000, small: 20_000, run: neverAcks },
  { name: "connections opened and dropped at once", full: 10_000, small: 300, run: manyConnections },
  { name: "churn of connections and channels", full: 60, small: 1, run: churn },
  { name: "queues declared and deleted", full: 10_000, small: 500, run: manyQueues },
  { name: "a big message", full: 100, small: 20, run: bigMessage },
  { name: "a queue that nobody reads", full: 2400, small: 50, run: nobodyReads },
  { name: "publishers far faster than their consumer", full: 30, small: 0.5, run: slowConsumer },
  { name: "exchanges bound in a cycle", full: 1000, small: 50, run: cycle },
  { name: "a fan-out to many queues", full: 10_000, small: 500, run: fanOut },
  { name: "handshakes that never end", full: 2000, small: 100, run: silence },
];
