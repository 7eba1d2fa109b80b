import { Message } from "../record.ts";
import type { Segment } from "./segment.ts";

/** A queue's time to live was one thing before, and is another since `at`; undefined for none. */
export interface TtlChange {
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly at: number;
}

const message = new Message();

/**
 * When message `index` expires after the time to live of its queue has changed, 0 for never: as if it had been what it is
 * now when the message came. A message that nothing limited says not when it came, and counts from the change.
 */
export function retimed(segment: Segment, index: number, changes: readonly TtlChange[]): number {
  const { expiration } = message.setRecord(segment.bytes(index), segment.start(index), segment.end(index));
  const own = expiration === undefined ? Number.POSITIVE_INFINITY : Number(expiration);
  let expiresAt = segment.expiresAt(index);
  for (const { before, after, at } of changes) {
    const had = Math.min(own, before ?? Number.POSITIVE_INFINITY);
    const has = Math.min(own, after ?? Number.POSITIVE_INFINITY);
    const came = had === Number.POSITIVE_INFINITY || expiresAt === 0 ? at : expiresAt - had;
    expiresAt = has === Number.POSITIVE_INFINITY ? 0 : came + has;
  }
  return expiresAt;
}

/** The earliest that a message of a segment which is not in memory can expire after these changes; 0 for never. */
export function earliestRetimed(segment: Segment, changes: readonly TtlChange[]): number {
  // One that is known to expire may do so as much sooner as the time to live has shrunk; any other after a new one.
  let earliest = segment.firstExpiresAt;
  for (const { before, after, at } of changes) {
    if (after === undefined) continue;
    const shrunk = before === undefined || earliest === 0 ? at + after : earliest - Math.max(0, before - after);
    earliest = earliest === 0 ? shrunk : Math.min(earliest, shrunk);
  }
  return earliest;
}
