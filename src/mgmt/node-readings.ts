import { readdir, readFile, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";

/** What the system tells of this process and its disk; undefined where it does not. */
export interface NodeReadings {
  readonly diskFree: number | undefined;
  readonly limits: LimitedReadings | undefined;
  readonly contextSwitches: number;
}

/** What the system limits. */
export interface LimitedReadings {
  /** Open file descriptors, of which sockets are some. */
  readonly files: number;
  readonly filesMax: number;
  /** Threads, which are what comes nearest to processes. */
  readonly threads: number;
  readonly threadsMax: number;
}

/** Looks at this process, and at the disk of the data directory, or that of temporary files where there is none. */
export async function readNode(dataDir: string | undefined): Promise<NodeReadings> {
  const { voluntaryContextSwitches, involuntaryContextSwitches } = process.resourceUsage();
  return {
    diskFree: await diskFree(dataDir ?? tmpdir()),
    limits: await limited(),
    contextSwitches: voluntaryContextSwitches + involuntaryContextSwitches,
  };
}

/** What is free where the data is. */
async function diskFree(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** On systems that tell of it in files. */
async function limited(): Promise<LimitedReadings | undefined> {
  try {
    const limits = await readFile("/proc/self/limits", "utf8");
    return {
      files: (await readdir("/proc/self/fd")).length,
      filesMax: softLimit(limits, "Max open files"),
      threads: (await readdir("/proc/self/task")).length,
      threadsMax: softLimit(limits, "Max processes"),
    };
  } catch {
    return undefined;
  }
}

/** One that is unlimited is as large as a number can be. */
function softLimit(limits: string, name: string): number {
  const [, value] = new RegExp(`^${name}\\s+(\\d+)`, "m").exec(limits) ?? [];
  return value === undefined ? Number.MAX_SAFE_INTEGER : Number(value);
}
