import { DelayedMessages } from "./delayed-messages.ts";
import { checkArguments, checkProperty } from "./equivalence.ts";
import { BrokerError } from "./errors.ts";
import { eventExchange } from "./events.ts";
import { delayedType } from "./exchange/delayed.ts";
import type { ExchangeProperties } from "./exchange/exchange.ts";
import { createExchange, exchangeTypes } from "./exchange/exchange-types.ts";
import type { History } from "./exchange/history.ts";
import { emptyTable, type FieldTable } from "./field-table.ts";
import { traceExchange } from "./firehose.ts";
import { KeptHistory } from "./kept-history.ts";
import { logExchange } from "./log-exchange.ts";
import { exchangeText, isReserved, queueText } from "./names.ts";
import { tableToPlain } from "./plain-table.ts";
import { queueOptions } from "./policy-effects.ts";
import { isForeign, queueArguments, queueTypeOf } from "./queue/arguments.ts";
import { Queue, type QueueProperties } from "./queue/queue.ts";
import type { BindingDefinition } from "./store/store.ts";
import type { Bindable, Vhost, VhostExchange } from "./vhost.ts";

/** A queue to declare; `owner` is the connection that asks. */
export interface QueueDeclaration {
  readonly name: string;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
  readonly owner: object;
  /** The broker made up the name. */
  readonly serverNamed: boolean;
  /** It comes from a document of definitions, where a queue that says no type is a classic one. */
  readonly isImported?: true;
}

/** The exchanges that every vhost has, besides the default one. */
const predeclared: readonly (readonly [string, string])[] = [
  ["amq.direct", "direct"],
  ["amq.fanout", "fanout"],
  ["amq.topic", "topic"],
  ["amq.headers", "headers"],
  ["amq.match", "headers"],
];

/** How many exchanges a vhost has from the start, when it is not the default one. */
export const predefinedCount = predeclared.length + 2;

/** Makes the exchanges that a new vhost starts with. */
export function declarePredefined(vhost: Vhost, isDefault: boolean): void {
  for (const exchange of predefinedExchanges(isDefault)) addExchange(vhost, exchange);
}

/** What a new vhost starts with; in the default one the broker says what it does as well. */
export function predefinedExchanges(isDefault: boolean): readonly ExchangeProperties[] {
  const said = isDefault ? [traceExchange, eventExchange, logExchange] : [traceExchange];
  return [
    properties("", "direct", false),
    ...said.map((name) => properties(name, "topic", true)),
    ...predeclared.map(([name, type]) => properties(name, type, false)),
  ];
}

function properties(name: string, type: string, internal: boolean): ExchangeProperties {
  return { name, type, durable: true, autoDelete: false, internal, arguments: emptyTable, declaredBy: "rmq-internal" };
}

/** Puts an exchange into a vhost without a look at the rules: a predefined one, or one that was stored. */
export function addExchange(vhost: Vhost, declaration: ExchangeProperties): VhostExchange {
  const exchange: VhostExchange = createExchange<Bindable>(declaration);
  vhost.exchanges.set(exchange.name, exchange);
  vhost.host.topologyChanged();
  return exchange;
}

/** Declares an exchange, or checks that the one of this name is equivalent. */
export function declareExchange(vhost: Vhost, declaration: ExchangeProperties): VhostExchange {
  checkType(declaration.type);
  const existing = vhost.exchanges.get(declaration.name);
  if (existing !== undefined) {
    checkExchange(vhost, existing, declaration);
    return existing;
  }
  if (isReserved(declaration.name)) throw reserved("exchange", declaration.name);
  checkAlternate(vhost.name, declaration);
  checkExchangeLimit(vhost, declaration.name);
  const exchange = addExchange(vhost, declaration);
  emitExchange(vhost, exchange, "created");
  if (exchange.type === delayedType) addDelayed(vhost, exchange, vhost.host.nextQueueId());
  if (exchange.durable && exchange.history !== undefined) addHistory(vhost, exchange.name, exchange.history);
  if (exchange.durable) {
    vhost.noteDefined(exchange);
    const { name, type, autoDelete, internal, declaredBy } = exchange;
    vhost.store.define({
      kind: "exchange",
      vhost: vhost.name,
      name,
      type,
      autoDelete,
      internal,
      arguments: exchange.arguments,
      declaredBy,
    });
  }
  return exchange;
}

