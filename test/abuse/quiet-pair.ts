import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { TestBroker } from "../support/broker.ts";

/** A publisher and a consumer who do nobody any harm, and how long their messages take. */
export class QuietPair {
  readonly latencies: number[] = [];
  readonly #thread: Worker;

  constructor(broker: TestBroker) {
    this.#thread = new Worker(new URL("./quiet-thread.mjs", import.meta.url), { workerData: broker.url });
    this.#thread.on("message", (latency: number) => this.latencies.push(latency));
  }

  /** Resolves once the first message has arrived. */
  async start(): Promise<void> {
    await once(this.#thread, "message");
  }

  /** Forgets what was measured so far. */
  reset(): void {
    this.latencies.length = 0;
  }

  /** Rejects when the pair has failed. */
  async stop(): Promise<void> {
    this.#thread.postMessage("stop");
    await once(this.#thread, "exit");
  }
}
