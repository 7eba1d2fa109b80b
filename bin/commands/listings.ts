import { address, amqpTable, type CellMaker, document, plain, protocolVersion } from "../cells.ts";
import { type CommandSpec, command, flag, text } from "../command.ts";
import { type Column, listing, plainListing, userListing } from "../listing.ts";
import { path } from "../management-client.ts";

/** Columns whose fields in the API have the same names. */
function same(...names: readonly string[]): Readonly<Record<string, Column>> {
  return Object.fromEntries(names.map((name) => [name, name]));
}

/** There is nothing like it here: RabbitMQ's column is there, and blank. */
function blank(...names: readonly string[]): Readonly<Record<string, Column>> {
  return Object.fromEntries(names.map((name) => [name, ["", () => plain(undefined)] as const]));
}

/** What is not told was not done. */
const count: CellMaker = (value) => plain(value ?? 0);

const queues = listing({
  name: "list_queues",
  group: "Listings",
  summary: "lists queues and their properties",
  columns: {
    ...same("name", "type", "durable", "auto_delete", "exclusive"),
    arguments: ["arguments", amqpTable],
    ...same("state", "policy", "operator_policy", "messages", "messages_ready", "messages_unacknowledged", "consumers"),
    ...same("message_bytes", "message_bytes_ready", "message_bytes_unacknowledged"),
    ...same("consumer_utilisation", "consumer_capacity", "head_message_timestamp", "memory"),
    ...same("exclusive_consumer_tag", "single_active_consumer_tag"),
    effective_policy_definition: ["effective_policy_definition", document],
    pid: "name",
    leader: "node",
    members: ["node", (node) => plain([node])],
    online: ["node", (node) => plain([node])],
    ...same("messages_persistent", "messages_ram", "messages_ready_ram", "messages_unacknowledged_ram"),
    ...same("message_bytes_persistent", "message_bytes_ram"),
    disk_reads: ["message_stats.disk_reads", count],
    disk_writes: ["message_stats.disk_writes", count],
    ...blank("exclusive_consumer_pid", "owner_pid", "slave_pids", "synchronised_slave_pids"),
  },
  usual: ["name", "messages"],
  fieldsWithoutStats: [
    ...["name", "type", "durable", "auto_delete", "exclusive", "arguments", "state", "policy", "operator_policy"],
    ...["effective_policy_definition", "node", "messages", "messages_ready", "messages_unacknowledged"],
  ],
  choosesNodes: true,
  banner: ({ vhost, timeoutText }) => `Timeout: ${timeoutText} ...\nListing queues for vhost ${vhost} ...`,
  path: ({ vhost }) => path`/queues/${vhost}`,
  absent: "empty",
});

const unresponsiveQueues = command({
  name: "list_unresponsive_queues",
  group: "Listings",
  summary: "lists queues that do not answer: none here, as queues have no processes of their own",
  arguments: { "[column...]": "accepted for RabbitMQ's sake" },
  options: {
    local: flag("--local", "accepted for RabbitMQ's sake"),
    queueTimeout: text("--queue-timeout <milliseconds>", "accepted for RabbitMQ's sake"),
  },
  run: ({ output, vhost }) => {
    output.banner(`Listing unresponsive queues for vhost ${vhost} ...`);
    output.table({ columns: ["name"], rows: [] });
  },
});

const exchanges = listing({
  name: "list_exchanges",
  group: "Listings",
  summary: "lists exchanges",
  columns: {
    ...same("name", "type", "durable", "auto_delete", "internal"),
    arguments: ["arguments", amqpTable],
    policy: "policy",
    messages_delayed: "messages_delayed",
  },
  usual: ["name", "type"],
  fieldsWithoutStats: ["name", "type", "durable", "auto_delete", "internal", "arguments", "policy"],
  banner: ({ vhost }) => `Listing exchanges for vhost ${vhost} ...`,
  path: ({ vhost }) => path`/exchanges/${vhost}`,
  absent: "empty",
});

const bindingColumns: Readonly<Record<string, Column>> = {
  source_name: "source",
  source_kind: ["source", () => plain("exchange")],
  destination_name: "destination",
  destination_kind: "destination_type",
  routing_key: "routing_key",
  arguments: ["arguments", amqpTable],
};

const bindings = listing({
  name: "list_bindings",
  group: "Listings",
  summary: "lists bindings",
  columns: bindingColumns,
  usual: Object.keys(bindingColumns),
  banner: ({ vhost }) => `Listing bindings for vhost ${vhost}...`,
  path: ({ vhost }) => path`/bindings/${vhost}`,
  absent: "empty",
});

const connections = listing({
  name: "list_connections",
  group: "Listings",
  summary: "lists client connections",
  columns: {
    ...same("name", "user", "vhost"),
    peer_host: ["peer_host", address],
    peer_port: "peer_port",
    host: ["host", address],
    ...same("port", "state", "channels"),
    protocol: ["protocol", protocolVersion],
    ...same("auth_mechanism", "timeout", "frame_max", "channel_max"),
    client_properties: ["client_properties", amqpTable],
    ...same("connected_at", "recv_oct", "send_oct", "recv_cnt", "send_cnt", "send_pend", "user_provided_name"),
    ...same("ssl", "ssl_protocol", "ssl_cipher", "ssl_hash", "ssl_key_exchange"),
    ...same("peer_cert_issuer", "peer_cert_subject", "peer_cert_validity"),
    pid: "name",
  },
  usual: ["user", "peer_host", "peer_port", "state"],
  banner: () => "Listing connections ...",
  path: () => "/connections",
});

