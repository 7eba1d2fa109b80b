import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: unknown;

/**
 * Has V8 collect this thread's garbage here and now. It gives its collector to whoever asks for it by a flag; that is done when it is
 * first needed, since the next thread that starts takes 30 ms longer after a flag has changed.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc");
  }
  if (typeof collect === "function") collect();
}