function checkExchangeLimit(vhost: Vhost, name: string): void {
  const most = vhost.host.config.limits.exchanges;
  if (vhost.host.totals.exchanges < most) return;
  const text = `cannot declare exchange '${name}' in vhost '${vhost.name}': exchange limit of ${most} is reached`;
  throw new BrokerError("PRECONDITION_FAILED", text);
}

function emitExchange(vhost: Vhost, exchange: VhostExchange, what: "created" | "deleted"): void {
  vhost.host.events.emit(`exchange.${what}`, () => {
    const { name, type, durable, autoDelete: auto_delete, internal, arguments: args } = exchange;
    const fields = { type, durable, auto_delete, internal, arguments: tableToPlain(args) };
    return { name, vhost: vhost.name, ...(what === "created" && fields) };
  });
}

function emitQueue(vhost: Vhost, queue: Queue, what: "created" | "deleted"): void {
  vhost.host.events.emit(`queue.${what}`, () => {
    const { name, durable, autoDelete: auto_delete, exclusiveOwner, arguments: args } = queue;
    const fields = { durable, auto_delete, exclusive: exclusiveOwner !== undefined, arguments: tableToPlain(args) };
    return { name, vhost: vhost.name, ...(what === "created" && fields) };
  });
}

function emitBinding(vhost: Vhost, binding: BindingDefinition, what: "created" | "deleted"): void {
  vhost.host.events.emit(`binding.${what}`, () => ({
    source_name: binding.source,
    source_kind: "exchange",
    destination_name: binding.destination,
    destination_kind: binding.destinationKind,
    routing_key: binding.routingKey,
    arguments: tableToPlain(binding.arguments),
    vhost: vhost.name,
  }));
}

function addDelayed(vhost: Vhost, exchange: VhostExchange, id: number): void {
  const delayed = new DelayedMessages(vhost, exchange.name, id, exchange.durable);
  vhost.delayed.set(exchange.name, delayed);
  if (exchange.durable) vhost.store.define(delayed.definition);
}

/** Puts back the wait of an exchange as it was stored, without its messages. */
export function restoreDelayed(vhost: Vhost, exchange: string, id: number): DelayedMessages {
  const delayed = new DelayedMessages(vhost, exchange, id, true);
  vhost.delayed.set(exchange, delayed);
  return delayed;
}

function addHistory(vhost: Vhost, exchange: string, history: History): void {
  const kept = new KeptHistory(vhost, exchange, vhost.host.nextQueueId(), history);
  vhost.histories.set(exchange, kept);
  vhost.store.define(kept.definition);
}

/** Puts back the history of an exchange as it was stored, without its messages; undefined when the exchange has none. */
export function restoreHistory(vhost: Vhost, exchange: string, id: number): KeptHistory | undefined {
  const history = vhost.exchanges.get(exchange)?.history;
  if (history === undefined) return undefined;
  const kept = new KeptHistory(vhost, exchange, id, history);
  vhost.histories.set(exchange, kept);
  return kept;
}

function removeHistory(vhost: Vhost, { name }: VhostExchange): void {
  const kept = vhost.histories.get(name);
  if (kept === undefined) return;
  vhost.histories.delete(name);
  vhost.store.undefine(kept.definition);
  kept.delete();
}

function removeDelayed(vhost: Vhost, exchange: VhostExchange): void {
  const delayed = vhost.delayed.get(exchange.name);
  if (delayed === undefined) return;
  vhost.delayed.delete(exchange.name);
  if (exchange.durable) vhost.store.undefine(delayed.definition);
  delayed.delete();
}

function checkType(type: string): void {
  if (exchangeTypes.includes(type)) return;
  throw new BrokerError("PRECONDITION_FAILED", `${type === "" ? "invalid" : "unknown"} exchange type '${type}'`);
}

function checkExchange(vhost: Vhost, existing: ExchangeProperties, declaration: ExchangeProperties): void {
  const text = exchangeText(existing.name, vhost.name);
  checkProperty(text, "type", declaration.type, existing.type);
  checkProperty(text, "durable", declaration.durable, existing.durable);
  checkProperty(text, "auto_delete", declaration.autoDelete, existing.autoDelete);
  checkProperty(text, "internal", declaration.internal, existing.internal);
  checkArguments(text, ["alternate-exchange"], declaration.arguments, existing.arguments);
}

