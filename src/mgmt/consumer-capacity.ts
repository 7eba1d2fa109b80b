import type { Queue } from "../queue/queue.ts";

/**
 * Whether the consumers of a queue could take a message now, 1 or 0. RabbitMQ tells for what part of the time they could.
 * Messages that are ready while there are consumers are more than these can take.
 */
export function consumerCapacity({ consumerCount, ready }: Queue): number {
  return consumerCount > 0 && ready === 0 ? 1 : 0;
}
