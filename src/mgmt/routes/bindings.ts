import { BrokerError } from "../../errors.ts";
import { bind, checkExclusive, unbind } from "../../topology.ts";
import type { Bindable, Vhost, VhostExchange } from "../../vhost.ts";
import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { type Answer, type Call, done } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { propertiesKey, spelledPropertiesKey } from "../properties-key.ts";
import { badRequest, found, missing, notAuthorised, notFound } from "../refusal.ts";
import type { Row } from "../rows.ts";
import { mapInSlices } from "../slices.ts";
import { bindingView, defaultBindingView } from "../topology-views.ts";

const sortedBy = ["vhost", "source", "destination_type", "destination", "routing_key", "properties_key"];

/** `/api/bindings`, and the lists of them at exchanges and queues. */
export function bindingRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  api.get("/bindings", "management", (call) => listed(call, guard.visibleVhosts(call).flatMap(bindingsOf)));
  api.get("/bindings/:vhost", "vhost", (call) => listed(call, bindingsOf(vhostOf(host, call))));
  api.get("/queues/:vhost/:queue/bindings", "vhost", (call) => {
    const vhost = vhostOf(host, call);
    const queue = vhost.queues.get(call.parameter("queue"));
    // What does not exist has no bindings, as in RabbitMQ.
    if (queue === undefined) return listed(call, []);
    return listed(call, [() => defaultBindingView(queue), ...bindingsTo(vhost, queue)]);
  });
  api.get("/exchanges/:vhost/:exchange/bindings/source", "vhost", (call) => {
    const vhost = vhostOf(host, call);
    const exchange = vhost.exchanges.get(exchangeName(call, "exchange"));
    return listed(call, exchange === undefined ? [] : bindingsFrom(vhost, exchange));
  });
  api.get("/exchanges/:vhost/:exchange/bindings/destination", "vhost", (call) => {
    const vhost = vhostOf(host, call);
    const exchange = vhost.exchanges.get(exchangeName(call, "exchange"));
    return listed(call, exchange === undefined ? [] : bindingsTo(vhost, exchange));
  });
  for (const kind of ["q", "e"] as const) pairRoutes(api, host, guard, kind);
}

/** The bindings of one source to one destination. */
function pairRoutes(api: Api, host: ManagementHost, guard: Guard, kind: "q" | "e"): void {
  const path = `/bindings/:vhost/e/:source/${kind}/:destination`;
  api.get(path, "vhost", (call) => {
    const vhost = vhostOf(host, call);
    return call.list(between(vhost, call, kind), ...sortedBy);
  });
  api.post(path, "vhost", (call) => addBinding(vhostOf(host, call), guard, call, kind));
  api.get(`${path}/:properties`, "vhost", (call) => {
    const rows = between(vhostOf(host, call), call, kind);
    const key = spelledPropertiesKey(call.parameter("properties"));
    return call.item(found(rows.find((row) => row["properties_key"] === key)));
  });
  api.delete(`${path}/:properties`, "vhost", (call) => removeBinding(vhostOf(host, call), guard, call, kind));
}

function vhostOf({ vhosts }: ManagementHost, call: Call): Vhost {
  return found(vhosts.find(call.parameter("vhost")));
}

/** The name of an exchange in a path. */
export function exchangeName(call: Call, parameter: string): string {
  const name = call.parameter(parameter);
  return name === "amq.default" ? "" : name;
}

/** Makes the row of a binding. There may be many, and each is made once, in slices. */
type RowMaker = () => Row;

async function listed(call: Call, makers: Iterable<RowMaker>): Promise<Answer> {
  return await call.list(await mapInSlices(makers, (make) => make()), ...sortedBy);
}

function bindingsOf(vhost: Vhost): RowMaker[] {
  return [...vhost.exchanges.values()].flatMap((exchange) => bindingsFrom(vhost, exchange));
}

