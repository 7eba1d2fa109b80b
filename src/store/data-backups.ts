import { once } from "node:events";
import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { dataFileName } from "./data-file.ts";
import { type Backup, type Backups, StoreError } from "./store.ts";

/** How long a backup waits for another: one that has been fetched is about to be removed. */
const waitMsMax = 2000;
const lookEveryMs = 20;

/** What the thread that copies is given: paths of files. */
export interface BackupJob {
  readonly from: string;
  readonly to: string;
}

/**
 * Copies of the data file, one at a time, in a folder beside it. A thread of its own copies a snapshot, so commits do not
 * wait for it; only the log grows until it is done.
 */
export class DataBackups implements Backups {
  readonly #directory: string;
  readonly #folder: string;
  #isBusy = false;

  /** Of the data in a directory. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#folder = join(directory, "backups");
  }

  async make(): Promise<Backup> {
    await this.#otherDone();
    this.#isBusy = true;
    try {
      return await this.#make();
    } catch (error) {
      await this.#remove();
      if (error instanceof StoreError) throw error;
      throw new StoreError(`no backup could be made: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  async #otherDone(): Promise<void> {
    const until = performance.now() + waitMsMax;
    while (this.#isBusy) {
      if (performance.now() > until) throw new StoreError("a backup is being made already");
      await delay(lookEveryMs);
    }
  }

  async #make(): Promise<Backup> {
    // What a crash has left there is of no use.
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { mode: 0o700 });
    await this.#checkRoom();
    const file = join(this.#folder, dataFileName);
    await copy({ from: join(this.#directory, dataFileName), to: file });
    return { file, size: await sizeOf(file), remove: () => this.#remove() };
  }

  /** On a disk that a backup has filled no message would be safe. */
  async #checkRoom(): Promise<void> {
    const file = join(this.#directory, dataFileName);
    const needed = (await sizeOf(file)) + (await sizeOf(`${file}-wal`));
    const { bavail, bsize } = await statfs(this.#directory);
    if (bavail * bsize > needed) return;
    throw new StoreError(`a backup needs ${needed} bytes of disk, and ${bavail * bsize} are free`);
  }

  async #remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    this.#isBusy = false;
  }
}

async function copy(workerData: BackupJob): Promise<void> {
  const worker = new Worker(new URL("./backup-thread.js", import.meta.url), { workerData });
  // An error of the thread is an "error" event, which rejects.
  await once(worker, "exit");
}

async function sizeOf(file: string): Promise<number> {
  const { size } = await stat(file);
  return size;
}
