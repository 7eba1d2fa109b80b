import { bytes, integer, mebibyte, type Option } from "./option-types.ts";

/** Most of what clients can pile up in the broker as a whole, or in one place of it. */
export interface BrokerLimits {
  /** Connections that have opened a vhost. */
  readonly connections: number;
  /** Connections that have not logged in yet. */
  readonly handshakes: number;
  /** Channels of all connections together. */
  readonly channels: number;
  readonly consumersOfChannel: number;
  readonly vhosts: number;
  readonly queues: number;
  readonly exchanges: number;
  /** Tables and arrays inside each other in the headers of a message. */
  readonly headerDepth: number;
  /** Bytes of the headers of a message. */
  readonly headerBytes: number;
  /** Bytes that a connection has sent of messages that are not complete. */
  readonly unfinishedBytes: number;
  /** Bytes that wait for a client which does not read; it is not read from while there are more. */
  readonly unsentBytes: number;
  /** The same for direct replies, of which more than this are dropped. */
  readonly unsentReplyBytes: number;
}

function count(help: string, fallback: number, ...keys: readonly string[]) {
  const { allowed, parse } = integer(0, 2 ** 31 - 1);
  return {
    takes: "<number>",
    help,
    allowed: `${allowed}, or 'infinity'`,
    parse: (given: string) => (given === "infinity" ? Number.POSITIVE_INFINITY : parse(given)),
    write: (value: number) => (Number.isFinite(value) ? String(value) : "infinity"),
    fallback: () => fallback,
    keys,
  } satisfies Option<number>;
}

function size(help: string, fallback: number, key: string, least: number, most: number) {
  return {
    takes: "<bytes>",
    help,
    ...bytes(least, most),
    fallback: () => fallback,
    keys: [key],
  } satisfies Option<number>;
}

/** Settings of what clients can pile up. */
export const limitOptions = {
  connectionMax: count("most connections", 65_536, "connection_max", "max_connections"),
  handshakeMax: count("most connections that have not logged in; more are closed at once", 16_384, "handshake_max"),
  channelMaxPerNode: count("most channels of all connections together", 1_000_000, "channel_max_per_node"),
  consumerMaxPerChannel: count("most consumers on a channel", 100_000, "consumer_max_per_channel"),
  vhostMax: count("most virtual hosts", 10_000, "vhost_max"),
  queueMax: count("most queues of all virtual hosts together", 1_000_000, "cluster_queue_limit"),
  exchangeMax: count(
    "most exchanges of all virtual hosts together, with those that each has from the start",
    1_000_000,
    "cluster_exchange_limit",
  ),
  headerDepthMax: {
    takes: "<number>",
    help: "most tables and arrays inside each other in the headers of a message",
    ...integer(1, 64),
    fallback: () => 64,
    keys: ["header_depth_max"],
  } satisfies Option<number>,
  headerMaxSize: size("largest table of headers of a message", mebibyte, "header_max_size", 512, 128 * mebibyte),
  unfinishedMaxSize: size(
    "most that a connection may have sent of messages that are not complete",
    512 * mebibyte,
    "unfinished_max_size",
    mebibyte,
    64 * 1024 * mebibyte,
  ),
  unsentMaxSize: size(
    "most that waits for a client which does not read; it is not read from while there is more",
    mebibyte,
    "unsent_max_size",
    64 * 1024,
    1024 * mebibyte,
  ),
  unsentReplyMaxSize: size(
    "most that waits for a client which does not read its direct replies; further ones are dropped",
    64 * mebibyte,
    "unsent_reply_max_size",
    64 * 1024,
    1024 * mebibyte,
  ),
} as const;

/** The limits of a broker that is told nothing. */
export const defaultLimits: BrokerLimits = {
  connections: limitOptions.connectionMax.fallback(),
  handshakes: limitOptions.handshakeMax.fallback(),
  channels: limitOptions.channelMaxPerNode.fallback(),
  consumersOfChannel: limitOptions.consumerMaxPerChannel.fallback(),
  vhosts: limitOptions.vhostMax.fallback(),
  queues: limitOptions.queueMax.fallback(),
  exchanges: limitOptions.exchangeMax.fallback(),
  headerDepth: limitOptions.headerDepthMax.fallback(),
  headerBytes: limitOptions.headerMaxSize.fallback(),
  unfinishedBytes: limitOptions.unfinishedMaxSize.fallback(),
  unsentBytes: limitOptions.unsentMaxSize.fallback(),
  unsentReplyBytes: limitOptions.unsentReplyMaxSize.fallback(),
};
