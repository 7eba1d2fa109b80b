import { AdvanceableClock } from "./advanceable-clock.ts";
import { openBroker, type Broker as RunningBroker } from "./broker.ts";
import { defaultConfig } from "./config.ts";
import type { ConfirmFault } from "./confirm-faults.ts";
import type { FieldTable } from "./field-table.ts";
import { createLog } from "./log.ts";
import type { LogLevel } from "./log-levels.ts";
import { rabbitmqAlgorithm } from "./passwords.ts";
import type { Queue } from "./queue/queue.ts";
import { QueueScan } from "./queue/queue-scan.ts";
import { readBody, readProperties } from "./record-reader.ts";
import { startWriter } from "./store/writer-thread.ts";

export type { Duration } from "./advanceable-clock.ts";
export type { ConfirmFault } from "./confirm-faults.ts";

/** How a broker inside a program is set up. */
export interface StartOptions {
  /** Where definitions and durable messages are kept. Without one everything is in memory and ends with the broker. */
  readonly dataDir?: string;
  /** Address to listen on: this machine alone unless another one is given. */
  readonly host?: string;
  /** Port for AMQP; a free one unless given. */
  readonly port?: number;
  /** Port for the HTTP API and the web interface; a free one unless given. */
  readonly managementPort?: number;
  /** What is logged to standard output, in JSON: nothing unless a level is given. */
  readonly logLevel?: LogLevel;
  /** Login of the user who may do everything: guest and guest unless given. */
  readonly user?: string;
  readonly password?: string;
}

/** A message that is in a queue. */
export interface QueuedMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  /** Properties by RabbitMQ's names in its HTTP API: `delivery_mode`, `headers`, `message_id` and so on. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly redelivered: boolean;
  /** Whether a consumer has it and has not acked it yet. */
  readonly unacked: boolean;
}

/** A look at a queue. */
export interface QueueLook {
  readonly name: string;
  readonly ready: number;
  readonly unacked: number;
  readonly consumers: number;
  readonly arguments: FieldTable;
  /** Its messages in the order of delivery, at most `most` of them; they stay as they are. */
  messages(most?: number): Promise<QueuedMessage[]>;
}

/** Trouble for clients, made when a test wants it. */
export interface Faults {
  /** Cuts all connections without a word, as a network does, and returns how many there were. */
  dropConnections(): number;
  /** Holds back the confirms of all publishers, turns them into nacks, or does neither any more. */
  confirms(fault: ConfirmFault): void;
  /** Blocks publishers as a memory alarm does (connection.blocked), and lets them go on. */
  blockPublishers(): void;
  unblockPublishers(): void;
}

/** A broker that runs inside this process. */
export interface Broker {
  /** Where clients connect, with the user's login: `amqp://guest:guest@127.0.0.1:PORT`. */
  readonly url: string;
  /** Where the HTTP API is, without a login. */
  readonly managementUrl: string;
  readonly port: number;
  readonly managementPort: number;
  /** The clock of time to live, expiry and delays, which can be put forward. */
  readonly clock: AdvanceableClock;
  readonly faults: Faults;
  /** Looks at a queue; undefined when there is none of that name. */
  findQueue(name: string, vhost?: string): QueueLook | undefined;
  /** Closes all connections and resolves when everything confirmed is safe. Calling it again does nothing more. */
  stop(): Promise<void>;
}

/**
 * Starts a broker inside this process. Rejects with StoreError when the data directory cannot be used, or with the error of
 * a port that is not free.
 */
export async function startBroker(options: StartOptions = {}): Promise<Broker> {
  const { host = "127.0.0.1", user = "guest", password = "guest", logLevel = "silent", dataDir } = options;
  // Refuses what is no level, before there is a thread that would have to be ended.
  const log = createLog(logLevel);
  // It takes longest, so it begins first.
  const writer = dataDir === undefined ? undefined : startWriter(dataDir);
  const clock = new AdvanceableClock();
  const defaults = defaultConfig();
  const config = {
    ...defaults,
    ...{ host, managementHost: host, logLevel, defaultUser: user, defaultPass: password },
    port: options.port ?? 0,
    managementPort: options.managementPort ?? 0,
    prometheus: undefined,
    dataDir: dataDir ?? defaults.dataDir,
    // What is not kept need not be dear to guess.
    ...(dataDir === undefined && { passwordHashing: rabbitmqAlgorithm }),
  };
  const running = await openBroker(config, {
    log,
    clock,
    inMemory: dataDir === undefined,
    ...(writer && { writer }),
  });
  const { amqp: port = 0, http: managementPort = 0 } = running.ports;
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const address = host.includes(":") ? `[${host}]` : host;
  let stopped: Promise<void> | undefined;
  return {
    url: `amqp://${login}@${address}:${port}`,
    managementUrl: `http://${address}:${managementPort}`,
    port,
    managementPort,
    clock,
    faults: faultsOf(running),
    findQueue: (name, vhost = "/") => {
      const queue = running.core.vhosts.find(vhost)?.queues.get(name);
      return queue && look(queue);
    },
    stop: () => {
      stopped ??= running.stop("shutdown");
      return stopped;
    },
  };
}

function look(queue: Queue): QueueLook {
  return {
    name: queue.name,
    ready: queue.ready,
    unacked: queue.unacked,
    consumers: queue.consumerCount,
    arguments: queue.arguments,
    messages: (most) => messagesIn(queue, most),
  };
}

async function messagesIn(queue: Queue, most = Number.POSITIVE_INFINITY): Promise<QueuedMessage[]> {
  const found: QueuedMessage[] = [];
  const pauses = { isOver: false, next: () => Promise.resolve() };
  await new QueueScan(queue, pauses, "look").run(0, ({ message, redelivered, unacked }) => {
    if (found.length >= most) return false;
    const { exchange, routingKey } = message;
    const body = Buffer.from(readBody(message, message.bodySize));
    found.push({ exchange, routingKey, body, properties: readProperties(message), redelivered, unacked });
    return true;
  });
  return found;
}

function faultsOf({ core }: RunningBroker): Faults {
  return {
    dropConnections: () => {
      const connections = [...core.connections.list()];
      for (const connection of connections) connection.drop();
      return connections.length;
    },
    confirms: (fault) => core.confirmFaults.set(fault),
    blockPublishers: () => core.alarms.put("low on memory", "test", true),
    unblockPublishers: () => core.alarms.put("low on memory", "test", false),
  };
}
