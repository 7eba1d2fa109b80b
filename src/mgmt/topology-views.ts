import type { Binding } from "../exchange/binding.ts";
import type { Metrics } from "../metrics.ts";
import { nodeName } from "../node-name.ts";
import { tableToPlain } from "../plain-table.ts";
import type { Policies } from "../policies.ts";
import { queueTypeOf } from "../queue/arguments.ts";
import type { Queue } from "../queue/queue.ts";
import type { Bindable, Vhost, VhostExchange } from "../vhost.ts";
import { consumersOf } from "./connection-views.ts";
import { consumerCapacity } from "./consumer-capacity.ts";
import type { ManagementHost } from "./host.ts";
import type { Query } from "./paging.ts";
import { propertiesKey } from "./properties-key.ts";
import { headTimestamp, levelsOf } from "./queue-levels.ts";
import type { Row } from "./rows.ts";
import { exchangeStats, lengthRow, queueStats } from "./stats.ts";

export function exchangeView(vhost: Vhost, exchange: VhostExchange, metrics: Metrics, query: Query): Row {
  const { policy } = vhost.policyOf(exchange);
  const isCounted = query["disable_stats"] !== "true";
  const delayed = vhost.delayed.get(exchange.name);
  return {
    name: exchange.name,
    vhost: vhost.name,
    type: exchange.type,
    durable: exchange.durable,
    auto_delete: exchange.autoDelete,
    internal: exchange.internal,
    arguments: tableToPlain(exchange.arguments),
    user_who_performed_action: exchange.declaredBy ?? "unknown",
    ...(delayed !== undefined && { messages_delayed: delayed.count }),
    ...(policy !== undefined && { policy }),
    ...(isCounted && exchangeStats(metrics.ofExchange(vhost.countersOf(exchange)), query)),
  };
}

/** One exchange by itself. Rates by channel and queue are not gathered, as in RabbitMQ unless it is told to. */
export function exchangeDetails(vhost: Vhost, exchange: VhostExchange, metrics: Metrics, query: Query): Row {
  return { ...exchangeView(vhost, exchange, metrics, query), incoming: [], outgoing: [] };
}

/** A queue; how much is in it as far as the query wants to know. */
export function queueView(queue: Queue, { metrics, policies }: ManagementHost, query: Query): Row {
  const row = basicQueueView(queue, policies);
  if (query["disable_stats"] !== "true") return { ...row, ...statsOf(queue, metrics, query) };
  if (query["enable_queue_totals"] !== "true") return row;
  const { ready, unacked } = queue;
  return {
    ...row,
    messages: ready + unacked,
    messages_ready: ready,
    messages_unacknowledged: unacked,
  };
}

function basicQueueView(queue: Queue, policies: Policies): Row {
  const type = queueTypeOf(queue.arguments);
  const { policy, operatorPolicy, rules } = policies.effective({
    kind: "queue",
    vhost: queue.vhost,
    name: queue.name,
    type,
  });
  return {
    name: queue.name,
    vhost: queue.vhost,
    type,
    node: nodeName,
    state: "running",
    durable: queue.durable,
    auto_delete: queue.autoDelete,
    exclusive: queue.exclusiveOwner !== undefined,
    arguments: tableToPlain(queue.arguments),
    policy: policy ?? null,
    operator_policy: operatorPolicy ?? null,
    effective_policy_definition: tableToPlain(rules),
  };
}

function statsOf(queue: Queue, metrics: Metrics, query: Query): Row {
  const measured = metrics.ofQueue(queue);
  const { pagedOut, pagedOutBytes, persistent, persistentBytes } = levelsOf(queue);
  const bytes = queue.readyBytes + queue.unackedBytes;
  const capacity = consumerCapacity(queue);
  const idleSince = metrics.idleSince(queue);
  return {
    ...(idleSince !== undefined && { idle_since: timeText(idleSince) }),
    ...lengthRow(measured, query),
    ...queueStats(measured, query),
    consumers: queue.consumerCount,
    consumer_capacity: capacity,
    consumer_utilisation: capacity,
    exclusive_consumer_tag: exclusiveConsumerTag(queue),
    single_active_consumer_tag: singleActiveConsumerTag(queue),
    message_bytes: bytes,
    message_bytes_ready: queue.readyBytes,
    message_bytes_unacknowledged: queue.unackedBytes,
    message_bytes_ram: bytes - pagedOutBytes,
    message_bytes_persistent: persistentBytes,
    message_bytes_paged_out: pagedOutBytes,
    messages_persistent: persistent,
    head_message_timestamp: headTimestamp(queue) ?? null,
    messages_ram: queue.ready + queue.unacked - pagedOut,
    messages_ready_ram: queue.ready - pagedOut,
    messages_unacknowledged_ram: queue.unacked,
    messages_paged_out: pagedOut,
  };
}

/** As RabbitMQ writes times: 2026-11-21T09:04:56.376+00:00. */
function timeText(time: number): string {
  return new Date(time).toISOString().replace("Z", "+00:00");
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

/** One queue by itself, with a history from now on; see {@link exchangeDetails} for what is empty. */
export function queueDetails(queue: Queue, host: ManagementHost, query: Query): Row {
  host.metrics.follow(queue);
  const row = queueView(queue, host, query);
  return { ...row, consumer_details: consumersOf(host.connections, queue), incoming: [], deliveries: [] };
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
