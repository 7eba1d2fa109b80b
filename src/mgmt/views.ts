import type { Permission, TopicPermission } from "../permissions.ts";
import type { User } from "../users.ts";
import type { Vhost } from "../vhost.ts";
import { nodeName } from "./node.ts";
import type { Row } from "./rows.ts";

/** A user, with the hash of the password as RabbitMQ shows it to administrators. */
export function userView({ name, passwordHash, hashingAlgorithm, tags }: User): Row {
  return { name, password_hash: passwordHash, hashing_algorithm: hashingAlgorithm, tags, limits: {} };
}

export function permissionView({ user, vhost, configure, write, read }: Permission): Row {
  return { user, vhost, configure, write, read };
}

export function topicPermissionView({ user, vhost, exchange, write, read }: TopicPermission): Row {
  return { user, vhost, exchange, write, read };
}

export function vhostView({ name, properties: { description, tags, defaultQueueType } }: Vhost): Row {
  const default_queue_type = defaultQueueType ?? "classic";
  return {
    name,
    description,
    tags,
    default_queue_type,
    metadata: { description, tags, default_queue_type },
    tracing: false,
    cluster_state: { [nodeName]: "running" },
  };
}
