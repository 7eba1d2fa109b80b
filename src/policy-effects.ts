import { queueText } from "./names.ts";
import { withRules } from "./policies.ts";
import { parseQueueArguments, type QueueOptions, queueTypeOf } from "./queue/arguments.ts";
import type { QueueProperties } from "./queue/queue.ts";
import type { Vhost } from "./vhost.ts";

/** What a queue does, as its arguments and policies say. Throws PRECONDITION_FAILED on bad arguments. */
export function queueOptions(vhost: Vhost, queue: Pick<QueueProperties, "name" | "arguments">): QueueOptions {
  const text = queueText(queue.name, vhost.name);
  // Its own arguments must be right by themselves: policies come and go.
  const own = parseQueueArguments(queue.arguments, text);
  const subject = { kind: "queue", vhost: vhost.name, name: queue.name, type: queueTypeOf(queue.arguments) } as const;
  const { rules } = vhost.host.policies.effective(subject);
  return rules.size === 0 ? own : parseQueueArguments(withRules(queue.arguments, rules), text);
}

/** Lets the queues and exchanges of a vhost follow its policies as they are now. */
export function applyPolicies(vhost: Vhost): void {
  for (const queue of [...vhost.queues.values()]) queue.change(queueOptions(vhost, queue));
  vhost.host.topologyChanged();
}
