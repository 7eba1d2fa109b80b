import { BrokerError } from "../../errors.ts";
import type { FieldTable } from "../../field-table.ts";
import {
  directReplyTo,
  generateQueueName,
  isReplyAddress,
  isReserved,
  queueText,
  stripLineBreaks,
} from "../../names.ts";
import { queueTypeOf } from "../../queue/arguments.ts";
import type { Queue } from "../../queue/queue.ts";
import { bind, checkExclusive, declareQueue, deleteQueue, unbind } from "../../topology.ts";
import type { Channel } from "./channel.ts";
import type { Method, MethodArguments } from "./codec/methods.ts";
import { authorizeAny, refuseDefault } from "./exchange-class.ts";

type QueueMethod = Extract<
  Method,
  { name: "queue.declare" | "queue.bind" | "queue.unbind" | "queue.purge" | "queue.delete" }
>;

const namePrefixBytesMax = 64;

/** The queue class. */
export function handleQueue(channel: Channel, method: QueueMethod): void {
  switch (method.name) {
    case "queue.declare":
      return handleDeclare(channel, method.args);
    case "queue.bind":
      return bindQueue(channel, method.args);
    case "queue.unbind":
      return unbindQueue(channel, method.args);
    case "queue.purge":
      return purge(channel, method.args);
    case "queue.delete":
      return remove(channel, method.args);
    default:
      method satisfies never;
  }
}

/** The queue a method names; an empty name stands for the last one declared on the channel. */
export function queueName(channel: Channel, name: string): string {
  if (name !== "") return stripLineBreaks(name);
  if (channel.lastQueue !== undefined) return channel.lastQueue;
  throw new BrokerError("NOT_FOUND", "no previously declared queue");
}

function handleDeclare(channel: Channel, args: MethodArguments<"queue.declare">): void {
  if (isReplyAddress(args.queue)) declareReplyAddress(channel, args);
  else if (args.passive) passiveDeclare(channel, args);
  else declare(channel, args);
}

/** Direct reply-to addresses are queues in name only: clients may declare them to see whether the other end lives. */
function declareReplyAddress(channel: Channel, { queue, nowait }: MethodArguments<"queue.declare">): void {
  const { vhost } = channel;
  if (queue !== directReplyTo && !vhost.replyTargets.has(queue)) {
    throw new BrokerError("NOT_FOUND", `no ${queueText(queue, vhost.name)}`);
  }
  if (!nowait) channel.send("queue.declare-ok", { queue, messageCount: 0, consumerCount: 1 });
}

function declare(channel: Channel, args: MethodArguments<"queue.declare">): void {
  const serverNamed = args.queue === "";
  if (serverNamed && queueTypeOf(args.arguments) === "quorum") {
    const text = "Cannot declare a server-named queue for type rabbit_quorum_queue";
    throw new BrokerError("PRECONDITION_FAILED", text);
  }
  const name = serverNamed ? generateQueueName(namePrefix(args.arguments)) : stripLineBreaks(args.queue);
  channel.authorize("configure", "queue", name);
  authorizeDeadLetters(channel, name, args);
  const queue = declareQueue(channel.vhost, {
    name,
    durable: args.durable,
    exclusive: args.exclusive,
    autoDelete: args.autoDelete,
    arguments: serverNamed ? withoutNamePrefix(args.arguments) : args.arguments,
    owner: channel.connection,
    serverNamed,
  });
  if (queue.exclusiveOwner !== undefined) channel.connection.owns(queue);
  answerDeclare(channel, queue, args.nowait);
}

/** What the name of a server-named queue begins with, if its declaration says so. Throws PRECONDITION_FAILED. */
function namePrefix(args: FieldTable): string | undefined {
  const field = args.get("x-name-prefix");
  if (field?.type !== "longstr") return undefined;
  const prefix = stripLineBreaks(field.value.toString());
  if (Buffer.byteLength(prefix) > namePrefixBytesMax) {
    const text = `Queue name prefix '${prefix}' exceeds the ${namePrefixBytesMax}-byte limit`;
    throw new BrokerError("PRECONDITION_FAILED", text);
  }
  if (!isReserved(prefix)) return prefix;
  throw new BrokerError("ACCESS_REFUSED", `queue name '${prefix}' contains reserved prefix 'amq.*'`);
}

/** The prefix has done its work with the name. */
function withoutNamePrefix(args: FieldTable): FieldTable {
  if (!args.has("x-name-prefix")) return args;
  return new Map([...args].filter(([name]) => name !== "x-name-prefix"));
}