/** Checks the alternate exchange that an exchange of this vhost is to have. Throws PRECONDITION_FAILED. */
export function checkAlternate(vhost: string, declaration: ExchangeProperties): void {
  const field = declaration.arguments.get("alternate-exchange");
  if (field === undefined || field.type === "longstr") return;
  const text = exchangeText(declaration.name, vhost);
  throw new BrokerError("PRECONDITION_FAILED", `invalid type '${field.type}' for arg 'alternate-exchange' in ${text}`);
}

function reserved(kind: "queue" | "exchange", name: string): BrokerError {
  return new BrokerError("ACCESS_REFUSED", `${kind} name '${name}' contains reserved prefix 'amq.*'`);
}

/** Deletes an exchange with its bindings. Absent is no error. */
export function deleteExchange(vhost: Vhost, name: string, ifUnused: boolean): void {
  if (isReserved(name)) {
    throw new BrokerError("ACCESS_REFUSED", `deletion of system ${exchangeText(name, vhost.name)} not allowed`);
  }
  const exchange = vhost.exchanges.get(name);
  if (exchange === undefined) return;
  if (ifUnused && exchange.bindingCount > 0) {
    throw new BrokerError("PRECONDITION_FAILED", `${exchangeText(name, vhost.name)} in use`);
  }
  removeExchange(vhost, exchange);
}

function removeExchange(vhost: Vhost, exchange: VhostExchange): void {
  vhost.exchanges.delete(exchange.name);
  removeDelayed(vhost, exchange);
  removeHistory(vhost, exchange);
  emitExchange(vhost, exchange, "deleted");
  if (exchange.durable) vhost.store.undefine({ kind: "exchange", vhost: vhost.name, name: exchange.name });
  for (const binding of [...exchange.bindings()]) {
    exchange.unbind(binding.destination, binding.routingKey, binding.arguments);
    forgetBinding(vhost, exchange, binding.destination, binding.routingKey, binding.arguments);
  }
  unbindDestination(vhost, exchange);
  vhost.host.topologyChanged();
}

/** Declares a queue, or checks that the one of this name is equivalent and open to the owner. */
export function declareQueue(vhost: Vhost, declaration: QueueDeclaration): Queue {
  const existing = vhost.queues.get(declaration.name);
  vhost.host.churn.queuesDeclared++;
  const args = withDefaultType(declaration, vhost.properties.defaultQueueType);
  if (existing !== undefined) {
    // What is there from before there was a default is not held against who still declares it so.
    const wasGivenType = existing.arguments.has("x-queue-type");
    checkQueue(vhost, existing, wasGivenType ? { ...declaration, arguments: args } : declaration);
    existing.touch();
    return existing;
  }
  if (isReserved(declaration.name) && !declaration.serverNamed) throw reserved("queue", declaration.name);
  queueOptions(vhost, declaration);
  checkQuorum(vhost.name, declaration);
  checkQueueLimit(vhost, declaration.name);
  const { name, exclusive, autoDelete } = declaration;
  const durable = declaration.durable && !exclusive;
  return addQueue(vhost, {
    name,
    vhost: vhost.name,
    id: vhost.host.nextQueueId(),
    durable,
    autoDelete,
    exclusiveOwner: exclusive ? declaration.owner : undefined,
    arguments: args,
  });
}

/** The arguments of a queue that says nothing of its type, in a vhost that has a default: that, if it can be of it. */
function withDefaultType(declaration: QueueDeclaration, type: string | undefined): FieldTable {
  const { durable, exclusive, autoDelete, arguments: args } = declaration;
  const applies = type !== undefined && type !== "classic" && declaration.isImported !== true;
  if (!applies || args.has("x-queue-type") || !durable || exclusive || autoDelete) return args;
  return new Map(args).set("x-queue-type", { type: "longstr", value: type });
}

