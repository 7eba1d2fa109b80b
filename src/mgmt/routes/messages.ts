import type { Queue } from "../../queue/queue.ts";
import { checkExclusive } from "../../topology.ts";
import type { Vhost } from "../../vhost.ts";
import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { browseMessages } from "../browse-messages.ts";
import { type Call, done } from "../call.ts";
import { deleteMessage, deleteMessages, Mover, moveMessage, moveMessages } from "../change-messages.ts";
import type { ManagementHost } from "../host.ts";
import { found } from "../refusal.ts";
import { type ReplayTargets, replayMessages } from "../replay-messages.ts";

/** `/api/queues/:vhost/:queue/messages`, which RabbitMQ does not have: look into a queue, delete, move and replay messages. */
export function messageRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  const path = "/queues/:vhost/:queue/messages";
  const vhostOf = (call: Call): Vhost => found(host.vhosts.find(call.parameter("vhost")));
  const readable = (call: Call): Queue => {
    guard.authorize(call.user, vhostOf(call), "read", call.parameter("queue"));
    const queue = found(vhostOf(call).queues.get(call.parameter("queue")));
    checkExclusive(queue, call);
    return queue;
  };
  const moverFor = (call: Call): Mover => Mover.from(host, guard, vhostOf(call), call);
  api.get(path, "vhost", (call) => browseMessages(readable(call), call));
  api.delete(path, "vhost", (call) => deleteMessages(readable(call), call));
  api.delete(`${path}/:id`, "vhost", async (call) => {
    await deleteMessage(readable(call), call.parameter("id"));
    return done;
  });
  api.post(`${path}/move`, "vhost", (call) => {
    const queue = readable(call);
    return moveMessages(moverFor(call), queue, call);
  });
  api.post(`${path}/replay`, "vhost", (call) => {
    const vhost = vhostOf(call);
    const targets: ReplayTargets = {
      has: (name) => vhost.queues.has(name),
      moverTo: (name) => Mover.to(host, guard, vhost, call.user, { exchange: "", routingKey: name }),
    };
    return replayMessages(targets, readable(call), call);
  });
  api.post(`${path}/:id/move`, "vhost", (call) => {
    const queue = readable(call);
    return moveMessage(moverFor(call), queue, call.parameter("id"));
  });
}
