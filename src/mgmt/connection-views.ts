import type { ChannelView, ConnectionRegistry, ConnectionView, ConsumerView } from "../connections.ts";
import type { Metrics } from "../metrics.ts";
import { nodeName } from "../node-name.ts";
import { tableToPlain } from "../plain-table.ts";
import type { Queue } from "../queue/queue.ts";
import type { TlsView } from "../tls-peer.ts";
import type { Query } from "./paging.ts";
import type { Row } from "./rows.ts";
import { channelStats, trafficRow } from "./stats.ts";

/** A connection. */
export function connectionView(connection: ConnectionView, metrics: Metrics, query: Query): Row {
  const details = connection.details();
  const clientProperties = tableToPlain(details.clientProperties);
  const givenName = clientProperties["connection_name"];
  return {
    name: connection.name,
    ...(typeof givenName === "string" && { user_provided_name: givenName }),
    node: nodeName,
    type: "network",
    protocol: details.protocol,
    state: details.state,
    user: connection.username,
    user_who_performed_action: connection.username,
    vhost: connection.vhost,
    peer_host: details.peerHost,
    peer_port: details.peerPort,
    host: details.host,
    port: details.port,
    auth_mechanism: details.authMechanism,
    client_properties: clientProperties,
    channels: connection.channelCount,
    channel_max: details.channelMax,
    frame_max: details.frameMax,
    timeout: details.heartbeat,
    connected_at: connection.connectedAt,
    ...(query["disable_stats"] !== "true" && trafficRow(metrics.ofConnection(connection), query)),
    recv_cnt: details.reads,
    send_cnt: details.writes,
    send_pend: details.bytesPending,
    ...tlsRow(details.tls),
  };
}

/** What there is nothing to say of is null, without TLS all of it. */
function tlsRow(tls: TlsView | undefined): Row {
  return {
    ssl: tls !== undefined,
    ssl_protocol: tls?.protocol ?? null,
    ssl_cipher: tls?.cipher ?? null,
    ssl_hash: tls?.hash ?? null,
    ssl_key_exchange: tls?.keyExchange ?? null,
    peer_cert_issuer: tls?.certIssuer ?? null,
    peer_cert_subject: tls?.certSubject ?? null,
    peer_cert_validity: tls?.certValidity ?? null,
  };
}

/** A connection as the list of a user's connections shows it. */
export function briefConnectionView({ name, username, vhost }: ConnectionView): Row {
  return { name, vhost, user: username, node: nodeName };
}

/** `connection (number)`. */
export function channelName(connection: ConnectionView, channel: ChannelView): string {
  return `${connection.name} (${channel.number})`;
}

export function channelRow(connection: ConnectionView, channel: ChannelView, metrics: Metrics, query: Query): Row {
  const { peerHost, peerPort } = connection.details();
  return {
    name: channelName(connection, channel),
    number: channel.number,
    node: nodeName,
    vhost: connection.vhost,
    user: connection.username,
    user_who_performed_action: connection.username,
    state: channel.state,
    connection_details: { name: connection.name, peer_host: peerHost, peer_port: peerPort },
    confirm: channel.confirms,
    transactional: channel.transactional,
    consumer_count: channel.consumers.length,
    prefetch_count: channel.prefetch,
    global_prefetch_count: channel.channelPrefetch,
    messages_unacknowledged: channel.unacked,
    messages_unconfirmed: channel.unconfirmed,
    messages_uncommitted: channel.uncommitted,
    acks_uncommitted: channel.uncommittedAcks,
    ...channelStats(metrics.ofChannel(channel.counters), query),
  };
}

/** One channel by itself. Rates by exchange and queue are not gathered, as in RabbitMQ unless it is told to. */
export function channelDetails(connection: ConnectionView, channel: ChannelView, metrics: Metrics, query: Query): Row {
  const consumers = channel.consumers.map((consumer) => consumerRow(connection, channel, consumer));
  return {
    ...channelRow(connection, channel, metrics, query),
    consumer_details: consumers,
    publishes: [],
    deliveries: [],
  };
}

export function consumerRow(connection: ConnectionView, channel: ChannelView, consumer: ConsumerView): Row {
  const { peerHost, peerPort } = connection.details();
  const { queue } = consumer;
  const active = isActive(consumer);
  return {
    consumer_tag: consumer.tag,
    queue: { name: queue.name, vhost: queue.vhost },
    ack_required: !consumer.noAck,
    exclusive: consumer.exclusive,
    active,
    activity_status: active ? (queue.options.singleActiveConsumer ? "single_active" : "up") : "waiting",
    prefetch_count: consumer.prefetch,
    arguments: tableToPlain(consumer.arguments),
    channel_details: {
      name: channelName(connection, channel),
      number: channel.number,
      connection_name: connection.name,
      node: nodeName,
      user: connection.username,
      peer_host: peerHost,
      peer_port: peerPort,
    },
  };
}

/** With x-single-active-consumer, the one that was there first gets the messages. */
function isActive(consumer: ConsumerView): boolean {
  const { options, consumers } = consumer.queue;
  if (!options.singleActiveConsumer) return true;
  const [first] = consumers;
  return Object.is(first, consumer);
}

/** The consumers of one queue. */
export function consumersOf(connections: ConnectionRegistry, queue: Queue): Row[] {
  if (queue.consumerCount === 0) return [];
  const rows: Row[] = [];
  for (const connection of connections.list()) {
    if (connection.vhost !== queue.vhost) continue;
    for (const channel of connection.channels()) {
      const own = channel.consumers.filter((consumer) => consumer.queue === queue);
      for (const consumer of own) rows.push(consumerRow(connection, channel, consumer));
    }
  }
  return rows;
}
