import { Worker } from "node:worker_threads";
import type { CheckpointAnswer, CheckpointRequest } from "./checkpointer.ts";

/** Copies the log into the data file in a thread of its own, which is started when it is first needed. */
export class Checkpoints {
  readonly #file: string;
  readonly #done: (failure: string | undefined) => void;
  #worker: Worker | undefined;
  #isRunning = false;

  /** `done` is called after each checkpoint, with the reason when it failed. */
  constructor(file: string, done: (failure: string | undefined) => void) {
    this.#file = file;
    this.#done = done;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Starts a checkpoint; {@link isRunning} until it is done. */
  start(): void {
    this.#isRunning = true;
    this.#worker ??= this.#newWorker();
    this.#ask(this.#worker, "checkpoint");
  }

  #newWorker(): Worker {
    const worker = new Worker(new URL("./checkpointer.js", import.meta.url), { workerData: this.#file });
    worker.on("message", ({ failure }: CheckpointAnswer) => this.#ended(failure));
    worker.on("error", (error) => {
      this.#worker = undefined;
      this.#ended(error.message);
    });
    return worker;
  }

  #ask(worker: Worker, request: CheckpointRequest): void {
    worker.postMessage(request);
  }

  #ended(failure: string | undefined): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#done(failure);
  }

  /** Calls `closed` once the thread has let go of the data file. */
  close(closed: () => void): void {
    const worker = this.#worker;
    if (worker === undefined) return closed();
    worker.once("exit", closed);
    this.#ask(worker, "close");
  }
}
