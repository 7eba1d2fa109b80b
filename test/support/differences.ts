import type { TestContext } from "vitest";
import { parity } from "./broker.ts";

/**
 * Where this broker means to answer otherwise than the RabbitMQ 3.10 the parity run compares it with: it follows
 * RabbitMQ 4.x, or is kinder on purpose. A test of such a behaviour names its line here and stays out of that run.
 */
export const differences = {
  "live prefetch": "basic.qos also resizes the channel's consumers that are there already",
  "headers with x": "x-match takes all-with-x and any-with-x",
} as const;

export type Difference = keyof typeof differences;

/** Leaves the test out of a parity run, saying which difference it is about. */
export function differs(context: TestContext, difference: Difference): void {
  context.skip(parity, `RabbitMQ 3.10 differs: ${differences[difference]}`);
}
