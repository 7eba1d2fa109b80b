import { type CommandSpec, command, flag, text } from "../command.ts";
import { CommandError, exitCode } from "../command-error.ts";
import { on, path } from "../management-client.ts";

/** Commands that ask for what is so already: scripts for RabbitMQ call them, and they succeed. */
const satisfied: readonly CommandSpec[] = [
  command({
    name: "start_app",
    group: "Node",
    summary: "does nothing: the broker that answers has started",
    run: async (context) => context.output.banner(`Starting node ${await context.node()} ...`),
  }),
  command({
    name: "force_gc",
    group: "Node",
    summary: "does nothing: Node.js decides when to collect garbage",
    run: async (context) =>
      context.output.message(`Node ${await context.node()} collects garbage when it has to; there is nothing to do`),
  }),
  command({
    name: "activate_free_disk_space_monitoring",
    group: "Node",
    summary: "does nothing: the free space is always watched",
    run: async (context) =>
      context.output.message(`Node ${await context.node()} watches its free disk space; there is nothing to do`),
  }),
  command({
    name: "enable_feature_flag",
    group: "Node",
    summary: "does nothing: every feature is always on",
    words: ["all"],
    arguments: { "<flag>": "all, or the name of a flag" },
    options: {
      optIn: flag("--opt-in", "accepted for RabbitMQ's sake"),
      experimental: flag("--experimental", "likewise"),
    },
    run: async (context, args) => {
      context.output.banner(
        `Enabling ${args.flag === "all" ? "all feature flags" : `feature flag "${args.flag}"`} ...`,
      );
      if (args.flag === "all") return;
      const text = `This feature flag is not supported by node ${await context.node()}`;
      await context.api
        .put(path`/feature-flags/${args.flag}/enable`, {})
        .catch(on(400, (cause) => new CommandError(exitCode.usage, text, { cause })));
    },
  }),
  command({
    name: "rebalance",
    group: "Node",
    summary: "does nothing: all queues are on the one node",
    arguments: { "<type>": "all, quorum or stream" },
    options: {
      vhosts: text("--vhost-pattern <pattern>", "accepted for RabbitMQ's sake"),
      queues: text("--queue-pattern <pattern>", "accepted for RabbitMQ's sake"),
    },
    run: ({ output }) => {
      output.banner("Rebalancing leaders of replicated queues ...");
      output.table({ columns: ["Node name", "Number of quorum queue leaders"], rows: [] }, "pretty_table");
    },
  }),
  command({
    name: "await_online_quorum_plus_one",
    group: "Node",
    summary: "does nothing: the one node is all that any queue waits for",
    timeoutSeconds: "unlimited",
    run: async (context) =>
      context.output.banner(
        `Will wait for a quorum + 1 of nodes to be online for all quorum queues and streams on node ${await context.node()} ...`,
      ),
  }),
  command({
    name: "await_online_synchronized_mirror",
    group: "Node",
    summary: "does nothing: there are no mirrored queues",
    timeoutSeconds: "unlimited",
    run: async (context) =>
      context.output.banner(
        `Will wait for a synchronised mirror to be online for all classic mirrored queues on node ${await context.node()} ...`,
      ),
  }),
  command({
    name: "post_upgrade",
    group: "Node",
    summary: "does nothing: there is no leader to move after an upgrade",
    run: ({ output }) => output.banner("Executing post upgrade checks..."),
  }),
  command({
    name: "reconcile_vhosts",
    group: "Node",
    summary: "does nothing: there is no other node that a virtual host could be missing on",
    run: ({ output }) => output.banner("Will try to initialise all virtual hosts on all reachable cluster nodes"),
  }),
  command({
    name: "check_if_any_deprecated_features_are_used",
    group: "Status and health checks",
    summary: "succeeds: no feature is deprecated",
    run: ({ output }) => output.message("No deprecated features are used"),
  }),
  command({
    name: "check_if_cluster_has_classic_queue_mirroring_policy",
    group: "Status and health checks",
    summary: "succeeds: policies for mirrored queues have no effect",
    run: ({ output }) => output.message("There are no mirrored queues, whatever policies say"),
  }),
  command({
    name: "hipe_compile",
    group: "Node",
    summary: "does nothing, as in RabbitMQ",
    arguments: { "[directory]": "accepted for RabbitMQ's sake" },
    run: ({ output }) => output.message("This command is a no-op: there is no HiPE"),
  }),
];

