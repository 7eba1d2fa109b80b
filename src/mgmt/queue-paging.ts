import type { Queue } from "../queue/queue.ts";

/** How many messages are on disk alone: only what is ready leaves the memory. */
export function pagedOutOf(queue: Queue): number {
  let count = 0;
  for (const segment of queue.segments()) if (!segment.resident) count += segment.live;
  return count;
}
