import { sameTable } from "./field-table.ts";
import { queueText } from "./names.ts";
import { tableToPlain } from "./plain-table.ts";
import { type EffectivePolicy, withRules } from "./policies.ts";
import { parseQueueArguments, type QueueOptions, queueTypeOf } from "./queue/arguments.ts";
import type { Queue, QueueProperties } from "./queue/queue.ts";
import type { Vhost } from "./vhost.ts";

/** What a queue does, as its arguments and policies say. Throws PRECONDITION_FAILED on bad arguments. */
export function queueOptions(vhost: Vhost, queue: Pick<QueueProperties, "name" | "arguments">): QueueOptions {
  const text = queueText(queue.name, vhost.name);
  // Its own arguments must be right by themselves: policies come and go.
  const own = parseQueueArguments(queue.arguments, text);
  const { rules } = effectivePolicy(vhost, queue);
  return rules.size === 0 ? own : parseQueueArguments(withRules(queue.arguments, rules), text);
}

function effectivePolicy(vhost: Vhost, { name, arguments: args }: Pick<QueueProperties, "name" | "arguments">) {
  return vhost.host.policies.effective({ kind: "queue", vhost: vhost.name, name, type: queueTypeOf(args) });
}

/** Changes policies of a vhost, and lets its queues and exchanges follow them as they are then. */
export function changePolicies(vhost: Vhost, change: () => void): void {
  const before = vhost.host.events.isHeard ? policiesOf(vhost) : undefined;
  change();
  for (const queue of [...vhost.queues.values()]) queue.change(queueOptions(vhost, queue));
  vhost.host.topologyChanged();
  if (before !== undefined) tellOfChanges(vhost, before);
}

function policiesOf(vhost: Vhost): Map<Queue, EffectivePolicy> {
  return new Map([...vhost.queues.values()].map((queue) => [queue, effectivePolicy(vhost, queue)]));
}

/** Tells of the queues whose policies are not what they were. */
function tellOfChanges(vhost: Vhost, before: ReadonlyMap<Queue, EffectivePolicy>): void {
  for (const [queue, now] of policiesOf(vhost)) {
    const { policy, operatorPolicy, rules } = now;
    const then = before.get(queue);
    if (then === undefined || isSame(then, now)) continue;
    const isCleared = policy === undefined && operatorPolicy === undefined;
    vhost.host.events.emit(`queue.policy.${isCleared ? "cleared" : "updated"}`, () => ({
      name: queue.name,
      vhost: vhost.name,
      ...(policy !== undefined && { policy }),
      ...(operatorPolicy !== undefined && { operator_policy: operatorPolicy }),
      definition: tableToPlain(rules),
    }));
  }
}

function isSame(one: EffectivePolicy, other: EffectivePolicy): boolean {
  const { policy, operatorPolicy, rules } = one;
  return policy === other.policy && operatorPolicy === other.operatorPolicy && sameTable(rules, other.rules);
}
