import type { TestContext } from "vitest";
import { parity } from "./broker.ts";

/**
 * Where this broker means to answer otherwise than the RabbitMQ 3.10 the parity run compares it with: it follows
 * RabbitMQ 4.x, or is kinder on purpose. A test of such a behaviour names its line here and stays out of that run.
 */
export const differences = {
  "live prefetch": "basic.qos also resizes the channel's consumers that are there already",
  "expiry behind the head": "a message expires in time wherever it stands in its queue",
  "last death": "dead letters carry x-last-death headers",
  tuning: "a tune-ok out of bounds is refused in words; 3.10 is silent for a while and closes the socket",
  "unknown exchange type": "an unknown exchange type costs the channel (406), not the connection (503)",
  "body size": "a body larger than its header says is refused at once, and so is a header that says too much",
  "reply text": "a long reply text is cut between characters, not within one",
  "nack is no failure": "as in 4.3, basic.nack puts a quorum queue's message back without counting that as a failure",
  "delivery limit": "quorum queues have one of 20, as in 4.x, and classic queues may have one",
  "quorum priorities": "quorum queues have priorities, as in 4.3",
  "delayed retry": "quorum queues can delay retries, as in 4.3",
  "reply-to binding": "amq.rabbitmq.reply-to cannot be bound or unbound, as in 4.3",
  "name prefix": "x-name-prefix, as in 4.3",
} as const;

export type Difference = keyof typeof differences;

/** The difference of this name, for programs that can only spell it. */
export function findDifference(name: string): Difference {
  if (!isDifference(name)) throw new Error(`no difference is called '${name}'`);
  return name;
}

function isDifference(name: string): name is Difference {
  return name in differences;
}

/** Leaves the test out of a parity run, saying which difference it is about. */
export function differs(context: TestContext, difference: Difference): void {
  context.skip(parity, `RabbitMQ 3.10 differs: ${differences[difference]}`);
}
