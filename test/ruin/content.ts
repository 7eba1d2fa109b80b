import type { ConfirmChannel, Options } from "amqplib";
import { AmqpClient } from "../support/amqp-client.ts";
import type { TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";

/** A queue that trials look into. */
export interface TrialQueue {
  readonly name: string;
  readonly options?: Options.AssertQueue;
  readonly messages: number;
  readonly bodyBytes: number;
  /** Acked: those whose number is below and odd. */
  readonly ackedBelow: number;
  readonly priorities: number;
}

const plain = { bodyBytes: 1500, ackedBelow: 0, priorities: 1 };

export const trialQueues: readonly TrialQueue[] = [
  { ...plain, name: "classic", messages: 300, ackedBelow: 100 },
  { ...plain, name: "quorum", messages: 150, options: { arguments: { "x-queue-type": "quorum" } } },
  { ...plain, name: "ranked", messages: 150, priorities: 5, options: { maxPriority: 5 } },
  { ...plain, name: "expiring", messages: 80, options: { messageTtl: 3_600_000 } },
  { ...plain, name: "big", messages: 10, bodyBytes: 100_000 },
  { ...plain, name: "delayed", messages: 40 },
];

/** How long the messages of the delayed exchange are held. */
export const delayMs = 15_000;

/** The body of a message. */
export function bodyOf(queue: string, number: number, size: number): Buffer {
  return Buffer.alloc(size, `${queue} ${number} `);
}

/** The numbers that are in a queue, in the order they come. */
export function expectedNumbers({ messages, ackedBelow, priorities }: TrialQueue): number[] {
  return Array.from({ length: messages }, (_, i) => i)
    .filter((number) => number >= ackedBelow || number % 2 === 0)
    .sort((a, b) => (b % priorities) - (a % priorities) || a - b);
}

/** Fills a broker with something of everything. Calls `snapshot` half way, with the broker stopped. */
export async function fill(broker: TestBroker, snapshot: () => void): Promise<void> {
  await define(broker);
  await publishAll(broker, (messages) => Math.floor(messages / 2), 0);
  await broker.shutdown();
  snapshot();
  await broker.restart();
  await more(broker);
  await publishAll(broker, (messages) => messages, 0.5);
  const client = new AmqpClient(broker);
  const channel = await client.confirmChannel();
  await ackSome(channel);
  await channel.assertQueue("dropped");
  for (let i = 0; i < 400; i++) channel.sendToQueue("dropped", Buffer.alloc(8000, "d"), { persistent: true });
  await channel.waitForConfirms();
  await channel.purgeQueue("dropped");
  await client.cleanUp();
}

async function define(broker: TestBroker): Promise<void> {
  const admin = asGuest(broker);
  await admin.must("PUT", "/vhosts/other", { description: "another" });
  for (let i = 0; i < 60; i++) {
    await admin.must("PUT", `/users/user-${i}`, { password: "secret", tags: "monitoring" });
    await admin.must("PUT", `/permissions/other/user-${i}`, { configure: "^a".repeat(150), write: ".*", read: ".*" });
  }
  await admin.must("PUT", "/topic-permissions/other/user-1", { exchange: "amq.topic", write: "^a", read: ".*" });
  await admin.must("PUT", "/policies/other/few", { pattern: "^q", definition: { "max-length": 10 } });
  await admin.must("PUT", "/operator-policies/other/least", { pattern: "^q", definition: { "max-length": 5 } });
  await admin.must("PUT", "/vhost-limits/other/max-queues", { value: 7 });
  await admin.must("PUT", "/global-parameters/note", { value: { text: "kept" } });
  const client = new AmqpClient(broker);
  const channel = await client.confirmChannel();
  await channel.assertExchange("later", "x-delayed-message", { arguments: { "x-delayed-type": "direct" } });
  await channel.assertExchange("news", "topic");
  for (const { name, options } of trialQueues) {
    await channel.assertQueue(name, options);
    await channel.bindQueue(name, "news", `${name}.#`, { "x-note": 1 });
  }
  await channel.bindQueue("delayed", "later", "delayed");
  await channel.assertQueue("gone");
  for (let i = 0; i < 400; i++) channel.sendToQueue("gone", Buffer.alloc(8000, "g"), { persistent: true });
  await channel.waitForConfirms();
  await channel.deleteQueue("gone");
  await client.cleanUp();
}

/** Definitions that fill pages. */
async function more(broker: TestBroker): Promise<void> {
  const client = new AmqpClient(broker);
  const channel = await client.channel();
  for (let i = 0; i < 200; i++) {
    await channel.assertQueue(`small-${i}-${"x".repeat(50)}`);
    await channel.bindQueue(`small-${i}-${"x".repeat(50)}`, "news", `${"a".repeat(100)}.${i}`);
  }
  await client.cleanUp();
}

async function publishAll(broker: TestBroker, to: (messages: number) => number, fromPart: number): Promise<void> {
  const client = new AmqpClient(broker);
  const channel = await client.confirmChannel();
  for (const { name, messages, bodyBytes, priorities } of trialQueues) {
    for (let i = Math.floor(messages * fromPart); i < to(messages); i++) {
      const body = bodyOf(name, i, bodyBytes);
      if (name !== "delayed") channel.sendToQueue(name, body, { persistent: true, priority: i % priorities });
      else channel.publish("later", "delayed", body, { persistent: true, headers: { "x-delay": delayMs } });
    }
  }
  await channel.waitForConfirms();
  await client.cleanUp();
}

/** Every other of the first messages is acked, the others go back. */
async function ackSome(channel: ConfirmChannel): Promise<void> {
  for (const { name, ackedBelow } of trialQueues) {
    const kept = [];
    for (let i = 0; i < ackedBelow; i++) {
      const message = await channel.get(name);
      if (message === false) throw new Error(`${name} has too few`);
      if (i % 2 === 0) kept.push(message);
      else channel.ack(message);
    }
    for (const message of kept.reverse()) channel.nack(message);
    await channel.checkQueue(name);
  }
}

/** All definitions, in an order that says nothing. */
export async function allDefinitions(broker: TestBroker): Promise<string> {
  const lists = Object.entries(Object(await asGuest(broker).read("/definitions")));
  const sorted = lists.map(([kind, list]) => [
    kind,
    Array.isArray(list) ? list.map((one) => JSON.stringify(one)).sort() : list,
  ]);
  return JSON.stringify(sorted);
}