/** A quorum queue is there for good. Throws PRECONDITION_FAILED when this one would not be. */
export function checkQuorum(
  vhost: string,
  queue: Pick<QueueDeclaration, "name" | "durable" | "exclusive" | "autoDelete" | "arguments">,
): void {
  if (queueTypeOf(queue.arguments) !== "quorum") return;
  const { autoDelete, exclusive, durable } = queue;
  const wrong = autoDelete ? "auto-delete" : exclusive ? "exclusive-owner" : durable ? undefined : "non-durable";
  if (wrong === undefined) return;
  const text = `invalid property '${wrong}' for ${queueText(queue.name, vhost)}`;
  throw new BrokerError("PRECONDITION_FAILED", text);
}

function checkQueueLimit(vhost: Vhost, name: string): void {
  const { config, totals, limits } = vhost.host;
  if (totals.queues >= config.limits.queues) {
    const text = `cannot declare queue '${name}': queue limit in cluster (${config.limits.queues}) is reached`;
    throw new BrokerError("PRECONDITION_FAILED", text);
  }
  const most = limits.most("vhost", vhost.name, "max-queues");
  if (vhost.queues.size < most) return;
  const text = `cannot declare queue '${name}': queue limit in vhost '${vhost.name}' (${most}) is reached`;
  throw new BrokerError("PRECONDITION_FAILED", text);
}

function addQueue(vhost: Vhost, properties: QueueProperties): Queue {
  const queue = restoreQueue(vhost, properties);
  emitQueue(vhost, queue, "created");
  vhost.host.churn.queuesCreated++;
  const { name, id, autoDelete } = properties;
  if (queue.stored) {
    vhost.noteDefined(queue);
    vhost.store.define({ kind: "queue", vhost: vhost.name, name, id, autoDelete, arguments: properties.arguments });
  }
  return queue;
}

/** Puts a queue that was stored into its vhost, without its messages. */
export function restoreQueue(vhost: Vhost, properties: QueueProperties): Queue {
  const queue = new Queue(vhost, properties, queueOptions(vhost, properties));
  vhost.queues.set(queue.name, queue);
  vhost.host.topologyChanged();
  return queue;
}

function checkQueue(vhost: Vhost, existing: Queue, declaration: QueueDeclaration): void {
  const owner = declaration.exclusive ? declaration.owner : undefined;
  if (existing.exclusiveOwner !== owner) throw locked(existing);
  const text = queueText(existing.name, vhost.name);
  checkProperty(text, "durable", declaration.durable && !declaration.exclusive, existing.durable);
  checkProperty(text, "auto_delete", declaration.autoDelete, existing.autoDelete);
  // To say classic is to say nothing, and what a type does not know it does not compare.
  const isSameType = queueTypeOf(declaration.arguments) === existing.type;
  const compared = queueArguments.filter((name) =>
    name === "x-queue-type" ? !isSameType : !isForeign(existing.type, name),
  );
  checkArguments(text, compared, declaration.arguments, existing.arguments);
}

/** Throws RESOURCE_LOCKED when the queue is exclusive to another connection than `user`. */
export function checkExclusive(queue: Queue, user: object): void {
  if (queue.exclusiveOwner !== undefined && queue.exclusiveOwner !== user) throw locked(queue);
}

function locked(queue: Queue): BrokerError {
  return new BrokerError(
    "RESOURCE_LOCKED",
    `cannot obtain exclusive access to locked ${queueText(queue.name, queue.vhost)}. It could be originally declared ` +
      "on another connection or the exclusive property value does not match that of the original declaration.",
  );
}

/** Deletes a queue and returns how many messages were ready in it. Absent is no error: 0. */
export function deleteQueue(
  vhost: Vhost,
  name: string,
  user: object,
  only: { readonly ifUnused: boolean; readonly ifEmpty: boolean },
): number {
  const queue = vhost.queues.get(name);
  if (queue === undefined) return 0;
  checkExclusive(queue, user);
  if (queue.type === "quorum") checkUnconditional(queue, only);
  if (only.ifUnused && queue.consumerCount > 0) {
    throw new BrokerError("PRECONDITION_FAILED", `${queueText(name, vhost.name)} in use`);
  }
  if (only.ifEmpty && queue.ready > 0) {
    throw new BrokerError("PRECONDITION_FAILED", `${queueText(name, vhost.name)} not empty`);
  }
  return removeQueue(vhost, queue);
}

