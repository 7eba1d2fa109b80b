import { findLogLevel, logAreas, logLevels } from "../../src/log-levels.ts";
import { command, text } from "../command.ts";
import { CommandError, exitCode } from "../command-error.ts";
import { path } from "../management-client.ts";

/** One argument, or a word and an argument behind it, as rabbitmqctl takes them. */
function limitOf(word: string, value: string | undefined, words: Readonly<Record<string, "part" | "size">>): string {
  if (value === undefined) return word;
  const kind = words[word];
  if (kind === undefined) throw new CommandError(exitCode.usage, `'${word}' is not ${Object.keys(words).join(" or ")}`);
  return kind === "part" && !value.includes(".") ? `${value}.0` : value;
}

const setMemoryWatermark = command({
  name: "set_vm_memory_high_watermark",
  group: "Node",
  summary: "sets the memory beyond which publishers are blocked, until the next start",
  arguments: {
    "<fraction>": "a part of the memory such as 0.4, or the word absolute",
    "[value]": "behind absolute, a size such as 2GB",
  },
  run: async (context, { fraction, value }) => {
    const node = await context.node();
    const given = limitOf(fraction, value, { absolute: "size" });
    const limit = value === undefined && /^\d$/.test(given) ? `${given}.0` : given;
    context.output.banner(`Setting memory threshold on ${node} to ${limit} ...`);
    await context.api.put(path`/nodes/${node}/vm_memory_high_watermark`, { limit });
  },
});

const setDiskFreeLimit = command({
  name: "set_disk_free_limit",
  group: "Node",
  summary: "sets the free space on disk below which publishers are blocked, until the next start",
  arguments: {
    "<disk_limit>": "a size such as 2GB, or the word mem_relative",
    "[fraction]": "behind mem_relative, a part of the memory such as 1.5",
  },
  run: async (context, { disk_limit, fraction }) => {
    const node = await context.node();
    const limit = limitOf(disk_limit, fraction, { mem_relative: "part" });
    context.output.banner(`Setting disk free limit on ${node} to ${limit} ...`);
    await context.api.put(path`/nodes/${node}/disk_free_limit`, { limit });
  },
});

const drain = command({
  name: "drain",
  group: "Node",
  summary: "lets no new clients in, cancels consumers, and closes connections once they have settled what they hold",
  options: { wait: text("--wait-ms <ms>", "how long clients have for that; 30000 unless given") },
  timeoutSeconds: "unlimited",
  run: async (context, _, { wait }) => {
    const node = await context.node();
    context.output.banner(
      `Will put node ${node} into maintenance mode. The node will no longer serve any client traffic!`,
    );
    const timeout = wait === undefined ? {} : { timeout: Number(wait) };
    await context.api.put(path`/nodes/${node}/drain`, timeout);
  },
});

const revive = command({
  name: "revive",
  group: "Node",
  summary: "lets clients in again after drain",
  run: async (context) => {
    const node = await context.node();
    context.output.banner(`Will revive node ${node} from its maintenance mode. The node will resume client traffic`);
    await context.api.delete(path`/nodes/${node}/drain`);
  },
});

const reload = command({
  name: "reload",
  group: "Node",
  summary: "has the configuration and the certificates read again",
  run: async (context) => {
    const node = await context.node();
    context.output.banner(`Reloading the configuration of node ${node} ...`);
    await context.api.put(path`/nodes/${node}/reload`, {});
  },
});

const setLogLevel = command({
  name: "set_log_level",
  group: "Node",
  summary: "sets the level of the log, or of one area of it, until the next start",
  arguments: { "<log_level>": `one of ${logLevels.join(", ")}, or RabbitMQ's name for one` },
  options: { area: text("--area <area>", `one of ${logAreas.join(", ")}; all of them unless given`) },
  run: async (context, { log_level: level }, { area }) => {
    const node = await context.node();
    if (findLogLevel(level) === undefined) {
      const known = "debug, info, warning, error, critical, none";
      throw new CommandError(exitCode.unavailable, `level ${level} is not supported. Try one of ${known}`);
    }
    context.output.banner(`Setting log level to "${level}" ...`);
    await context.api.put(path`/nodes/${node}/log-levels`, { level, ...(area !== undefined && { area }) });
  },
});

/** The commands that change how a node is while it runs. */
export const nodeStateCommands = [setMemoryWatermark, setDiskFreeLimit, drain, revive, reload, setLogLevel];
