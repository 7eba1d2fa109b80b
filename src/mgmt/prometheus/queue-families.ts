import type { Queue } from "../../queue/queue.ts";
import type { Vhost } from "../../vhost.ts";
import { consumerCapacity } from "../consumer-capacity.ts";
import { headTimestamp, levelsOf } from "../queue-levels.ts";
import { counter, type Family, gauge, type Metric, type MetricsSource, type Reading } from "./metric.ts";

/** The vhosts that are asked for. */
export function* vhostsOf({ host }: MetricsSource, names: ReadonlySet<string> | undefined): Iterable<Vhost> {
  for (const vhost of host.vhosts.list()) if (names === undefined || names.has(vhost.name)) yield vhost;
}

/** A family with one reading for each queue. */
function ofQueues(
  name: string,
  metrics: readonly Metric[],
  values: (queue: Queue, from: MetricsSource) => readonly number[],
  applies: (queue: Queue) => boolean = () => true,
): Family {
  return {
    name,
    metrics,
    isPerObject: true,
    *readings(from, vhosts): Iterable<Reading> {
      for (const { queues } of vhostsOf(from, vhosts)) {
        for (const queue of queues.values()) if (applies(queue)) yield reading(queue, values(queue, from));
      }
    },
  };
}

function reading({ vhost, name }: Queue, values: readonly number[]): Reading {
  return { labels: { vhost, queue: name }, values };
}

/** What RabbitMQ counts of Erlang's processes, and is not there here. */
const noReductions = 0;

const coarse = ofQueues(
  "queue_coarse_metrics",
  [
    gauge("queue_messages_ready", "Messages ready to be delivered to consumers"),
    gauge("queue_messages_unacked", "Messages delivered to consumers but not yet acknowledged"),
    gauge("queue_messages", "Sum of ready and unacknowledged messages - total queue depth"),
    counter("queue_process_reductions_total", "Total number of queue process reductions"),
  ],
  ({ ready, unacked }) => [ready, unacked, ready + unacked, noReductions],
);

const consumersMetric = gauge("queue_consumers", "Consumers on a queue");

/** Asked for by itself where all of {@link full} would be too much. */
const consumerCount = ofQueues("queue_consumer_count", [consumersMetric], ({ consumerCount: count }) => [count]);

/** What nobody counts has no value. */
const unknown = Number.NaN;

const full = ofQueues(
  "queue_metrics",
  [
    consumersMetric,
    gauge("queue_consumer_capacity", "Consumer capacity"),
    gauge("queue_consumer_utilisation", "Same as consumer capacity"),
    gauge("queue_process_memory_bytes", "Memory in bytes used by the Erlang queue process"),
    gauge("queue_messages_ram", "Ready and unacknowledged messages stored in memory"),
    gauge("queue_messages_ram_bytes", "Size of ready and unacknowledged messages stored in memory"),
    gauge("queue_messages_ready_ram", "Ready messages stored in memory"),
    gauge("queue_messages_unacked_ram", "Unacknowledged messages stored in memory"),
    gauge("queue_messages_persistent", "Persistent messages"),
    gauge("queue_messages_persistent_bytes", "Size in bytes of persistent messages"),
    gauge("queue_messages_bytes", "Size in bytes of ready and unacknowledged messages"),
    gauge("queue_messages_ready_bytes", "Size in bytes of ready messages"),
    gauge("queue_messages_unacked_bytes", "Size in bytes of all unacknowledged messages"),
    gauge("queue_messages_paged_out", "Messages paged out to disk"),
    gauge("queue_messages_paged_out_bytes", "Size in bytes of messages paged out to disk"),
    gauge("queue_head_message_timestamp", "Timestamp of the first message in the queue, if any"),
    counter("queue_disk_reads_total", "Total number of times queue read messages from disk"),
    counter("queue_disk_writes_total", "Total number of times queue wrote messages to disk"),
  ],
  queueValues,
);

