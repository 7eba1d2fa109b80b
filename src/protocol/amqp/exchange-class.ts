import { BrokerError } from "../../errors.ts";
import { stripLineBreaks } from "../../names.ts";
import { bind, declareExchange, deleteExchange, unbind } from "../../topology.ts";
import type { Channel } from "./channel.ts";
import type { Method, MethodArguments } from "./codec/methods.ts";

type ExchangeMethod = Extract<
  Method,
  { name: "exchange.declare" | "exchange.delete" | "exchange.bind" | "exchange.unbind" }
>;

/** The exchange class. */
export function handleExchange(channel: Channel, method: ExchangeMethod): void {
  switch (method.name) {
    case "exchange.declare":
      return method.args.passive ? passiveDeclare(channel, method.args) : declare(channel, method.args);
    case "exchange.delete":
      return remove(channel, method.args);
    case "exchange.bind":
      return bindExchange(channel, method.args);
    case "exchange.unbind":
      return unbindExchange(channel, method.args);
    default:
      method satisfies never;
  }
}

/** The default exchange is bound to every queue by its name, and that is all. */
export function refuseDefault(name: string): void {
  if (name === "") throw new BrokerError("ACCESS_REFUSED", "operation not permitted on the default exchange");
}

function declare(channel: Channel, args: MethodArguments<"exchange.declare">): void {
  const name = stripLineBreaks(args.exchange);
  refuseDefault(name);
  channel.authorize("configure", "exchange", name);
  const alternate = args.arguments.get("alternate-exchange");
  if (alternate?.type === "longstr" && !channel.vhost.exchanges.has(name)) {
    channel.authorize("read", "exchange", name);
    channel.authorize("write", "exchange", alternate.value.toString());
  }
  const exchange = declareExchange(channel.vhost, {
    name,
    type: args.type,
    durable: args.durable,
    autoDelete: args.autoDelete,
    internal: args.internal,
    arguments: args.arguments,
    declaredBy: channel.connection.username,
  });
  answer(channel, args.nowait, !channel.vhost.isDefinitionSafe(exchange), "exchange.declare-ok");
}

function passiveDeclare(channel: Channel, args: MethodArguments<"exchange.declare">): void {
  const name = stripLineBreaks(args.exchange);
  refuseDefault(name);
  authorizeAny(channel, "exchange", name);
  channel.vhost.getExchange(name);
  if (!args.nowait) channel.send("exchange.declare-ok", {});
}

/** To look at something, any right to it is enough. */
export function authorizeAny(channel: Channel, kind: "queue" | "exchange", name: string): void {
  if (channel.mayAccess("read", name) || channel.mayAccess("write", name)) return;
  channel.authorize("configure", kind, name);
}

function remove(channel: Channel, args: MethodArguments<"exchange.delete">): void {
  const name = stripLineBreaks(args.exchange);
  refuseDefault(name);
  channel.authorize("configure", "exchange", name);
  deleteExchange(channel.vhost, name, args.ifUnused);
  answer(channel, args.nowait, true, "exchange.delete-ok");
}

function bindExchange(channel: Channel, args: MethodArguments<"exchange.bind">): void {
  const { source, destination } = authorizeBinding(channel, args);
  const from = channel.vhost.getExchange(source);
  const to = channel.vhost.getExchange(destination);
  if (from.type === "topic") channel.authorizeTopic("read", source, args.routingKey);
  bind(channel.vhost, from, to, args.routingKey, args.arguments);
  answer(channel, args.nowait, true, "exchange.bind-ok");
}

function unbindExchange(channel: Channel, args: MethodArguments<"exchange.unbind">): void {
  const { source, destination } = authorizeBinding(channel, args);
  const from = channel.vhost.exchanges.get(source);
  if (from?.type === "topic") channel.authorizeTopic("read", source, args.routingKey);
  const to = channel.vhost.exchanges.get(destination);
  if (from !== undefined && to !== undefined) {
    unbind(channel.vhost, from, to, args.routingKey, args.arguments);
  }
  answer(channel, args.nowait, true, "exchange.unbind-ok");
}

interface Ends {
  readonly source: string;
  readonly destination: string;
}

function authorizeBinding(channel: Channel, args: Ends): Ends {
  const source = stripLineBreaks(args.source);
  const destination = stripLineBreaks(args.destination);
  refuseDefault(source);
  refuseDefault(destination);
  channel.authorize("write", "exchange", destination);
  channel.authorize("read", "exchange", source);
  return { source, destination };
}

type Answer = "exchange.declare-ok" | "exchange.delete-ok" | "exchange.bind-ok" | "exchange.unbind-ok";

function answer(channel: Channel, nowait: boolean, wait: boolean, name: Answer): void {
  if (nowait) return;
  if (wait) channel.sendWhenStored(name, {});
  else channel.send(name, {});
}
