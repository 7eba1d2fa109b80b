import { queueFrom } from "../../definition-fields.ts";
import { stripLineBreaks } from "../../names.ts";
import { nodeName } from "../../node-name.ts";
import type { Queue } from "../../queue/queue.ts";
import { checkExclusive, declareQueue, deleteQueue } from "../../topology.ts";
import type { Vhost } from "../../vhost.ts";
import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { type Answer, type Call, done, putAnswer } from "../call.ts";
import { getMessages } from "../get-messages.ts";
import type { ManagementHost } from "../host.ts";
import type { Query } from "../paging.ts";
import { badRequest, found, notFound, Refusal } from "../refusal.ts";
import type { Row } from "../rows.ts";
import { Slices } from "../slices.ts";
import { queueDetails, queueView } from "../topology-views.ts";

/** `/api/queues`. */
export function queueRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  const vhostOf = (call: Call): Vhost => found(host.vhosts.find(call.parameter("vhost")));
  const listed = async (call: Call, vhosts: readonly Vhost[]): Promise<Answer> => {
    const slices = new Slices();
    if (slices.isOver) await slices.next();
    return await call.listOf({
      items: inOrder(vhosts),
      keyOf: nameSuffices(call.query) ? nameKey : levelsKey,
      rowOf: (queue) => queueView(queue, host, call.query),
      defaultSort: ["vhost", "name"],
      isSorted: true,
    });
  };
  for (const path of ["/queues", "/queues/detailed"]) {
    api.get(path, "management", (call) => listed(call, guard.visibleVhosts(call)));
  }
  api.get("/queues/:vhost", "vhost", (call) => listed(call, [vhostOf(call)]));
  api.get("/queues/:vhost/:queue", "vhost", (call) => {
    const queue = found(vhostOf(call).queues.get(call.parameter("queue")));
    return call.item(queueDetails(queue, host, call.query));
  });
  api.put("/queues/:vhost/:queue", "vhost", (call) => declare(vhostOf(call), guard, call));
  api.delete("/queues/:vhost/:queue", "vhost", (call) => remove(vhostOf(call), guard, call));
  api.delete("/queues/:vhost/:queue/contents", "vhost", (call) => {
    const vhost = vhostOf(call);
    guard.authorize(call.user, vhost, "read", call.parameter("queue"));
    usable(vhost, call).purge();
    return done;
  });
  api.post("/queues/:vhost/:queue/get", "vhost", (call) => get(vhostOf(call), guard, call));
}

/** The queues of some vhosts by name. Texts are sorted without a function to compare them: ten times as fast when there are many. */
function inOrder(vhosts: readonly Vhost[]): readonly Queue[] {
  const byName = new Map(vhosts.map(({ name, queues }) => [name, queues]));
  return [...byName.keys()].sort().flatMap((vhost) => {
    const queues = byName.get(vhost);
    return queues === undefined ? [] : [...queues.keys()].sort().flatMap((name) => queues.get(name) ?? []);
  });
}

function nameSuffices({ disable_stats: withoutStats, sort = "" }: Query): boolean {
  return withoutStats === "true" || sort === "" || sort === "name";
}

function nameKey({ vhost, name }: Queue): Row {
  return { vhost, name };
}

/** What a list of queues is mostly sorted by, without the rates that a row has besides. */
function levelsKey({ vhost, name, ready, unacked, readyBytes, unackedBytes, consumerCount }: Queue): Row {
  return {
    vhost,
    name,
    messages: ready + unacked,
    messages_ready: ready,
    messages_unacknowledged: unacked,
    message_bytes: readyBytes + unackedBytes,
    consumers: consumerCount,
  };
}

function declare(vhost: Vhost, guard: Guard, call: Call): Answer {
  const { body, user } = call;
  const name = stripLineBreaks(call.parameter("queue"));
  guard.authorize(user, vhost, "configure", name);
  const fields = queueFrom(vhost.name, name, body);
  const exists = vhost.queues.has(name);
  const deadLetterExchange = fields.arguments.get("x-dead-letter-exchange");
  if (deadLetterExchange?.type === "longstr" && !exists) {
    guard.authorize(user, vhost, "read", name);
    guard.authorize(user, vhost, "write", deadLetterExchange.value.toString());
  }
  const node = body.findText("node") ?? nodeName;
  if (node !== nodeName) throw badRequest(`no node '${node}'`);
  declareQueue(vhost, {
    name,
    ...fields,
    exclusive: false,
    owner: call,
    serverNamed: false,
  });
  return putAnswer(exists ? "replaced" : "created");
}

function remove(vhost: Vhost, guard: Guard, call: Call): Answer {
  const name = call.parameter("queue");
  guard.authorize(call.user, vhost, "configure", name);
  if (!vhost.queues.has(name)) throw notFound();
  const { query } = call;
  deleteQueue(vhost, name, call, { ifUnused: query["if-unused"] === "true", ifEmpty: query["if-empty"] === "true" });
  return done;
}

async function get(vhost: Vhost, guard: Guard, call: Call): Promise<Answer> {
  const name = call.parameter("queue");
  guard.authorize(call.user, vhost, "read", name);
  if (!vhost.queues.has(name)) throw new Refusal(404, "not_found", "queue_not_found");
  return await getMessages(usable(vhost, call), call);
}

/** The queue that the path names, which must not be exclusive to a connection. */
function usable(vhost: Vhost, call: Call): Queue {
  const queue = found(vhost.queues.get(call.parameter("queue")));
  checkExclusive(queue, call);
  return queue;
}
