import { setTimeout as later } from "node:timers/promises";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { cutSocket } from "../support/amqp-client.ts";
import { transactionCall } from "../support/amqp-transactions.ts";
import type { TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { type ProcessUse, percentile, processUse } from "../support/process-use.ts";

export interface SoakOptions {
  readonly durationMs: number;
  /** How often memory and descriptors are looked at. */
  readonly sampleMs: number;
  readonly onSample?: (text: string) => void;
}

/** What a soak came to. */
export interface SoakResult {
  /** Medians of the second and of the last sixth of the time: the first is for warming up. */
  readonly early: ProcessUse;
  readonly late: ProcessUse;
  /** With all clients gone. */
  readonly after: ProcessUse;
  readonly counts: Readonly<Record<string, number>>;
  /** What clients were told that they should not have been. */
  readonly failures: readonly string[];
}

const queues = [
  { name: "soak.classic", arguments: {} },
  { name: "soak.quorum", arguments: { "x-queue-type": "quorum" } },
  { name: "soak.priority", arguments: { "x-max-priority": 5 } },
  { name: "soak.dead", arguments: {} },
  {
    name: "soak.expiring",
    arguments: { "x-message-ttl": 200, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "soak.dead" },
  },
  { name: "soak.tx", arguments: {} },
] as const;

/** A queue that is filled so far, then emptied, again and again. */
const backlog = { queue: "soak.backlog", messages: 20_000 };

/** Messages of a publisher that may wait for their confirms, and how long it rests after so many. */
const windowMax = 100;
const restMs = 50;

/** All kinds of clients at once, each until the time is over. */
class Soak {
  readonly counts: Record<string, number> = {};
  readonly failures: string[] = [];
  readonly #broker: TestBroker;
  #isOver = false;

  constructor(broker: TestBroker) {
    this.#broker = broker;
  }

  start(): Promise<unknown> {
    const clients = [
      ...queues.filter(({ name }) => name !== "soak.dead" && name !== "soak.tx").map(({ name }) => this.#publish(name)),
      ...queues.filter(({ name }) => name !== "soak.expiring").map(({ name }) => this.#consume(name)),
      this.#commit(),
      this.#fillAndEmpty(),
      this.#call(),
      this.#comeAndGo(),
      this.#declareAndDelete(),
      this.#look(),
    ];
    return Promise.all(clients.map((client) => client.catch((error: unknown) => this.failures.push(String(error)))));
  }

  stop(): void {
    this.#isOver = true;
  }

  #count(what: string, many = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + many;
  }

  async #repeat(act: () => Promise<void>): Promise<void> {
    while (!this.#isOver) await act();
  }

  async #connect(): Promise<ChannelModel> {
    const connection = await connect(this.#broker.url);
    connection.on("error", (error: Error) => this.failures.push(error.message));
    return connection;
  }

  /** A client with one channel, which is closed when its work is over. */
  async #withChannel(act: (channel: ConfirmChannel) => Promise<void>): Promise<void> {
    const connection = await this.#connect();
    const channel = await connection.createConfirmChannel();
    channel.on("error", (error: Error) => this.failures.push(error.message));
    await act(channel);
    await connection.close();
  }

  #publish(queue: string): Promise<void> {
    return this.#withChannel(async (channel) => {
      let number = 0;
      await this.#repeat(async () => {
        for (let i = 0; i < windowMax; i++) {
          const size = number % 1000 === 0 ? 200_000 : number % 10 === 0 ? 10_000 : 200;
          channel.sendToQueue(queue, Buffer.alloc(size), { persistent: number % 3 !== 0, priority: number % 6 });
          number++;
        }
        await channel.waitForConfirms();
        this.#count("confirmed", windowMax);
        await later(restMs);
      });
    });
  }

  /** Acks most, sends some back once, and rejects a few. */
  #consume(queue: string): Promise<void> {
    return this.#withChannel(async (channel) => {
      await channel.prefetch(200);
      let number = 0;
      const { consumerTag } = await channel.consume(queue, (message) => {
        if (message === null) return;
        number++;
        this.#count("delivered");
        if (number % 50 === 0 && !message.fields.redelivered) channel.nack(message, false, true);
        else if (number % 97 === 0) channel.reject(message, false);
        else channel.ack(message);
      });
      await this.#repeat(() => later(100));
      await channel.cancel(consumerTag);
    });
  }

  /** Every other transaction is taken back. */
  async #commit(): Promise<void> {
    const connection = await this.#connect();
    const channel = await connection.createChannel();
    await transactionCall(channel, "select");
    let isCommit = false;
    await this.#repeat(async () => {
      for (let i = 0; i < 20; i++) channel.sendToQueue("soak.tx", Buffer.alloc(500), { persistent: true });
      isCommit = !isCommit;
      await transactionCall(channel, isCommit ? "commit" : "rollback");
      this.#count("transactions");
      await later(restMs);
    });
    await connection.close();
  }

  #fillAndEmpty(): Promise<void> {
    return this.#withChannel(async (channel) => {
      await this.#repeat(async () => {
        for (let i = 0; i < backlog.messages && !this.#isOver; i += windowMax) {
          for (let n = 0; n < windowMax; n++)
            channel.sendToQueue(backlog.queue, Buffer.alloc(1000), { persistent: true });
          await channel.waitForConfirms();
        }
        while (!this.#isOver && (await channel.get(backlog.queue, { noAck: true }))) this.#count("taken");
        await channel.purgeQueue(backlog.queue);
      });
    });
  }

  /** Requests by direct reply-to. */
  #call(): Promise<void> {
    return this.#withChannel(async (channel) => {
      const { queue } = await channel.assertQueue("", { exclusive: true });
      await channel.consume(
        queue,
        (request) => {
          if (request !== null) channel.sendToQueue(request.properties.replyTo, request.content);
        },
        { noAck: true },
      );
      let answered = (): void => {};
      await channel.consume("amq.rabbitmq.reply-to", () => answered(), { noAck: true });
      await this.#repeat(async () => {
        const answer = new Promise<void>((resolve) => {
          answered = resolve;
        });
        channel.sendToQueue(queue, Buffer.from("?"), { replyTo: "amq.rabbitmq.reply-to" });
        await answer;
        this.#count("calls");
        await later(1);
      });
    });
  }

  /** Connections that end politely, and every third one that does not. */
  async #comeAndGo(): Promise<void> {
    let number = 0;
    await this.#repeat(async () => {
      const connection = await this.#connect();
      const channel = await connection.createChannel();
      await channel.prefetch(10);
      await channel.consume("soak.classic", () => {});
      if (number++ % 3 !== 0) await connection.close();
      else {
        connection.removeAllListeners("error");
        connection.on("error", () => {});
        cutSocket(connection);
      }
      this.#count("connections");
      await later(20);
    });
  }

  #declareAndDelete(): Promise<void> {
    return this.#withChannel(async (channel) => {
      let number = 0;
      await this.#repeat(async () => {
        const name = `soak.made.${number++ % 100}`;
        await channel.assertExchange(name, "topic");
        await channel.assertQueue(name, { durable: number % 2 === 0 });
        await channel.bindQueue(name, name, "a.*.#");
        channel.publish(name, "a.b.c", Buffer.alloc(100));
        await channel.deleteQueue(name);
        await channel.deleteExchange(name);
        this.#count("queues made");
        await later(5);
      });
    });
  }

  async #look(): Promise<void> {
    const api = asGuest(this.#broker);
    await this.#repeat(async () => {
      for (const path of ["/overview", "/queues", "/connections", "/channels", "/nodes", "/definitions"]) {
        await api.read(path);
        this.#count("looks");
      }
      await later(200);
    });
  }
}

