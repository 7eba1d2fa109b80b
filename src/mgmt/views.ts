import type { Limits } from "../limits.ts";
import type { Metrics } from "../metrics.ts";
import { nodeName } from "../node-name.ts";
import type { Permission, TopicPermission } from "../permissions.ts";
import { tableToPlain } from "../plain-table.ts";
import type { Policy } from "../policies.ts";
import type { User } from "../users.ts";
import type { Vhost } from "../vhost.ts";
import type { Query } from "./paging.ts";
import type { Row } from "./rows.ts";
import { lengthRow, trafficRow, vhostStats } from "./stats.ts";

/** A user, with the hash of the password as RabbitMQ shows it to administrators. */
export function userView({ name, passwordHash, hashingAlgorithm, tags }: User, limits: Limits): Row {
  return {
    name,
    password_hash: passwordHash,
    hashing_algorithm: hashingAlgorithm,
    tags,
    limits: Object.fromEntries(limits.of("user", name)),
  };
}

export function policyView({ vhost, name, pattern, applyTo, priority, rules }: Policy): Row {
  return { vhost, name, pattern, "apply-to": applyTo, definition: tableToPlain(rules), priority };
}

export function permissionView({ user, vhost, configure, write, read }: Permission): Row {
  return { user, vhost, configure, write, read };
}

export function topicPermissionView({ user, vhost, exchange, write, read }: TopicPermission): Row {
  return { user, vhost, exchange, write, read };
}

/** A vhost with its messages, unless the query says that these are of no interest. */
export function vhostView(vhost: Vhost, metrics: Metrics, query: Query): Row {
  const { description, tags, defaultQueueType, protectedFromDeletion } = vhost.properties;
  const default_queue_type = defaultQueueType ?? "classic";
  const measured = query["disable_stats"] === "true" ? undefined : metrics.ofVhosts([vhost]);
  return {
    name: vhost.name,
    description,
    tags,
    default_queue_type,
    metadata: { description, tags, default_queue_type },
    tracing: vhost.firehose.isOn,
    protected_from_deletion: protectedFromDeletion,
    cluster_state: { [nodeName]: "running" },
    ...(measured !== undefined && {
      ...lengthRow(measured, query),
      ...vhostStats(measured, query),
      ...trafficRow(metrics.trafficOf(vhost), query),
    }),
  };
}
