import { counter, type Family, gauge, type Metric, type MetricsSource } from "./metric.ts";

/** A family of the broker as a whole: one reading without labels. */
function ofNode(name: string, metrics: readonly Metric[], values: (from: MetricsSource) => readonly number[]): Family {
  return { name, metrics, readings: (from) => [{ labels: {}, values: values(from) }] };
}

/** What RabbitMQ measures of Erlang and its file formats, and is not there here. */
const absent = 0;

const churn = ofNode(
  "connection_churn_metrics",
  [
    counter("connections_opened_total", "Total number of connections opened"),
    counter("connections_closed_total", "Total number of connections closed or terminated"),
    counter("channels_opened_total", "Total number of channels opened"),
    counter("channels_closed_total", "Total number of channels closed"),
    counter("queues_declared_total", "Total number of queues declared"),
    counter("queues_created_total", "Total number of queues created"),
    counter("queues_deleted_total", "Total number of queues deleted"),
  ],
  ({ host: { churn } }) => [
    churn.connectionsCreated,
    churn.connectionsClosed,
    churn.channelsCreated,
    churn.channelsClosed,
    churn.queuesDeclared,
    churn.queuesCreated,
    churn.queuesDeleted,
  ],
);

const coarse = ofNode(
  "node_coarse_metrics",
  [
    gauge("process_open_fds", "Open file descriptors"),
    gauge("process_open_tcp_sockets", "Open TCP sockets"),
    gauge("process_resident_memory_bytes", "Memory used in bytes"),
    gauge("disk_space_available_bytes", "Disk space available in bytes"),
    gauge("erlang_processes_used", "Erlang processes used"),
    counter("erlang_gc_runs_total", "Total number of Erlang garbage collector runs"),
    counter("erlang_gc_reclaimed_bytes_total", "Total number of bytes of memory reclaimed by Erlang garbage collector"),
    counter("erlang_scheduler_context_switches_total", "Total number of Erlang scheduler context switches"),
  ],
  ({ host, node }) => [
    node.limits?.files ?? Number.NaN,
    host.connections.size,
    process.memoryUsage.rss(),
    node.diskFree ?? Number.NaN,
    node.limits?.threads ?? Number.NaN,
    absent,
    absent,
    node.contextSwitches,
  ],
);

const limits = ofNode(
  "node_metrics",
  [
    gauge("process_max_fds", "Open file descriptors limit"),
    gauge("process_max_tcp_sockets", "Open TCP sockets limit"),
    gauge("resident_memory_limit_bytes", "Memory high watermark in bytes"),
    gauge("disk_space_available_limit_bytes", "Free disk space low watermark in bytes"),
    gauge("erlang_processes_limit", "Erlang processes limit"),
    gauge("erlang_scheduler_run_queue", "Erlang scheduler run queue"),
    gauge("erlang_net_ticktime_seconds", "Inter-node heartbeat interval"),
    gauge("erlang_uptime_seconds", "Node uptime"),
  ],
  ({ host, node }) => [
    node.limits?.filesMax ?? Number.NaN,
    node.limits?.filesMax ?? Number.NaN,
    host.resources.memoryLimit,
    host.resources.diskFreeLimit,
    node.limits?.threadsMax ?? Number.NaN,
    absent,
    absent,
    (host.clock.now() - host.startedAt) / 1000,
  ],
);

const persister = ofNode(
  "node_persister_metrics",
  [
    counter("io_read_ops_total", "Total number of I/O read operations"),
    counter("io_read_bytes_total", "Total number of I/O bytes read"),
    counter("io_write_ops_total", "Total number of I/O write operations"),
    counter("io_write_bytes_total", "Total number of I/O bytes written"),
    counter("io_sync_ops_total", "Total number of I/O sync operations"),
    counter("io_seek_ops_total", "Total number of I/O seek operations"),
    counter("io_reopen_ops_total", "Total number of times files have been reopened"),
    counter("schema_db_ram_tx_total", "Total number of Schema DB memory transactions"),
    counter("schema_db_disk_tx_total", "Total number of Schema DB disk transactions"),
    counter("msg_store_read_total", "Total number of Message Store read operations"),
    counter("msg_store_write_total", "Total number of Message Store write operations"),
    counter("queue_index_read_ops_total", "Total number of Queue Index read operations"),
    counter("queue_index_write_ops_total", "Total number of Queue Index write operations"),
    counter("io_read_time_seconds_total", "Total I/O read time"),
    counter("io_write_time_seconds_total", "Total I/O write time"),
    counter("io_sync_time_seconds_total", "Total I/O sync time"),
    counter("io_seek_time_seconds_total", "Total I/O seek time"),
  ],
  ({ host: { store } }) => {
    const { seconds, messages, bytes } = store.commits;
    const batches = seconds.cumulative().at(-1) ?? 0;
    const reads = [absent, absent];
    const writes = [batches, bytes, batches, absent, absent];
    const tables = [absent, batches, absent, messages.sum, absent, absent];
    return [...reads, ...writes, ...tables, absent, seconds.sum, seconds.sum, absent];
  },
);

const attempts: Family = {
  name: "auth_attempt_metrics",
  metrics: [
    counter("auth_attempts_total", "Total number of authorization attempts"),
    counter("auth_attempts_succeeded_total", "Total number of successful authentication attempts"),
    counter("auth_attempts_failed_total", "Total number of failed authentication attempts"),
  ],
  *readings({ host: { authAttempts } }) {
    for (const [protocol, { succeeded, failed }] of authAttempts.list()) {
      yield { labels: { protocol }, values: [succeeded + failed, succeeded, failed] };
    }
  },
};

/** Attempts by address and user: they are not told apart, as in RabbitMQ unless it is told to. */
const attemptsBySource: Family = {
  name: "auth_attempt_detailed_metrics",
  metrics: [
    counter("auth_attempts_detailed_total", "Total number of authorization attempts with source info"),
    counter(
      "auth_attempts_detailed_succeeded_total",
      "Total number of successful authorization attempts with source info",
    ),
    counter("auth_attempts_detailed_failed_total", "Total number of failed authorization attempts with source info"),
  ],
  isOnlyPerObject: true,
  readings: () => [],
};

/** RabbitMQ's families of the node, in its order. */
export const nodeFamilies: readonly Family[] = [churn, coarse, limits, persister, attempts, attemptsBySource];
