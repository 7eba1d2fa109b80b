/** What is measured, under RabbitMQ's names. The names of one kind of thing are the columns of its samples. */

/** Of queues, and summed up of vhosts. Three are levels, the others only grow. */
export const queueMetrics = [
  "publish",
  "deliver",
  "deliver_no_ack",
  "get",
  "get_no_ack",
  "get_empty",
  "deliver_get",
  "redeliver",
  "ack",
  "confirm",
  "return_unroutable",
  "drop_unroutable",
  "messages_ready",
  "messages_unacknowledged",
  "messages",
  "disk_reads",
  "disk_writes",
] as const;

export type QueueMetric = (typeof queueMetrics)[number];

/** Of messages on a channel. */
export const channelMetrics = [
  "publish",
  "confirm",
  "return_unroutable",
  "drop_unroutable",
  "deliver",
  "deliver_no_ack",
  "get",
  "get_no_ack",
  "get_empty",
  "deliver_get",
  "redeliver",
  "ack",
] as const;

export type ChannelMetric = (typeof channelMetrics)[number];

/** Of messages that came to an exchange, and to queues from it. */
export const exchangeMetrics = ["publish_in", "publish_out"] as const;

export type ExchangeMetric = (typeof exchangeMetrics)[number];

/** Of bytes on a connection, and summed up of vhosts. */
export const trafficMetrics = ["recv_oct", "send_oct"] as const;

export type TrafficMetric = (typeof trafficMetrics)[number];

/** Of what comes and goes. */
export const churnMetrics = [
  "connection_created",
  "connection_closed",
  "channel_created",
  "channel_closed",
  "queue_declared",
  "queue_created",
  "queue_deleted",
] as const;

export type ChurnMetric = (typeof churnMetrics)[number];

/** Of what the node uses: levels, but for the context switches. */
export const nodeMetrics = [
  "mem_used",
  "sockets_used",
  "context_switches",
  "disk_free",
  "fd_used",
  "proc_used",
] as const;

export type NodeMetric = (typeof nodeMetrics)[number];
