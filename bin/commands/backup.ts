import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { command } from "../command.ts";
import { ArgumentError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";
import type { Progress } from "../terminal.ts";

/** `backup`: fetches the data file of a running broker, whole or not at all. */
export const backupCommand = command({
  name: "backup",
  group: "Definitions and backup",
  summary:
    "saves the data of the running broker, messages included: start a broker on it as tsbroker.db in its --data-dir",
  arguments: { "<file>": "where to; a file that is there is replaced when the new one is complete" },
  timeoutSeconds: "unlimited",
  run: async (context, { file }) => {
    checkReplaceable(file);
    context.output.banner(`Backing up ${context.api.url} to a file at "${file}" ...`);
    const partial = `${file}.partial`;
    try {
      const bytes = await save(context, partial);
      renameSync(partial, file);
      context.output.message(`Saved ${bytes} bytes`);
    } finally {
      rmSync(partial, { force: true });
    }
  },
});

/** A directory cannot be replaced by a file; a device, such as /dev/null, could be, and must not. */
function checkReplaceable(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) {
    throw new ArgumentError(`Bad argument: ${file} is there already and no regular file`, exitCode.dataError);
  }
}

/** Fetches a backup into a file, and returns its size. */
async function save({ api, terminal }: Context, file: string): Promise<number> {
  // Messages and hashes of passwords are in it, so nobody else needs to read it.
  const descriptor = openSync(file, "w", 0o600);
  let progress: Progress = terminal.progress("Copying the data at the broker", undefined);
  let written = 0;
  const sink = {
    start: (size: number | undefined) => {
      progress.end();
      progress = terminal.progress("Fetching", size);
    },
    write: (chunk: Buffer) => {
      writeWhole(descriptor, chunk);
      written += chunk.length;
      progress.update(written);
    },
  };
  try {
    await api.request("POST", "/backup", { sink });
    fsyncSync(descriptor);
  } finally {
    progress.end();
    closeSync(descriptor);
  }
  return written;
}

/** The system may take less at once than it is given. */
function writeWhole(descriptor: number, chunk: Buffer): void {
  for (let offset = 0; offset < chunk.length; ) offset += writeSync(descriptor, chunk, offset);
}
