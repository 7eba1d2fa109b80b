import type { Row } from "./rows.ts";

/** What RabbitMQ has flags for and this broker does, always: those that name parts of a cluster or Erlang are not here. */
const flags: Readonly<Record<string, string>> = {
  detailed_queues_endpoint: "Add a detailed queues HTTP API endpoint",
  drop_unroutable_metric: "Count unroutable publishes to be dropped in stats",
  empty_basic_get_metric: "Count AMQP `basic.get` on empty queues in stats",
  implicit_default_bindings: "Default bindings are now implicit, instead of being stored in the database",
  maintenance_mode_status: "Maintenance mode status",
  quorum_queue: "Support queues of type `quorum`",
  user_limits: "Configure connection and channel limits for a user",
  virtual_host_metadata: "Virtual host metadata (description, tags, etc)",
};

/** Feature flags as RabbitMQ lists them: all on, and none can be off. */
export const featureFlagRows: readonly Row[] = Object.entries(flags).map(([name, desc]) => ({
  name,
  desc,
  doc_url: "",
  state: "enabled",
  stability: "required",
  provided_by: "rabbit",
}));

/** Whether there is a flag of this name. */
export function isFeatureFlag(name: string): boolean {
  return Object.hasOwn(flags, name);
}
