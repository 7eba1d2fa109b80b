// Loaded into a broker (NODE_OPTIONS=--import): at SIGUSR2 it collects garbage and prints what is left on the heap.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc");
  let number = 0;
  process.on("SIGUSR2", () => {
    gc();
    gc();
    process.stdout.write(`heap ${++number} ${process.memoryUsage().heapUsed}\n`);
  });
}