function queueValues(queue: Queue): readonly number[] {
  const { ready, unacked, readyBytes, unackedBytes, consumerCount: consumers, counters } = queue;
  const { pagedOut, pagedOutBytes, persistent, persistentBytes } = levelsOf(queue);
  const all = readyBytes + unackedBytes;
  const capacity = consumerCapacity(queue);
  const inMemory = [ready + unacked - pagedOut, all - pagedOutBytes, ready - pagedOut, unacked];
  const onDisk = [pagedOut, pagedOutBytes, headTimestamp(queue) ?? unknown, counters.diskReads, counters.diskWrites];
  return [
    ...[consumers, capacity, capacity, unknown],
    ...inMemory,
    ...[persistent, persistentBytes],
    ...[all, readyBytes, unackedBytes],
    ...onDisk,
  ];
}

const deliveries = ofQueues(
  "queue_delivery_metrics",
  [
    counter(
      "queue_get_ack_total",
      "Total number of messages fetched from a queue with basic.get in manual acknowledgement mode",
    ),
    counter(
      "queue_get_total",
      "Total number of messages fetched from a queue with basic.get in automatic acknowledgement mode",
    ),
    counter(
      "queue_messages_delivered_ack_total",
      "Total number of messages delivered from a queue to consumers in manual acknowledgement mode",
    ),
    counter(
      "queue_messages_delivered_total",
      "Total number of messages delivered from a queue to consumers in automatic acknowledgement mode",
    ),
    counter("queue_messages_redelivered_total", "Total number of messages redelivered from a queue to consumers"),
    counter("queue_messages_acked_total", "Total number of messages acknowledged by consumers on a queue"),
    counter("queue_get_empty_total", "Total number of times basic.get operations fetched no message on a queue"),
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

/** RabbitMQ counts this by channel and exchange as well. */
const published: Family = {
  name: "channel_queue_exchange_metrics",
  metrics: [counter("queue_messages_published_total", "Total number of messages published to queues")],
  isPerObject: true,
  *readings(from, vhosts) {
    for (const { name, queues } of vhostsOf(from, vhosts)) {
      for (const queue of queues.values()) {
        yield { labels: { queue_vhost: name, queue: queue.name }, values: [queue.counters.published] };
      }
    }
  },
};

/**
 * A quorum queue has no log of its own here: what happened to its messages stands for the entries of one, all of them
 * applied, and none of them still to be kept.
 */
const raft = ofQueues(
  "ra_metrics",
  [
    counter("raft_term_total", "Current Raft term number"),
    gauge("raft_log_snapshot_index", "Raft log snapshot index"),
    gauge("raft_log_last_applied_index", "Raft log last applied index"),
    gauge("raft_log_commit_index", "Raft log commit index"),
    gauge("raft_log_last_written_index", "Raft log last written index"),
    gauge("raft_entry_commit_latency_seconds", "Time taken for a log entry to be committed"),
    gauge("raft_term", "Current Raft term number"),
    gauge("raft_snapshot_index", "Raft log snapshot index"),
    gauge("raft_commit_index", "Raft log commit index"),
    gauge("raft_last_written_index", "Raft log last written index"),
    gauge("raft_commit_latency_seconds", "Time taken for a log entry to be committed"),
  ],
  ({ counters, ready, unacked }, { host }) => {
    const { seconds } = host.store.commits;
    const batches = seconds.cumulative().at(-1) ?? 0;
    const index = counters.published + counters.delivered + counters.got + counters.acked;
    const snapshot = Math.max(0, index - ready - unacked);
    const latency = batches === 0 ? 0 : seconds.sum / batches;
    // Under the names of RabbitMQ 3, then under those of 4.
    return [1, snapshot, index, index, index, latency, 1, snapshot, index, index, latency];
  },
  ({ type }) => type === "quorum",
);

/** Families of queues, in RabbitMQ's order. */
export const queueFamilies: readonly Family[] = [raft, coarse, consumerCount, full, deliveries, published];
