import { checkData, type DataReport } from "../../src/store/data-check.ts";
import { StoreError } from "../../src/store/store.ts";
import { command } from "../command.ts";
import { CommandError, exitCode } from "../command-error.ts";

/** `check`: looks for damage in a data directory on this machine, with a broker on it or without, or in a backup. */
export const checkCommand = command({
  name: "check",
  group: "Definitions and backup",
  summary: "looks for damage in a data directory on this machine or in a backup, and names the queues that it hurts",
  arguments: { "<path>": "the data directory of a broker, which may run meanwhile, or a file that backup made" },
  run: (context, { path }) => {
    context.output.banner(`Checking the data in ${path} ...`);
    const { messages, queues, damages, complaints } = readable(path);
    const lines = [
      ...damages.map(({ vhost, queue, messages: count }) => `${queueText(vhost, queue)}: ${countText(count)} damaged`),
      ...complaints,
    ];
    if (lines.length > 0) throw new CommandError(exitCode.dataError, lines.join("\n"));
    context.output.message(`${countText(messages)} and ${queues} queues are whole`);
    return Promise.resolve();
  },
});

function readable(path: string): DataReport {
  try {
    return checkData(path);
  } catch (cause) {
    throw cause instanceof StoreError ? new CommandError(exitCode.dataError, cause.message, { cause }) : cause;
  }
}

function queueText(vhost: string, queue: string): string {
  return queue === "" ? "a queue that is not known" : `queue '${queue}' in vhost '${vhost}'`;
}

function countText(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}
