import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { dataFileName } from "./data-file.ts";
import type { Damage } from "./store.ts";

/** How long after the start: clients that come back are served first. */
const afterMs = 2000;

/** What a scan of the data tells. */
export interface ScanListener {
  damaged(damage: Damage): void;
  /** The scan could not go on; the broker can. */
  failed(error: Error): void;
}

/** Looks through the data of a directory once, soon after a start, in a thread of its own. */
export class DataScan {
  readonly #timer: NodeJS.Timeout;
  #worker: Worker | undefined;

  constructor(directory: string, listener: ScanListener) {
    this.#timer = setTimeout(() => this.#start(join(directory, dataFileName), listener), afterMs).unref();
  }

  #start(workerData: string, listener: ScanListener): void {
    this.#worker = new Worker(new URL("./scan-thread.js", import.meta.url), { workerData });
    this.#worker.unref();
    this.#worker.on("message", (damage: Damage) => listener.damaged(damage));
    this.#worker.on("error", (error) => listener.failed(error));
  }

  /** Ends it, wherever it is. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#worker?.terminate();
  }
}