function authorizeDeadLetters(channel: Channel, name: string, args: MethodArguments<"queue.declare">): void {
  const exchange = args.arguments.get("x-dead-letter-exchange");
  if (exchange?.type !== "longstr" || channel.vhost.queues.has(name)) return;
  channel.authorize("read", "queue", name);
  channel.authorize("write", "exchange", exchange.value.toString());
}

function passiveDeclare(channel: Channel, args: MethodArguments<"queue.declare">): void {
  const name = stripLineBreaks(args.queue);
  authorizeAny(channel, "queue", name);
  const queue = channel.vhost.getQueue(name);
  checkExclusive(queue, channel.connection);
  queue.touch();
  answerDeclare(channel, queue, args.nowait);
}

function answerDeclare(channel: Channel, queue: Queue, nowait: boolean): void {
  channel.lastQueue = queue.name;
  if (nowait) return;
  const args = { queue: queue.name, messageCount: queue.ready, consumerCount: queue.consumerCount };
  if (!channel.vhost.isDefinitionSafe(queue)) channel.sendWhenStored("queue.declare-ok", args);
  else channel.send("queue.declare-ok", args);
}

function bindQueue(channel: Channel, args: MethodArguments<"queue.bind">): void {
  const { queue: name, exchange: source, key } = authorizeBinding(channel, args);
  const exchange = channel.vhost.getExchange(source);
  const queue = channel.vhost.getQueue(name);
  checkExclusive(queue, channel.connection);
  if (exchange.type === "topic") channel.authorizeTopic("read", source, key);
  bind(channel.vhost, exchange, queue, key, args.arguments);
  if (args.nowait) return;
  if (queue.stored) channel.sendWhenStored("queue.bind-ok", {});
  else channel.send("queue.bind-ok", {});
}

function unbindQueue(channel: Channel, args: MethodArguments<"queue.unbind">): void {
  const { queue: name, exchange: source, key } = authorizeBinding(channel, args);
  const exchange = channel.vhost.exchanges.get(source);
  if (exchange?.type === "topic") channel.authorizeTopic("read", source, key);
  const queue = channel.vhost.queues.get(name);
  if (exchange !== undefined && queue !== undefined) {
    checkExclusive(queue, channel.connection);
    unbind(channel.vhost, exchange, queue, key, args.arguments);
  }
  channel.sendWhenStored("queue.unbind-ok", {});
}

interface BindingArguments {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
}

function authorizeBinding(channel: Channel, args: BindingArguments): { queue: string; exchange: string; key: string } {
  // An empty queue name stands for the channel's last queue, and then an empty key for that queue's name.
  const key = args.queue === "" && args.routingKey === "" ? queueName(channel, "") : args.routingKey;
  const queue = queueName(channel, args.queue);
  const exchange = stripLineBreaks(args.exchange);
  if (queue === directReplyTo) {
    throw new BrokerError("ACCESS_REFUSED", "cannot bind or unbind to a volatile (direct reply-to) queue");
  }
  refuseDefault(exchange);
  channel.authorize("write", "queue", queue);
  channel.authorize("read", "exchange", exchange);
  return { queue, exchange, key };
}

function purge(channel: Channel, args: MethodArguments<"queue.purge">): void {
  const name = queueName(channel, args.queue);
  channel.authorize("read", "queue", name);
  const queue = channel.vhost.getQueue(name);
  checkExclusive(queue, channel.connection);
  const messageCount = queue.purge();
  if (args.nowait) return;
  if (queue.stored) channel.sendWhenStored("queue.purge-ok", { messageCount });
  else channel.send("queue.purge-ok", { messageCount });
}

function remove(channel: Channel, args: MethodArguments<"queue.delete">): void {
  const name = queueName(channel, args.queue);
  if (isReplyAddress(name)) {
    if (!args.nowait) channel.send("queue.delete-ok", { messageCount: 0 });
    return;
  }
  channel.authorize("configure", "queue", name);
  const stored = channel.vhost.queues.get(name)?.stored ?? false;
  const messageCount = deleteQueue(channel.vhost, name, channel.connection, args);
  if (args.nowait) return;
  if (stored) channel.sendWhenStored("queue.delete-ok", { messageCount });
  else channel.send("queue.delete-ok", { messageCount });
}

/** The queue that a consume or get names, open to the connection. */
export function readableQueue(channel: Channel, name: string): Queue {
  channel.authorize("read", "queue", name);
  const queue = channel.vhost.getQueue(name);
  checkExclusive(queue, channel.connection);
  return queue;
}

/** How texts name a queue of the channel's vhost. */
export function textOf(channel: Channel, name: string): string {
  return queueText(name, channel.vhost.name);
}