interface Impossible {
  readonly name: string;
  readonly code: (typeof exitCode)[keyof typeof exitCode];
  readonly why: string;
}

const oneNode = "tsbroker is always a single node";
const noErlang = "tsbroker runs no Erlang";
const stopIt = "the HTTP API cannot stop the broker: send its process SIGTERM (systemctl stop, docker stop, kill)";
const noMirrors = "there are no mirrored queues";

/** Commands of RabbitMQ that cannot be here, the code that RabbitMQ's own ends with, and what to do instead. */
const impossible: readonly Impossible[] = [
  ...["join_cluster", "change_cluster_node_type", "update_cluster_nodes", "reset", "force_reset"].map((name) => ({
    name,
    code: exitCode.usage,
    why: `${oneNode}; to start afresh, stop it and give it an empty --data-dir`,
  })),
  ...["forget_cluster_node", "rename_cluster_node", "force_boot"].map((name) => ({
    name,
    code: exitCode.unavailable,
    why: oneNode,
  })),
  ...["stop", "stop_app", "shutdown"].map((name) => ({ name, code: exitCode.unavailable, why: stopIt })),
  ...["eval", "eval_file", "exec", "remote_shell", "observer", "list_ciphers", "list_hashes"].map((name) => ({
    name,
    code: exitCode.unavailable,
    why: noErlang,
  })),
  ...["encode", "decode", "encrypt_conf_value", "decrypt_conf_value"].map((name) => ({
    name,
    code: exitCode.unavailable,
    why: "its configuration has no encrypted values: give secrets as environment variables or files",
  })),
  ...["sync_queue", "cancel_sync_queue", "remove_classic_queue_mirroring_from_policies"].map((name) => ({
    name,
    code: exitCode.unavailable,
    why: noMirrors,
  })),
  ...["shovel_status", "restart_shovel", "delete_shovel", "federation_status", "restart_federation_link"].map(
    (name) => ({
      name,
      code: exitCode.unavailable,
      why: "there are no shovels and no federation",
    }),
  ),
  {
    name: "deactivate_free_disk_space_monitoring",
    code: exitCode.unavailable,
    why: "the free space is always watched; set_disk_free_limit 0 lets all of it be used",
  },
  ...["suspend_listeners", "resume_listeners"].map((name) => ({
    name,
    code: exitCode.unavailable,
    why: "the HTTP API cannot suspend listeners; close_all_connections closes what is connected",
  })),
  {
    name: "rotate_logs",
    code: exitCode.unavailable,
    why: "This command does not rotate logs anymore [deprecated]: rename the log's file, and SIGHUP has it opened again",
  },
  { name: "schema_info", code: exitCode.unavailable, why: "there is no Mnesia" },
];

function refusal({ name, code, why }: Impossible): CommandSpec {
  return command({
    name,
    group: "Node",
    summary: `not here: ${why}`,
    arguments: { "[argument...]": "whatever RabbitMQ's takes" },
    options: {
      offline: flag("--offline", "as in RabbitMQ"),
      wait: flag("--wait", "as in RabbitMQ"),
      idempotent: flag("--idempotent", "as in RabbitMQ"),
      disc: flag("--disc", "as in RabbitMQ"),
      ram: flag("--ram", "as in RabbitMQ"),
      pid: text("--pid <pid>", "as in RabbitMQ"),
    },
    isHidden: true,
    run: () => {
      throw new CommandError(code, `${name} is not possible here: ${why}`);
    },
  });
}

/** The commands of RabbitMQ that have nothing to do here. */
export const nothingToDoCommands = [...satisfied, ...impossible.map(refusal)];