const channels = listing({
  name: "list_channels",
  group: "Listings",
  summary: "lists channels",
  columns: {
    pid: "name",
    connection: "connection_details.name",
    ...same("name", "number", "user", "vhost", "state", "transactional", "confirm", "consumer_count"),
    ...same("messages_unacknowledged", "messages_uncommitted", "acks_uncommitted", "messages_unconfirmed"),
    ...same("prefetch_count", "global_prefetch_count"),
  },
  usual: ["pid", "user", "consumer_count", "messages_unacknowledged"],
  banner: () => "Listing channels ...",
  path: () => "/channels",
});

const consumers = listing({
  name: "list_consumers",
  group: "Listings",
  summary: "lists consumers",
  columns: {
    queue_name: "queue.name",
    channel_pid: "channel_details.name",
    ...same("consumer_tag", "ack_required", "prefetch_count", "active", "activity_status"),
    arguments: ["arguments", amqpTable],
  },
  usual: ["queue_name", "channel_pid", "consumer_tag", "ack_required", "prefetch_count", "active", "arguments"],
  banner: ({ vhost }) => `Listing consumers in vhost ${vhost} ...`,
  path: ({ vhost }) => path`/consumers/${vhost}`,
  absent: "empty",
});

const vhosts = listing({
  name: "list_vhosts",
  group: "Virtual hosts",
  summary: "lists virtual hosts",
  columns: {
    ...same("name", "description", "tags", "default_queue_type", "tracing", "protected_from_deletion"),
    cluster_state: ["cluster_state", clusterState],
  },
  usual: ["name"],
  banner: () => "Listing vhosts ...",
  path: () => "/vhosts",
});

function clusterState(value: unknown): ReturnType<typeof plain> {
  const states = Object.entries(value ?? {}).map(([node, state]) => `{${node}, ${state}}`);
  return { text: `[${states.join(", ")}]`, json: value };
}

const users = plainListing({
  name: "list_users",
  group: "Users",
  summary: "lists users and their tags",
  columns: { user: "name", tags: "tags" },
  banner: () => "Listing users ...",
  path: () => "/users",
});

const permissions = plainListing({
  name: "list_permissions",
  group: "Access control",
  summary: "lists who may do what in a virtual host",
  columns: same("user", "configure", "write", "read"),
  banner: ({ vhost }) => `Listing permissions for vhost "${vhost}" ...`,
  path: ({ vhost }) => path`/vhosts/${vhost}/permissions`,
  absent: "vhost",
});

const topicPermissions = plainListing({
  name: "list_topic_permissions",
  group: "Access control",
  summary: "lists the topic permissions in a virtual host",
  columns: same("user", "exchange", "write", "read"),
  banner: ({ vhost }) => `Listing topic permissions for vhost "${vhost}" ...`,
  path: ({ vhost }) => path`/vhosts/${vhost}/topic-permissions`,
  absent: "vhost",
});

const userPermissions = userListing({
  name: "list_user_permissions",
  group: "Access control",
  summary: "lists what a user may do, in all virtual hosts",
  columns: same("vhost", "configure", "write", "read"),
  banner: (_, username) => `Listing permissions for user "${username}" ...`,
  path: (_, username) => path`/users/${username}/permissions`,
  absent: "user",
});

const userTopicPermissions = userListing({
  name: "list_user_topic_permissions",
  group: "Access control",
  summary: "lists the topic permissions of a user, in all virtual hosts",
  columns: same("vhost", "exchange", "write", "read"),
  banner: (_, username) => `Listing topic permissions for user "${username}" ...`,
  path: (_, username) => path`/users/${username}/topic-permissions`,
  absent: "user",
});

const policyColumns: Readonly<Record<string, Column>> = {
  ...same("vhost", "name", "pattern", "apply-to"),
  definition: ["definition", document],
  priority: "priority",
};

const policies = plainListing({
  name: "list_policies",
  group: "Policies and parameters",
  summary: "lists the policies of a virtual host",
  columns: policyColumns,
  banner: ({ vhost }) => `Listing policies for vhost "${vhost}" ...`,
  path: ({ vhost }) => path`/policies/${vhost}`,
  absent: "vhost",
});

const operatorPolicies = plainListing({
  name: "list_operator_policies",
  group: "Policies and parameters",
  summary: "lists the operator policies of a virtual host",
  columns: policyColumns,
  banner: ({ vhost }) => `Listing operator policy overrides for vhost "${vhost}" ...`,
  path: ({ vhost }) => path`/operator-policies/${vhost}`,
  absent: "vhost",
});

const globalParameters = plainListing({
  name: "list_global_parameters",
  group: "Policies and parameters",
  summary: "lists global runtime parameters",
  columns: { name: "name", value: ["value", document] },
  banner: () => "Listing global runtime parameters ...",
  path: () => "/global-parameters",
});

const featureFlags = listing({
  name: "list_feature_flags",
  group: "Status and health checks",
  summary: "lists feature flags: every feature is always on",
  columns: same("name", "state", "stability", "provided_by", "desc", "doc_url"),
  usual: ["name", "state"],
  banner: () => "Listing feature flags ...",
  path: () => "/feature-flags",
});

const deprecatedFeatures = listing({
  name: "list_deprecated_features",
  group: "Status and health checks",
  summary: "lists deprecated features: none here",
  columns: same("name", "deprecation_phase", "provided_by", "desc", "doc_url"),
  usual: ["name", "deprecation_phase"],
  banner: () => "Listing deprecated features ...",
  path: () => "/deprecated-features",
});

/** The commands that list things. */
export const listingCommands: readonly CommandSpec[] = [
  queues,
  unresponsiveQueues,
  exchanges,
  bindings,
  connections,
  channels,
  consumers,
  vhosts,
  users,
  permissions,
  topicPermissions,
  userPermissions,
  userTopicPermissions,
  policies,
  operatorPolicies,
  globalParameters,
  featureFlags,
  deprecatedFeatures,
];