function bindingsFrom(vhost: Vhost, exchange: VhostExchange): RowMaker[] {
  if (exchange.name === "") return [...vhost.queues.values()].map((queue) => () => defaultBindingView(queue));
  return [...exchange.bindings()].map((binding) => () => bindingView(vhost, exchange, binding));
}

function bindingsTo(vhost: Vhost, destination: Bindable): RowMaker[] {
  return vhost
    .sourcesOf(destination)
    .flatMap((source) => [...source.bindingsTo(destination)].map((each) => () => bindingView(vhost, source, each)));
}

interface Ends {
  readonly source: VhostExchange;
  readonly destination: Bindable;
}

/** What the path names; undefined when one of them does not exist. */
function endsOf(vhost: Vhost, call: Call, kind: "q" | "e"): Ends | undefined {
  const source = vhost.exchanges.get(exchangeName(call, "source"));
  const name = call.parameter("destination");
  const destination = kind === "q" ? vhost.queues.get(name) : vhost.exchanges.get(exchangeName(call, "destination"));
  return source === undefined || destination === undefined ? undefined : { source, destination };
}

function between(vhost: Vhost, call: Call, kind: "q" | "e"): Row[] {
  const ends = endsOf(vhost, call, kind);
  if (ends === undefined) return [];
  const { source, destination } = ends;
  if (source.name !== "") {
    return [...source.bindingsTo(destination)].map((binding) => bindingView(vhost, source, binding));
  }
  return destination.kind === "queue" ? [defaultBindingView(destination)] : [];
}

function addBinding(vhost: Vhost, guard: Guard, call: Call, kind: "q" | "e"): Answer {
  authorize(vhost, guard, call);
  const { source, destination } = existingEnds(vhost, call, kind);
  if (destination.kind === "queue") checkExclusive(destination, call);
  const routingKey = call.body.findText("routing_key") ?? "";
  if (Buffer.byteLength(routingKey) > 255) throw badRequest("'routing_key' is longer than 255 bytes");
  const args = call.body.table("arguments");
  if (source.type === "topic") guard.authorizeTopic(call.user, vhost, "read", source.name, routingKey);
  bind(vhost, source, destination, routingKey, args);
  // Relative to the path that was posted to, which ends with the destination.
  const location = [destination.name, propertiesKey(routingKey, args)].map(encodeURIComponent).join("/");
  return { status: 201, headers: { location } };
}

function authorize(vhost: Vhost, guard: Guard, call: Call): void {
  const [source, destination] = [exchangeName(call, "source"), exchangeName(call, "destination")];
  if (source === "" || destination === "") throw notAuthorised("Access refused.");
  guard.authorize(call.user, vhost, "write", destination);
  guard.authorize(call.user, vhost, "read", source);
}

function existingEnds(vhost: Vhost, call: Call, kind: "q" | "e"): Ends {
  try {
    const source = vhost.getExchange(exchangeName(call, "source"));
    const name = call.parameter("destination");
    return { source, destination: kind === "q" ? vhost.getQueue(name) : vhost.getExchange(name) };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    throw missing(error);
  }
}

function removeBinding(vhost: Vhost, guard: Guard, call: Call, kind: "q" | "e"): Answer {
  authorize(vhost, guard, call);
  const ends = endsOf(vhost, call, kind);
  if (ends === undefined) throw notFound();
  const { source, destination } = ends;
  if (destination.kind === "queue") checkExclusive(destination, call);
  const key = spelledPropertiesKey(call.parameter("properties"));
  const binding = [...source.bindingsTo(destination)].find(
    ({ routingKey, arguments: args }) => propertiesKey(routingKey, args) === key,
  );
  const { routingKey, arguments: args } = found(binding);
  if (source.type === "topic") guard.authorizeTopic(call.user, vhost, "read", source.name, routingKey);
  unbind(vhost, source, destination, routingKey, args);
  return done;
}
