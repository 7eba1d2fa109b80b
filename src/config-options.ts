import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import { limitOptions } from "./broker-limits.ts";
import { ConfigError, type ConfigLine } from "./config-file.ts";
import { firstUserOptions } from "./first-user-options.ts";
import { httpOptions } from "./http-options.ts";
import { listenerOf, managementPortOf } from "./listener-keys.ts";
import { logOptions } from "./log-options.ts";
import type { Mechanism } from "./login-names.ts";
import { nodeName } from "./node-name.ts";
import {
  bytes,
  type Env,
  integer,
  joined,
  mebibyte,
  type Option,
  oneOf,
  portOrNone,
  someOf,
  text,
} from "./option-types.ts";
import { type HashingAlgorithm, hashingAlgorithms } from "./passwords.ts";
import { prometheusOptions } from "./prometheus-options.ts";
import type { QueueType } from "./queue/arguments.ts";
import { resourceOptions } from "./resource-limits.ts";
import { sslOptions } from "./ssl-options.ts";
import { version } from "./version.ts";

/** Every setting, in the order `--help` and the documentation list them. */
export const options = {
  host: {
    takes: "<address>",
    help: "address to listen on for AMQP",
    ...text("a host name or an address"),
    fallback: (): string | undefined => undefined,
    fallbackText: "all interfaces",
    keys: ["listeners.tcp.$name"],
    read: (lines) => listenerOf(lines).host,
    otherEnv: ["RABBITMQ_NODE_IP_ADDRESS"],
  } satisfies Option<string | undefined>,
  port: {
    takes: "<number>",
    help: "port for AMQP; 0 picks a free one, 'none' is for TLS only",
    ...portOrNone(),
    fallback: () => 5672,
    keys: ["listeners.tcp.$name", "listeners.tcp"],
    read: (lines) => listenerOf(lines).port,
    otherEnv: ["RABBITMQ_NODE_PORT"],
  } satisfies Option<number | "none">,
  managementHost: {
    takes: "<address>",
    help: "address to listen on for the management HTTP API",
    ...text("a host name or an address"),
    fallback: (): string | undefined => undefined,
    fallbackText: "same as host",
    keys: ["management.tcp.ip", "management.listener.ip"],
  } satisfies Option<string | undefined>,
  managementPort: {
    takes: "<number>",
    help: "port for the management HTTP API; 0 picks a free one, 'none' is for TLS only",
    ...portOrNone(),
    fallback: () => 15_672,
    fallbackText: "15672, or none when there is a port for TLS",
    keys: ["management.tcp.port", "management.listener.port", "management.listener.ssl", "management.tcp"],
    read: (lines) => managementPortOf(lines, false),
  } satisfies Option<number | "none">,
  dataDir: {
    takes: "<path>",
    help: "directory that holds definitions and messages; made when missing",
    allowed: "a path",
    parse: (given: string) => (given === "" ? undefined : resolve(given)),
    fallback: defaultDataDir,
    fallbackText: "/var/lib/tsbroker as root, else $XDG_STATE_HOME/tsbroker or ~/.local/state/tsbroker",
    keys: ["data_dir"],
    otherEnv: ["RABBITMQ_MNESIA_DIR", "RABBITMQ_MNESIA_BASE"],
    readOther: (given, variable) => (variable === "RABBITMQ_MNESIA_BASE" ? join(given, nodeName) : given),
  } satisfies Option<string>,
  ...logOptions,
  heartbeat: {
    takes: "<seconds>",
    help: "heartbeat that is suggested to clients; 0 suggests none",
    ...integer(0, 65_535),
    fallback: () => 60,
    keys: ["heartbeat"],
  } satisfies Option<number>,
  frameMax: {
    takes: "<bytes>",
    help: "largest frame",
    ...bytes(4096, 128 * mebibyte),
    fallback: () => 131_072,
    keys: ["frame_max"],
  } satisfies Option<number>,
  initialFrameMax: {
    takes: "<bytes>",
    help: "largest frame before a client has logged in",
    ...bytes(4096, mebibyte),
    fallback: () => 8192,
    keys: ["initial_frame_max"],
  } satisfies Option<number>,
  channelMax: {
    takes: "<number>",
    help: "most channels on one connection; 0 for as many as the protocol has",
    allowed: "a whole number from 0 to 65535",
    parse: (given: string) => integer(0, 65_535).parse(given === "0" ? "65535" : given),
    fallback: () => 2047,
    keys: ["channel_max", "max_channels_per_connection"],
  } satisfies Option<number>,
  handshakeTimeoutMs: {
    takes: "<ms>",
    help: "time a client has to log in",
    ...integer(1, 2 ** 31 - 1),
    fallback: () => 10_000,
    keys: ["handshake_timeout"],
  } satisfies Option<number>,
  consumerTimeoutMs: {
    takes: "<ms>",
    help: "how long a delivery may stay unacknowledged, where no queue, policy or consumer says; 0 for any time",
    ...integer(0, 2 ** 31 - 1),
    fallback: () => 0,
    keys: ["consumer_timeout"],
  } satisfies Option<number>,
  maxMessageSize: {
    takes: "<bytes>",
    help: "largest message body",
    ...bytes(1, 512 * mebibyte),
    fallback: () => 128 * mebibyte,
    keys: ["max_message_size"],
  } satisfies Option<number>,
  queueMemory: {
    takes: "<bytes>",
    help: "memory for messages in queues; what is beyond it and not needed soon goes to disk",
    ...bytes(mebibyte, 2 ** 40),
    fallback: () => 128 * mebibyte,
    keys: ["queue_memory"],
  } satisfies Option<number>,
  defaultUser: {
    takes: "<name>",
    help: "user made at the first start with an empty data directory",
    ...text("a name"),
    fallback: () => "guest",
    keys: ["default_user"],
    otherEnv: ["RABBITMQ_DEFAULT_USER"],
    mayBeInFile: true,
  } satisfies Option<string>,
  defaultPass: {
    takes: "<password>",
    help: "that user's password; rather in the environment or a file, as others on this machine can see flags until they are read",
    ...text("a password"),
    fallback: () => "guest",
    keys: ["default_pass"],
    otherEnv: ["RABBITMQ_DEFAULT_PASS"],
    mayBeInFile: true,
    isSecret: true,
  } satisfies Option<string>,
  ...firstUserOptions,
  defaultVhost: {
    takes: "<name>",
    help: "virtual host made at the first start",
    ...text("a name"),
    fallback: () => "/",
    keys: ["default_vhost"],
    otherEnv: ["RABBITMQ_DEFAULT_VHOST"],
    mayBeInFile: true,
  } satisfies Option<string>,
  defaultQueueType: {
    takes: "<type>",
    help: "type of queues that do not say it, in virtual hosts that are made without one",
    ...oneOf("classic", "quorum"),
    fallback: (): QueueType | undefined => undefined,
    fallbackText: "classic",
    keys: ["default_queue_type"],
  } satisfies Option<QueueType | undefined>,
  definitions: {
    takes: "<file>",
    help: "definitions in RabbitMQ's JSON that are taken in at every start; at the first one with users, no other is made",
    ...text("a file"),
    fallback: (): string | undefined => undefined,
    fallbackText: "none",
    keys: ["load_definitions", "management.load_definitions", "definitions.local.path"],
    otherEnv: ["RABBITMQ_LOAD_DEFINITIONS"],
  } satisfies Option<string | undefined>,
  loopbackUsers: {
    takes: "<names>",
    help: "users who may only connect from this machine, separated by commas; 'none' for nobody",
    allowed: "names separated by commas, or 'none'",
    parse: names,
    fallback: (): readonly string[] => ["guest"],
    fallbackText: "guest",
    keys: ["loopback_users", "loopback_users.$name"],
    read: loopbackUsers,
  } satisfies Option<readonly string[]>,
  clusterName: {
    takes: "<name>",
    help: "name shown to clients and in the management interface",
    ...text("a name"),
    fallback: () => `tsbroker@${hostname()}`,
    fallbackText: "tsbroker@ and the host's name",
    keys: ["cluster_name"],
  } satisfies Option<string>,
  productName: {
    takes: "<name>",
    help: "product that clients are told they talk to",
    ...text("a name"),
    fallback: () => "tsbroker",
    keys: ["product.name"],
    otherEnv: ["RABBITMQ_PRODUCT_NAME"],
  } satisfies Option<string>,
  productVersion: {
    takes: "<version>",
    help: "version that clients are told",
    ...text("a version"),
    fallback: () => version,
    fallbackText: "the broker's version",
    keys: ["product.version"],
    otherEnv: ["RABBITMQ_PRODUCT_VERSION"],
  } satisfies Option<string>,
  ...sslOptions,
  authMechanisms: {
    takes: "<names>",
    help: "ways to log in over AMQP, best first; EXTERNAL, by a certificate, is offered over TLS only",
    ...someOf("PLAIN", "AMQPLAIN", "EXTERNAL"),
    fallback: (): readonly Mechanism[] => ["PLAIN", "AMQPLAIN"],
    fallbackText: "PLAIN,AMQPLAIN",
    keys: ["auth_mechanisms.$number"],
    read: joined(","),
  } satisfies Option<readonly Mechanism[]>,
  loginFailuresMax: {
    takes: "<number>",
    help: "wrong passwords for a user from one address that cost nothing; after them they must wait, ever longer",
    ...integer(1, 1_000_000),
    fallback: () => 10,
    keys: ["login_backoff.failures"],
  } satisfies Option<number>,
  loginWaitMsMax: {
    takes: "<ms>",
    help: "longest time that they must wait; 0 for no wait at all",
    ...integer(0, 2 ** 31 - 1),
    fallback: () => 60_000,
    keys: ["login_backoff.max"],
  } satisfies Option<number>,
  passwordHashing: {
    takes: "<algorithm>",
    help: "how passwords are hashed that are set here; RabbitMQ knows all of these but scrypt",
    ...oneOf(...hashingAlgorithms),
    fallback: (): HashingAlgorithm => "scrypt",
    keys: ["password_hashing_module"],
  } satisfies Option<HashingAlgorithm>,
  ...httpOptions,
  statsIntervalMs: {
    takes: "<ms>",
    help: "how often counters are looked at, for the rates and charts of the HTTP API and its page",
    ...integer(1000, 600_000),
    fallback: () => 5000,
    keys: ["collect_statistics_interval"],
  } satisfies Option<number>,
  ...prometheusOptions,
  ...resourceOptions,
  ...limitOptions,
} as const;

/** A setting by its name in the table. */
export type OptionName = keyof typeof options;

/** Whether there is a setting of this name. */
export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

/** Looks a setting up in all sources. */
export type Values = <T>(name: OptionName, option: Option<T>) => T;

function names(given: string): readonly string[] | undefined {
  if (given === "none") return [];
  const found = given.split(",").map((name) => name.trim());
  return found.includes("") ? undefined : found;
}

function defaultDataDir(env: Env): string {
  if (process.getuid?.() === 0) return "/var/lib/tsbroker";
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "tsbroker");
}

/** `loopback_users = none` empties the list; `loopback_users.NAME = true` makes a new one of those named. */
function loopbackUsers(lines: readonly ConfigLine[]): string {
  const found = new Set<string>();
  for (const { number, key, value } of lines) {
    const [, name] = key;
    if (name === undefined && value === "none") found.clear();
    else if (name === undefined) throw new ConfigError(`line ${number}: loopback_users: '${value}' is not 'none'`);
    else if (value === "true") found.add(name);
    else if (value === "false") found.delete(name);
    else throw new ConfigError(`line ${number}: loopback_users.${name}: '${value}' is not 'true' or 'false'`);
  }
  return found.size === 0 ? "none" : [...found].join(",");
}
