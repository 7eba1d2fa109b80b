import { MessageContent } from "../message-content.ts";
import type { Queue } from "../queue/queue.ts";
import type { Segment } from "../queue/segment.ts";
import { Message } from "../record.ts";

/** Where the messages of a queue are. Bytes are those of bodies. */
export interface QueueLevels {
  /** On disk alone: only what is ready leaves the memory. */
  readonly pagedOut: number;
  readonly pagedOutBytes: number;
  /** On disk for good, in memory or not; none of a queue that is not durable. */
  readonly persistent: number;
  readonly persistentBytes: number;
}

export function levelsOf(queue: Queue): QueueLevels {
  const levels = { pagedOut: 0, pagedOutBytes: 0, persistent: 0, persistentBytes: 0 };
  for (const segment of queue.segments()) {
    levels.persistent += segment.storedCount;
    levels.persistentBytes += segment.storedBodyBytes;
    if (segment.resident) continue;
    levels.pagedOut += segment.live;
    levels.pagedOutBytes += segment.awayBodyBytes;
  }
  return levels;
}

const message = new Message();

/** The timestamp of the first message, ready or not, in seconds since the epoch; undefined when it has none or is not in memory. */
export function headTimestamp(queue: Queue): number | undefined {
  for (const segment of queue.segments()) {
    if (segment.live === 0) continue;
    return segment.resident ? timestampOf(segment, segment.nextLive(0)) : undefined;
  }
  return undefined;
}

function timestampOf(segment: Segment, index: number): number | undefined {
  message.setRecord(segment.bytes(index), segment.start(index), segment.end(index));
  const timestamp = new MessageContent(message).property("timestamp");
  return timestamp === undefined ? undefined : Number(timestamp);
}