/** Mixed traffic for a while, and how much memory and how many descriptors the broker held meanwhile. */
export async function runSoak(
  broker: TestBroker,
  { durationMs, sampleMs, onSample }: SoakOptions,
): Promise<SoakResult> {
  await declareAll(broker);
  const soak = new Soak(broker);
  const ended = soak.start();
  const samples: ProcessUse[] = [];
  const until = performance.now() + durationMs;
  while (performance.now() < until) {
    await later(sampleMs);
    const use = processUse(broker.pid);
    samples.push(use);
    onSample?.(`${(use.memory / 1e6).toFixed(0)} MB, ${use.descriptors} descriptors, ${JSON.stringify(soak.counts)}`);
  }
  soak.stop();
  await ended;
  await later(Math.min(sampleMs, 2000));
  const sixth = Math.max(1, Math.floor(samples.length / 6));
  return {
    early: medianOf(samples.slice(sixth, 2 * sixth)),
    late: medianOf(samples.slice(-sixth)),
    after: processUse(broker.pid),
    counts: soak.counts,
    failures: soak.failures,
  };
}

async function declareAll(broker: TestBroker): Promise<void> {
  const connection = await connect(broker.url);
  const channel = await connection.createChannel();
  for (const { name, arguments: args } of queues) await channel.assertQueue(name, { durable: true, arguments: args });
  await channel.assertQueue(backlog.queue);
  await connection.close();
}

function medianOf(samples: readonly ProcessUse[]): ProcessUse {
  const of = (name: keyof ProcessUse) =>
    percentile(
      samples.map((sample) => sample[name]),
      50,
    );
  return { memory: of("memory"), descriptors: of("descriptors") };
}
