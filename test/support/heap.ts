import { setTimeout as later } from "node:timers/promises";
import type { TestBroker } from "./broker.ts";
import { within } from "./wait-for.ts";

/** NODE_OPTIONS of a broker that {@link heapOf} can ask. */
export const heapProbe = `--import ${new URL("./heap-probe.mjs", import.meta.url).href}`;

/** Bytes on a broker's heap once its garbage is collected. */
export async function heapOf(broker: TestBroker): Promise<number> {
  const printed = () => [...broker.log().matchAll(/^heap \d+ (\d+)$/gm)];
  const before = printed().length;
  process.kill(broker.pid, "SIGUSR2");
  const wait = async () => {
    while (printed().length === before) await later(10);
  };
  await within(wait(), "the broker's heap", 60_000);
  return Number(printed().at(-1)?.[1]);
}
