import type { ChildProcess } from "node:child_process";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Sees to it that a child does not outlive this process, however that ends; `kill` must not throw. */
export function endWithUs(child: ChildProcess, kill: () => void): void {
  // A signal would end this process without an exit event; so it is sent again, once nobody listens for it.
  const onSignal = (signal: NodeJS.Signals) => {
    kill();
    forget();
    process.kill(process.pid, signal);
  };
  const forget = () => {
    process.off("exit", kill);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.once("exit", kill);
  for (const signal of signals) process.once(signal, onSignal);
  child.once("exit", forget);
}
