import type { ChannelView, ConnectionView } from "../../connections.ts";
import { channelName } from "../connection-views.ts";
import { counter, type Family, gauge, type Metric, type MetricsSource } from "./metric.ts";

const noReductions = 0;

function ofConnections(
  name: string,
  metrics: readonly Metric[],
  values: (connection: ConnectionView) => readonly number[],
): Family {
  return {
    name,
    metrics,
    isPerObject: true,
    *readings({ host }) {
      for (const connection of host.connections.list()) {
        // As in RabbitMQ, the label of a connection is called channel.
        yield { labels: { channel: connection.name }, values: values(connection) };
      }
    },
  };
}

function ofChannels(
  name: string,
  metrics: readonly Metric[],
  values: (channel: ChannelView) => readonly number[],
): Family {
  return {
    name,
    metrics,
    isPerObject: true,
    *readings({ host }) {
      for (const connection of host.connections.list()) {
        for (const channel of connection.channels()) {
          yield { labels: { channel: channelName(connection, channel) }, values: values(channel) };
        }
      }
    },
  };
}

/** The same of what a channel does in its vhost. RabbitMQ splits it by exchange or queue as well. */
function inVhost(
  name: string,
  metrics: readonly Metric[],
  values: (channel: ChannelView) => readonly number[],
): Family {
  return {
    name,
    metrics,
    isPerObject: true,
    *readings({ host }, vhosts) {
      for (const connection of host.connections.list()) {
        const { vhost } = connection;
        if (vhost === undefined || vhosts?.has(vhost) === false) continue;
        for (const channel of connection.channels()) {
          yield { labels: { channel: channelName(connection, channel), vhost }, values: values(channel) };
        }
      }
    },
  };
}

const channels = ofChannels(
  "channel_metrics",
  [
    gauge("channel_consumers", "Consumers on a channel"),
    gauge("channel_messages_unacked", "Delivered but not yet acknowledged messages"),
    gauge("channel_messages_unconfirmed", "Published but not yet confirmed messages"),
    gauge("channel_messages_uncommitted", "Messages received in a transaction but not yet committed"),
    gauge("channel_acks_uncommitted", "Message acknowledgements in a transaction not yet committed"),
    gauge("consumer_prefetch", "Limit of unacknowledged messages for each consumer"),
    gauge("channel_prefetch", "Total limit of unacknowledged messages for all consumers on a channel"),
  ],
  ({ consumers, unacked, unconfirmed, uncommitted, uncommittedAcks, prefetch, channelPrefetch }) => [
    consumers.length,
    unacked,
    unconfirmed,
    uncommitted,
    uncommittedAcks,
    prefetch,
    channelPrefetch,
  ],
);

const publishes = inVhost(
  "channel_exchange_metrics",
  [
    counter("channel_messages_published_total", "Total number of messages published into an exchange on a channel"),
    counter(
      "channel_messages_confirmed_total",
      "Total number of messages published into an exchange and confirmed on the channel",
    ),
    counter(
      "channel_messages_unroutable_returned_total",
      "Total number of messages published as mandatory into an exchange and returned to the publisher as unroutable",
    ),
    counter(
      "channel_messages_unroutable_dropped_total",
      "Total number of messages published as non-mandatory into an exchange and dropped as unroutable",
    ),
  ],
  ({ counters: { published, confirmed, returned, dropped } }) => [published, confirmed, returned, dropped],
);

const reductions = ofChannels(
  "channel_process_metrics",
  [counter("channel_process_reductions_total", "Total number of channel process reductions")],
  () => [noReductions],
);

const deliveries = inVhost(
  "channel_queue_metrics",
  [
    counter("channel_get_ack_total", "Total number of messages fetched with basic.get in manual acknowledgement mode"),
    counter("channel_get_total", "Total number of messages fetched with basic.get in automatic acknowledgement mode"),
    counter(
      "channel_messages_delivered_ack_total",
      "Total number of messages delivered to consumers in manual acknowledgement mode",
    ),
    counter(
      "channel_messages_delivered_total",
      "Total number of messages delivered to consumers in automatic acknowledgement mode",
    ),
    counter("channel_messages_redelivered_total", "Total number of messages redelivered to consumers"),
    counter("channel_messages_acked_total", "Total number of messages acknowledged by consumers"),
    counter("channel_get_empty_total", "Total number of times basic.get operations fetched no message"),
  ],
  ({ counters: { got, gotNoAck, delivered, deliveredNoAck, redelivered, acked, gotEmpty } }) => [
    got,
    gotNoAck,
    delivered,
    deliveredNoAck,
    redelivered,
    acked,
    gotEmpty,
  ],
);

const traffic = ofConnections(
  "connection_coarse_metrics",
  [
    counter("connection_incoming_bytes_total", "Total number of bytes received on a connection"),
    counter("connection_outgoing_bytes_total", "Total number of bytes sent on a connection"),
    counter("connection_process_reductions_total", "Total number of connection process reductions"),
  ],
  ({ bytesReceived, bytesSent }) => [bytesReceived, bytesSent, noReductions],
);

const packets = ofConnections(
  "connection_metrics",
  [
    counter("connection_incoming_packets_total", "Total number of packets received on a connection"),
    counter("connection_outgoing_packets_total", "Total number of packets sent on a connection"),
    gauge("connection_pending_packets", "Number of packets waiting to be sent on a connection"),
    gauge("connection_channels", "Channels on a connection"),
  ],
  (connection) => {
    const { reads, writes, bytesPending } = connection.details();
    return [reads, writes, Math.sign(bytesPending), connection.channelCount];
  },
);

/** Families of channels and connections, in RabbitMQ's order. */
export const connectionFamilies: readonly Family[] = [channels, publishes, reductions, deliveries, traffic, packets];

/** What clients have at the moment. */
export function clientTotals({ host }: MetricsSource): {
  readonly channels: number;
  readonly consumers: number;
  /** Channels that have published. */
  readonly publishers: number;
} {
  let channels = 0;
  let consumers = 0;
  let publishers = 0;
  for (const connection of host.connections.list()) {
    for (const channel of connection.channels()) {
      channels++;
      consumers += channel.consumers.length;
      if (channel.counters.published > 0) publishers++;
    }
  }
  return { channels, consumers, publishers };
}
