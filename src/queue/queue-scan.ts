import { Message } from "../record.ts";
import type { StoredMessages } from "../store/store.ts";
import type { Queue } from "./queue.ts";
import type { Segment } from "./segment.ts";

/** Long work asks after each step whether it should let others go first. */
export interface Pauses {
  readonly isOver: boolean;
  next(): Promise<void>;
}

/** A message that a scan came by. It is ready or unacked. */
export interface FoundMessage {
  readonly segment: Segment;
  readonly index: number;
  readonly unacked: boolean;
  readonly redelivered: boolean;
  /** Milliseconds since the epoch; 0 for never. */
  readonly expiresAt: number;
  /** Points at the next message when the visit is over. */
  readonly message: Message;
}

/** Looks at a message; false ends the scan. */
export type Visit = (found: FoundMessage) => boolean;

/**
 * Goes over the messages that are in a queue when it starts, in the order of delivery. Looking changes nothing: what is
 * not in memory is read beside it and forgotten again. A scan that is to act on messages has each segment taken in, so
 * that `visit` may discard what it is shown.
 */
export class QueueScan {
  readonly #queue: Queue;
  readonly #pauses: Pauses;
  readonly #acts: boolean;
  readonly #message = new Message();

  constructor(queue: Queue, pauses: Pauses, does: "look" | "act") {
    this.#queue = queue;
    this.#pauses = pauses;
    this.#acts = does === "act";
  }

  /** Visits messages but for the first `skip`, of which the caller hears nothing. */
  async run(skip: number, visit: Visit): Promise<void> {
    let left = skip;
    const visitRest = (found: FoundMessage): boolean => (left > 0 ? left-- > 0 : visit(found));
    // What comes in behind the start, moved there by this very scan perhaps, is not part of it.
    const parts = [...this.#queue.segments()].map((segment) => ({ segment, end: endOf(segment) }));
    for (const { segment, end } of parts) {
      if (this.#queue.deleted) return;
      if (left >= segment.live) left -= segment.live;
      else if (!(await this.#visitSegment(segment, end, visitRest))) return;
    }
  }

  /** Visits the messages of one segment. */
  async runIn(segment: Segment, visit: Visit): Promise<void> {
    await this.#visitSegment(segment, endOf(segment), visit);
  }

  async #visitSegment(segment: Segment, end: number, visit: Visit): Promise<boolean> {
    let index = 0;
    while (!this.#queue.deleted && segment.live > 0) {
      if (segment.resident) {
        index = this.#visitResident(segment, index, end, visit);
        if (index === stopped) return false;
        if (index >= Math.min(end, segment.count)) break;
        await this.#pauses.next();
      } else if (this.#acts) await this.#bringIn(segment);
      else {
        const messages = await this.#peek(segment);
        if (!segment.resident) return await this.#visitRead(segment, messages, index, visit);
      }
    }
    if (this.#acts) this.#queue.letGo(segment);
    return true;
  }

  /** Visits messages until a pause is due; returns the index to go on from. */
  #visitResident(segment: Segment, from: number, end: number, visit: Visit): number {
    let index = from;
    for (; index < Math.min(end, segment.count); index++) {
      if (index > from && this.#pauses.isOver) break;
      if (!segment.isReady(index) && !segment.isUnacked(index)) continue;
      const message = this.#message.setRecord(segment.bytes(index), segment.start(index), segment.end(index));
      const found: FoundMessage = {
        segment,
        index,
        unacked: segment.isUnacked(index),
        redelivered: segment.isRedelivered(index),
        expiresAt: segment.expiresAt(index),
        message,
      };
      if (!visit(found)) return stopped;
    }
    return index;
  }

  async #visitRead(segment: Segment, messages: StoredMessages, from: number, visit: Visit): Promise<boolean> {
    const { indexes, flags, expiresAt, ends, bytes } = messages;
    for (let row = 0; row < indexes.length; row++) {
      const index = indexes[row] ?? 0;
      if (index < from) continue;
      const message = this.#message.setRecord(bytes, ends[row - 1] ?? 0, ends[row] ?? 0);
      const redelivered = segment.isRedeliveredAs(index, flags[row] ?? 0);
      const found = { segment, index, unacked: false, redelivered, expiresAt: expiresAt[row] ?? 0, message };
      if (!visit(found)) return false;
      if (this.#pauses.isOver) await this.#pauses.next();
    }
    return true;
  }

  #bringIn(segment: Segment): Promise<void> {
    return new Promise((resolve) => this.#queue.bringIn(segment, resolve));
  }

  #peek(segment: Segment): Promise<StoredMessages> {
    return new Promise((resolve) => this.#queue.peek(segment, resolve));
  }
}

const stopped = -1;

/** The index at which the messages end that are in a segment now. */
function endOf(segment: Segment): number {
  return segment.closed ? Number.POSITIVE_INFINITY : segment.count;
}
