import { nodeName } from "../../node-name.ts";
import { queueTypeOf } from "../../queue/arguments.ts";
import type { Api } from "../api.ts";
import { type Answer, answer, type Call, done } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found, unavailable } from "../refusal.ts";

/** `/api/queues/quorum`: each quorum queue has its one replica on the one node. */
export function quorumQueueRoutes(api: Api, host: ManagementHost): void {
  const path = "/queues/quorum/:vhost/:queue";
  api.get(`${path}/status`, "vhost", (call) => {
    checkQuorumQueue(host, call);
    return answer([{ "Node Name": nodeName, "Raft State": "leader", Membership: "voter" }]);
  });
  api.post(`${path}/replicas/add`, "administrator", (call) => {
    checkQuorumQueue(host, call);
    return present(call.body.require("node").text("node"));
  });
  api.delete(`${path}/replicas/delete`, "administrator", (call) => {
    checkQuorumQueue(host, call);
    return lastReplica(call.body.require("node").text("node"));
  });
  api.post("/queues/quorum/replicas/on/:node/grow", "administrator", (call) => present(call.parameter("node")));
  api.delete("/queues/quorum/replicas/on/:node/shrink", "administrator", (call) => lastReplica(call.parameter("node")));
}

function checkQuorumQueue({ vhosts }: ManagementHost, call: Call): void {
  const queue = found(found(vhosts.find(call.parameter("vhost"))).queues.get(call.parameter("queue")));
  if (queueTypeOf(queue.arguments) !== "quorum") throw unavailable("classic_queue_not_supported");
}

/** A replica that is to be added is there already. */
function present(node: string): Answer {
  checkNode(node);
  return done;
}

function lastReplica(node: string): never {
  checkNode(node);
  throw badRequest("last_node");
}

function checkNode(node: string): void {
  if (node !== nodeName) throw badRequest("node_not_running");
}
