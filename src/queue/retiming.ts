import { Message } from "../record.ts";
import type { Segment } from "./segment.ts";

const message = new Message();

/**
 * When message `index` expires once the time to live of its queue has changed, 0 for never: as if it had been that when
 * the message came. A message that nothing limited says not when it came, and counts from now.
 */
export function retimed(
  segment: Segment,
  index: number,
  before: number | undefined,
  after: number | undefined,
  now: number,
): number {
  const { expiration } = message.setRecord(segment.bytes(index), segment.start(index), segment.end(index));
  const own = expiration === undefined ? Number.POSITIVE_INFINITY : Number(expiration);
  const had = Math.min(own, before ?? Number.POSITIVE_INFINITY);
  const has = Math.min(own, after ?? Number.POSITIVE_INFINITY);
  if (has === Number.POSITIVE_INFINITY) return 0;
  return has + (had === Number.POSITIVE_INFINITY ? now : segment.expiresAt(index) - had);
}

/** The earliest that a message of a segment which is not in memory can expire after such a change. */
export function earliestRetimed(
  segment: Segment,
  before: number | undefined,
  after: number | undefined,
  now: number,
): number {
  if (after === undefined) return segment.firstExpiresAt;
  if (before === undefined) return now + after;
  return Math.min(segment.firstExpiresAt, segment.firstExpiresAt - before + after);
}
