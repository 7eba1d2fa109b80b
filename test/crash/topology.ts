import type { ChannelModel } from "amqplib";
import type { TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import type { SeededRandom } from "../support/random.ts";
import type { Ledger, Stream } from "./ledger.ts";

/** Messages in `ttl` die after so long. */
const timeToLiveMs = 150;

const plain = { priorities: 0, transaction: 0, exchange: "" };

/** One publisher each for the ways that a message can take. */
export const streams: readonly Stream[] = [
  { ...plain, name: "plain", routingKey: "plain", queue: "plain" },
  { ...plain, name: "quorum", routingKey: "quorum", queue: "quorum" },
  { ...plain, name: "priority", routingKey: "priority", queue: "priority", priorities: 3 },
  { ...plain, name: "ttl", routingKey: "ttl", queue: "dead" },
  { ...plain, name: "bound", exchange: "first", routingKey: "a.b", queue: "bound" },
  { ...plain, name: "kept", routingKey: "kept", queue: "kept" },
  { ...plain, name: "transaction", routingKey: "transaction", queue: "transaction", transaction: 20 },
];

/** All queues that messages can be in, the one first that others get theirs from. */
export const queues = ["ttl", "plain", "quorum", "priority", "dead", "bound", "kept", "transaction"] as const;

/**
 * Queues that are consumed from while there is traffic. In `kept` all stays that was ever written, so that a batch which is
 * missing is missed, however soon the rest of it was acked.
 */
export const consumed = ["plain", "quorum", "priority", "dead", "bound", "transaction"] as const;

export async function declareAll(connection: ChannelModel): Promise<void> {
  const channel = await connection.createChannel();
  const durable = { durable: true };
  await channel.assertQueue("plain", durable);
  await channel.assertQueue("quorum", { ...durable, arguments: { "x-queue-type": "quorum" } });
  await channel.assertQueue("priority", { ...durable, maxPriority: 3 });
  await channel.assertQueue("dead", durable);
  await channel.assertQueue("ttl", {
    ...durable,
    messageTtl: timeToLiveMs,
    deadLetterExchange: "",
    deadLetterRoutingKey: "dead",
  });
  await channel.assertQueue("transaction", durable);
  await channel.assertQueue("kept", durable);
  await channel.assertQueue("bound", durable);
  await channel.assertExchange("first", "topic", durable);
  await channel.assertExchange("second", "fanout", durable);
  await channel.bindExchange("second", "first", "a.*");
  await channel.bindQueue("bound", "second", "");
  await channel.close();
}

/** Declares, binds and deletes while the broker may be killed, and knows what was answered. */
export class ChangingTopology {
  /** Whether a queue and its binding must be there; undefined while nobody knows. */
  readonly #known = new Map<string, boolean | undefined>();
  #last = 0;

  /** Goes on until the connection ends. */
  async change(connection: ChannelModel, random: SeededRandom): Promise<void> {
    let isOpen = true;
    connection.once("close", () => {
      isOpen = false;
    });
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    while (isOpen) {
      const there = [...this.#known].filter(([, exists]) => exists === true).map(([name]) => name);
      const victim = there[random.integer(0, 40)];
      const name = victim ?? `changing-${++this.#last}`;
      this.#known.set(name, undefined);
      if (victim === undefined) {
        await channel.assertQueue(name, { durable: true });
        await channel.bindQueue(name, "amq.topic", name);
      } else await channel.deleteQueue(name);
      this.#known.set(name, victim === undefined);
    }
  }

  get size(): number {
    return this.#known.size;
  }

  /** Holds what is there against what was answered. */
  async check(broker: TestBroker, ledger: Ledger): Promise<void> {
    const names = namesOf(await asGuest(broker).read("/queues"), "name");
    const bound = namesOf(await asGuest(broker).read("/bindings/%2F"), "routing_key", "amq.topic");
    for (const name of queues) if (!names.has(name)) ledger.violation(`queue ${name} is gone`);
    for (const [name, exists] of this.#known) {
      if (exists === undefined) this.#known.set(name, names.has(name) && bound.has(name) ? true : undefined);
      else if (names.has(name) !== exists) ledger.violation(`queue ${name} ${exists ? "is gone" : "came back"}`);
      else if (exists && !bound.has(name)) ledger.violation(`the binding of ${name} is gone`);
    }
  }
}

function namesOf(rows: unknown, field: string, source?: string): Set<string> {
  const found = (Array.isArray(rows) ? rows : []).filter((row) => source === undefined || row.source === source);
  return new Set(found.map((row) => String(row[field])));
}
