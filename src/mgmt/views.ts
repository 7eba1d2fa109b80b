import type { ConnectionRegistry } from "../connections.ts";
import type { Binding } from "../exchange/binding.ts";
import type { Permission, TopicPermission } from "../permissions.ts";
import { tableToPlain } from "../plain-table.ts";
import type { Queue } from "../queue/queue.ts";
import type { User } from "../users.ts";
import type { Bindable, Vhost, VhostExchange } from "../vhost.ts";
import { consumersOf } from "./connection-views.ts";
import { nodeName } from "./node.ts";
import { propertiesKey } from "./properties-key.ts";
import type { Row } from "./rows.ts";

/** A user, with the hash of the password as RabbitMQ shows it to administrators. */
export function userView({ name, passwordHash, hashingAlgorithm, tags }: User): Row {
  return { name, password_hash: passwordHash, hashing_algorithm: hashingAlgorithm, tags, limits: {} };
}

export function permissionView({ user, vhost, configure, write, read }: Permission): Row {
  return { user, vhost, configure, write, read };
}

export function topicPermissionView({ user, vhost, exchange, write, read }: TopicPermission): Row {
  return { user, vhost, exchange, write, read };
}

export function vhostView({ name, properties: { description, tags, defaultQueueType } }: Vhost): Row {
  const default_queue_type = defaultQueueType ?? "classic";
  return {
    name,
    description,
    tags,
    default_queue_type,
    metadata: { description, tags, default_queue_type },
    tracing: false,
    cluster_state: { [nodeName]: "running" },
  };
}

export function exchangeView(vhost: Vhost, exchange: VhostExchange): Row {
  return {
    name: exchange.name,
    vhost: vhost.name,
    type: exchange.type,
    durable: exchange.durable,
    auto_delete: exchange.autoDelete,
    internal: exchange.internal,
    arguments: tableToPlain(exchange.arguments),
  };
}

/** One exchange by itself. Rates by channel and queue are not gathered, as in RabbitMQ unless it is told to. */
export function exchangeDetails(vhost: Vhost, exchange: VhostExchange): Row {
  return { ...exchangeView(vhost, exchange), incoming: [], outgoing: [] };
}

export function queueView(queue: Queue): Row {
  const type = queue.arguments.get("x-queue-type");
  return {
    name: queue.name,
    vhost: queue.vhost,
    type: type?.type === "longstr" ? type.value.toString() : "classic",
    node: nodeName,
    state: "running",
    durable: queue.durable,
    auto_delete: queue.autoDelete,
    exclusive: queue.exclusiveOwner !== undefined,
    arguments: tableToPlain(queue.arguments),
    policy: null,
    operator_policy: null,
    effective_policy_definition: {},
    consumers: queue.consumerCount,
    exclusive_consumer_tag: exclusiveConsumerTag(queue),
    single_active_consumer_tag: singleActiveConsumerTag(queue),
    messages: queue.ready + queue.unacked,
    messages_ready: queue.ready,
    messages_unacknowledged: queue.unacked,
    message_bytes: queue.readyBytes + queue.unackedBytes,
    message_bytes_ready: queue.readyBytes,
    message_bytes_unacknowledged: queue.unackedBytes,
  };
}

function exclusiveConsumerTag({ consumers }: Queue): string | null {
  for (const consumer of consumers) if (consumer.exclusive) return consumer.tag;
  return null;
}

function singleActiveConsumerTag({ options, consumers }: Queue): string | null {
  if (!options.singleActiveConsumer) return null;
  for (const consumer of consumers) return consumer.tag;
  return null;
}

/** One queue by itself; see {@link exchangeDetails} for what is empty. */
export function queueDetails(queue: Queue, connections: ConnectionRegistry): Row {
  const consumers = consumersOf(connections, queue);
  return { ...queueView(queue), consumer_details: consumers, incoming: [], deliveries: [] };
}

export function bindingView(vhost: Vhost, source: VhostExchange, binding: Binding<Bindable>): Row {
  const { destination, routingKey, arguments: args } = binding;
  return {
    source: source.name,
    vhost: vhost.name,
    destination: destination.name,
    destination_type: destination.kind,
    routing_key: routingKey,
    arguments: tableToPlain(args),
    properties_key: propertiesKey(routingKey, args),
  };
}

/** Every queue is bound to the default exchange by its name. */
export function defaultBindingView({ name, vhost }: Queue): Row {
  return {
    source: "",
    vhost,
    destination: name,
    destination_type: "queue",
    routing_key: name,
    arguments: {},
    properties_key: propertiesKey(name, new Map()),
  };
}
