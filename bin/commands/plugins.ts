import { command, flag } from "../command.ts";
import { CommandError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";

/** Plugins of RabbitMQ whose work the broker does by itself: they are always enabled. */
const explicit = ["rabbitmq_management"];
/** Those that are listed as if others had brought them, so that nobody tries to disable what they did not enable. */
const implicit = [
  "rabbitmq_consistent_hash_exchange",
  "rabbitmq_delayed_message_exchange",
  "rabbitmq_management_agent",
  "rabbitmq_random_exchange",
  "rabbitmq_recent_history_exchange",
];
const builtIn = [...explicit, ...implicit];

const options = {
  online: flag("--online", "accepted for RabbitMQ's sake"),
  offline: flag("--offline", "accepted for RabbitMQ's sake"),
  all: flag("--all", "all of them"),
};

const list = command({
  name: "list",
  group: "Node",
  summary: "lists plugins: those whose work the broker does by itself",
  arguments: { "[pattern]": "regular expression of their names" },
  options: {
    enabled: flag("-E, --enabled", "only those that were enabled by name"),
    implicitly: flag("-e, --implicitly-enabled", "those that came with others too: all"),
    minimal: flag("-m, --minimal", "only their names"),
    verbose: flag("-v, --verbose", "accepted for RabbitMQ's sake"),
  },
  run: ({ output }, { pattern = ".*" }, { minimal, enabled }) => {
    output.banner(`Listing plugins with pattern "${pattern}" ...`);
    const found = (enabled ? explicit : builtIn).filter((name) => new RegExp(pattern).test(name));
    const mark = (name: string) => (minimal ? "" : explicit.includes(name) ? "[E*] " : "[e*] ");
    const text = found.map((name) => `${mark(name)}${name}\n`).join("");
    output.document(text, { plugins: found.map((name) => ({ name, enabled: "enabled", running: true })) });
  },
});

function enabling(name: string, summary: string) {
  return command({
    name,
    group: "Node",
    summary,
    arguments: { "[plugin...]": "names of plugins" },
    options,
    run: (context, { plugin }) => {
      const unknown = plugin.filter((given) => !builtIn.includes(given));
      if (unknown.length > 0) throw unknownPlugins(unknown);
      report(context, plugin);
    },
  });
}

const disable = command({
  name: "disable",
  group: "Node",
  summary: "does nothing: what is built in stays",
  arguments: { "[plugin...]": "names of plugins" },
  options,
  run: ({ output }, { plugin }, { all }) => {
    const on = all ? builtIn : plugin.filter((given) => builtIn.includes(given));
    output.message(on.length === 0 ? "Nothing to disable" : `${on.join(", ")}: built in, and stays enabled`);
  },
});

const isEnabled = command({
  name: "is_enabled",
  group: "Node",
  summary: "fails unless the plugins are enabled",
  arguments: { "<plugin...>": "names of plugins" },
  options,
  run: ({ output }, { plugin }) => {
    const unknown = plugin.filter((given) => !builtIn.includes(given));
    if (unknown.length > 0) throw new CommandError(exitCode.unavailable, `${unknown.join(", ")}: not enabled`);
    output.message(`${plugin.join(", ")}: enabled`);
  },
});

function report({ output }: Context, plugins: readonly string[]): void {
  output.message(`Nothing to change for ${plugins.join(", ")}: what the broker can do is always enabled`);
}

function unknownPlugins(names: readonly string[]): CommandError {
  return new CommandError(exitCode.software, `{:plugins_not_found, [${names.map((name) => `:${name}`).join(", ")}]}`);
}

/** The commands of rabbitmq-plugins. */
export const pluginCommands = [
  list,
  enabling("enable", "succeeds for what is built in"),
  enabling("set", "succeeds for what is built in"),
  disable,
  isEnabled,
];
