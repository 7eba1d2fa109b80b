import { Worker } from "node:worker_threads";

/**
 * Starts the thread that will own the data in a directory, and opens it when it is asked to. Node 20 cannot run TypeScript
 * in a thread, so this works in the built tree only.
 */
export function startWriter(directory: string): Worker {
  return new Worker(new URL("./writer.js", import.meta.url), { workerData: directory });
}
