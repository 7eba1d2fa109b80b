import type { ConnectionView, ConsumerView } from "../../connections.ts";
import { tableToPlain } from "../../plain-table.ts";
import type { Vhost } from "../../vhost.ts";
import type { ChannelConnection } from "./channel-connection.ts";
import type { AmqpHost } from "./host.ts";

type EventConnection = ConnectionView & { readonly host: AmqpHost };

interface EventChannel {
  readonly number: number;
  readonly connection: ChannelConnection;
  readonly host: AmqpHost;
  readonly vhost: Vhost;
}

/** Tells the event exchange of a connection that is open. */
export function connectionCreated(connection: EventConnection): void {
  const { host, name, username: user, vhost = "", connectedAt } = connection;
  host.events.emit("connection.created", () => {
    const details = connection.details();
    return {
      name,
      user,
      vhost,
      protocol: "{0,9,1}",
      host: details.host,
      port: details.port,
      peer_host: details.peerHost,
      peer_port: details.peerPort,
      auth_mechanism: details.authMechanism,
      frame_max: details.frameMax,
      channel_max: details.channelMax,
      connected_at: connectedAt,
      client_properties: tableToPlain(details.clientProperties),
    };
  });
}

export function connectionClosed({ host, name, username: user, vhost }: EventConnection): void {
  if (vhost !== undefined) host.events.emit("connection.closed", () => ({ name, user, vhost }));
}

export function channelCreated(channel: EventChannel): void {
  channel.host.events.emit("channel.created", () => ({
    name: nameOf(channel),
    number: channel.number,
    connection: channel.connection.name,
    user: channel.connection.username,
    vhost: channel.vhost.name,
  }));
}

export function channelClosed(channel: EventChannel): void {
  channel.host.events.emit("channel.closed", () => ({ name: nameOf(channel) }));
}

export function consumerCreated(channel: EventChannel, consumer: ConsumerView): void {
  channel.host.events.emit("consumer.created", () => ({
    ...consumerFields(channel, consumer),
    exclusive: consumer.exclusive,
    ack_required: !consumer.noAck,
    prefetch_count: consumer.prefetch,
    arguments: tableToPlain(consumer.arguments),
  }));
}

export function consumerDeleted(channel: EventChannel, consumer: ConsumerView): void {
  channel.host.events.emit("consumer.deleted", () => consumerFields(channel, consumer));
}

function consumerFields(channel: EventChannel, { tag, queue }: ConsumerView) {
  return { consumer_tag: tag, queue: queue.name, vhost: queue.vhost, channel: nameOf(channel) };
}

function nameOf({ connection, number }: EventChannel): string {
  return `${connection.name} (${number})`;
}
