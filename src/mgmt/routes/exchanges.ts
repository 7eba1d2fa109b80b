import { exchangeFrom } from "../../definition-fields.ts";
import { explainRoute, type RouteStep } from "../../explain-route.ts";
import { JsonObject } from "../../json-object.ts";
import { stripLineBreaks } from "../../names.ts";
import { tableFromPlain, tableToPlain } from "../../plain-table.ts";
import { declareExchange, deleteExchange } from "../../topology.ts";
import type { Vhost } from "../../vhost.ts";
import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { type Answer, answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { publish } from "../publish.ts";
import { found, notAuthorised, notFound } from "../refusal.ts";
import type { Row } from "../rows.ts";
import { exchangeDetails, exchangeView } from "../topology-views.ts";
import { exchangeName } from "./bindings.ts";

/** `/api/exchanges`. */
export function exchangeRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  const { vhosts, metrics } = host;
  const vhostOf = (call: Call): Vhost => found(vhosts.find(call.parameter("vhost")));
  const listed = (call: Call, of: readonly Vhost[]): Promise<Answer> =>
    call.listOf({
      items: of.flatMap((vhost) => [...vhost.exchanges.values()].map((exchange) => ({ vhost, exchange }))),
      keyOf: ({ vhost, exchange }) => ({ vhost: vhost.name, name: exchange.name }),
      rowOf: ({ vhost, exchange }) => exchangeView(vhost, exchange, metrics, call.query),
      defaultSort: ["vhost", "name"],
    });
  api.get("/exchanges", "management", (call) => listed(call, guard.visibleVhosts(call)));
  api.get("/exchanges/:vhost", "vhost", (call) => listed(call, [vhostOf(call)]));
  api.get("/exchanges/:vhost/:exchange", "vhost", (call) => {
    const vhost = vhostOf(call);
    const exchange = found(vhost.exchanges.get(exchangeName(call, "exchange")));
    return call.item(exchangeDetails(vhost, exchange, metrics, call.query));
  });
  api.get("/exchanges/:vhost/:exchange/route", "vhost", (call) => answer(routeRow(vhostOf(call), call)));
  api.put("/exchanges/:vhost/:exchange", "vhost", (call) => declare(vhostOf(call), guard, call));
  api.delete("/exchanges/:vhost/:exchange", "vhost", (call) => remove(vhostOf(call), guard, call));
  api.post("/exchanges/:vhost/:exchange/publish", "vhost", (call) =>
    publish(host, guard, vhostOf(call), exchangeName(call, "exchange"), call),
  );
}

/** Where a message would go that the query describes. */
function routeRow(vhost: Vhost, call: Call): Row {
  const exchange = exchangeName(call, "exchange");
  if (!vhost.exchanges.has(exchange)) throw notFound();
  const headers = tableFromPlain(JsonObject.parse(call.query["headers"] ?? "").plain());
  const { queues, delayed, steps } = explainRoute(vhost, exchange, call.query["routing_key"] ?? "", headers);
  return { queues, delayed, steps: steps.map(stepRow) };
}

function stepRow({ source, destination, binding }: RouteStep): Row {
  return {
    exchange: source.name,
    destination: destination.name,
    destination_type: destination.kind,
    via: binding === undefined ? "alternate exchange" : "binding",
    ...(binding !== undefined && { routing_key: binding.routingKey, arguments: tableToPlain(binding.arguments) }),
  };
}

function declare(vhost: Vhost, guard: Guard, call: Call): Answer {
  const name = stripLineBreaks(changeable(call));
  guard.authorize(call.user, vhost, "configure", name);
  const exchange = exchangeFrom(vhost.name, name, call.body);
  const exists = vhost.exchanges.has(name);
  const alternate = exchange.arguments.get("alternate-exchange");
  if (alternate?.type === "longstr" && !exists) {
    guard.authorize(call.user, vhost, "read", name);
    guard.authorize(call.user, vhost, "write", alternate.value.toString());
  }
  declareExchange(vhost, { ...exchange, declaredBy: call.user.name });
  return putAnswer(exists ? "replaced" : "created");
}

function remove(vhost: Vhost, guard: Guard, call: Call): Answer {
  const name = changeable(call);
  guard.authorize(call.user, vhost, "configure", name);
  if (!vhost.exchanges.has(name)) throw notFound();
  deleteExchange(vhost, name, call.query["if-unused"] === "true");
  return done;
}

/** The exchange that the path names, which must not be the default one: that is as it is. */
function changeable(call: Call): string {
  const name = exchangeName(call, "exchange");
  if (name === "") throw notAuthorised("Access refused.");
  return name;
}