function checkUnconditional(queue: Queue, only: { readonly ifUnused: boolean; readonly ifEmpty: boolean }): void {
  const flag = only.ifUnused ? "if-unused" : only.ifEmpty ? "if-empty" : undefined;
  if (flag === undefined) return;
  const text = `cannot delete ${queueText(queue.name, queue.vhost)}. queue.delete operations with ${flag} flag set`;
  throw new BrokerError("NOT_IMPLEMENTED", `${text} are not supported by quorum queues`);
}

/** Ends a queue with its bindings and messages; returns how many were ready. */
export function removeQueue(vhost: Vhost, queue: Queue): number {
  vhost.queues.delete(queue.name);
  vhost.host.churn.queuesDeleted++;
  vhost.retire(queue);
  emitQueue(vhost, queue, "deleted");
  if (queue.stored) vhost.store.undefine({ kind: "queue", vhost: vhost.name, name: queue.name });
  unbindDestination(vhost, queue);
  vhost.host.topologyChanged();
  return queue.delete();
}

/** Empties a vhost that goes away. */
export function removeEverything(vhost: Vhost): void {
  for (const queue of [...vhost.queues.values()]) removeQueue(vhost, queue);
  for (const exchange of [...vhost.exchanges.values()]) removeExchange(vhost, exchange);
}

/** Removes all bindings to something that goes; auto-delete exchanges that lose their last one go too. */
function unbindDestination(vhost: Vhost, destination: Bindable): void {
  for (const source of vhost.sourcesOf(destination)) {
    for (const binding of source.unbindAll(destination)) {
      forgetBinding(vhost, source, destination, binding.routingKey, binding.arguments);
    }
    autoDelete(vhost, source);
  }
}

function autoDelete(vhost: Vhost, exchange: VhostExchange): void {
  if (!exchange.autoDelete || !exchange.everBound || exchange.bindingCount > 0) return;
  if (vhost.exchanges.get(exchange.name) === exchange) removeExchange(vhost, exchange);
}

/** Binds a queue or an exchange. An equal binding is kept as it is. */
export function bind(
  vhost: Vhost,
  source: VhostExchange,
  destination: Bindable,
  routingKey: string,
  args: FieldTable,
): void {
  if (!source.bind(destination, routingKey, args)) return;
  vhost.bound(source, destination);
  const binding = bindingKey(vhost, source, destination, routingKey, args);
  emitBinding(vhost, binding, "created");
  if (isStored(source, destination)) vhost.store.define(binding);
  vhost.host.topologyChanged();
  for (const record of source.history?.records ?? []) vhost.replay(record, destination);
}

/** Puts back a binding that was stored; one that lost an end meanwhile is left out. */
export function restoreBinding(vhost: Vhost, definition: BindingDefinition): void {
  const { destinationKind, destination: name } = definition;
  const source = vhost.exchanges.get(definition.source);
  const destination = destinationKind === "queue" ? vhost.queues.get(name) : vhost.exchanges.get(name);
  if (source === undefined || destination === undefined) return;
  if (source.bind(destination, definition.routingKey, definition.arguments)) vhost.bound(source, destination);
}

/** Removes a binding. Absent is no error. */
export function unbind(
  vhost: Vhost,
  source: VhostExchange,
  destination: Bindable,
  routingKey: string,
  args: FieldTable,
): void {
  if (!source.unbind(destination, routingKey, args)) return;
  forgetBinding(vhost, source, destination, routingKey, args);
  autoDelete(vhost, source);
  vhost.host.topologyChanged();
}

function forgetBinding(
  vhost: Vhost,
  source: VhostExchange,
  destination: Bindable,
  routingKey: string,
  args: FieldTable,
): void {
  vhost.unbound(source, destination);
  const binding = bindingKey(vhost, source, destination, routingKey, args);
  emitBinding(vhost, binding, "deleted");
  if (isStored(source, destination)) vhost.store.undefine(binding);
}

/** A binding outlives the broker when both its ends do. */
function isStored(source: VhostExchange, destination: Bindable): boolean {
  return source.durable && (destination.kind === "queue" ? destination.stored : destination.durable);
}

function bindingKey(
  vhost: Vhost,
  source: VhostExchange,
  destination: Bindable,
  routingKey: string,
  args: FieldTable,
): BindingDefinition {
  return {
    kind: "binding",
    vhost: vhost.name,
    source: source.name,
    destinationKind: destination.kind,
    destination: destination.name,
    routingKey,
    arguments: args,
  };
}
