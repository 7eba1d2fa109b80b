import { MessageHeap } from "./message-heap.ts";
import type { Segment } from "./segment.ts";

/**
 * The messages of one priority level in order: segments, a cursor behind which nothing is ready but what was put
 * back, and those put back, which come first.
 */
export class SegmentList {
  /** Messages that are ready. Those of segments not yet read count as ready too. */
  ready = 0;
  /** Where {@link seek} found the first ready message. */
  foundSegment: Segment | undefined;
  foundIndex = 0;
  #segments: Segment[] = [];
  #cursorSegment = 0;
  #cursorIndex = 0;
  readonly #requeued = new MessageHeap();

  get tail(): Segment | undefined {
    return this.#segments[this.#segments.length - 1];
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Adds a segment behind all others. */
  push(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** How many segments are between the one being read and this one; negative for one that has been read. */
  distance(segment: Segment): number {
    // Segments that matter here are near the tail.
    return this.#segments.lastIndexOf(segment) - this.#cursorSegment;
  }

  /** The segments to come after the one being read. */
  *ahead(count: number): Iterable<Segment> {
    for (let at = this.#cursorSegment + 1; at <= this.#cursorSegment + count; at++) {
      const segment = this.#segments[at];
      if (segment !== undefined) yield segment;
    }
  }

  /** Removes a segment whose messages are all settled. */
  remove(segment: Segment): void {
    const at = this.#segments.indexOf(segment);
    if (at < 0) return;
    this.#segments.splice(at, 1);
    if (at < this.#cursorSegment) this.#cursorSegment--;
    else if (at === this.#cursorSegment) this.#cursorIndex = 0;
  }

  /** Notes that message `index` is ready no more. */
  take(segment: Segment, index: number): void {
    this.ready--;
    if (this.#requeued.segment === segment && this.#requeued.index === index) this.#requeued.pop();
  }

  /** Notes that message `index`, which had been taken, is ready again. */
  putBack(segment: Segment, index: number): void {
    // What is left then are messages that went without being sought: they expired or were purged.
    if (this.ready === 0) this.#requeued.clear();
    this.#requeued.push(segment.position(index), segment, index);
    this.ready++;
  }

  /** Places that messages put back take up until they are sought. */
  get requeued(): number {
    return this.#requeued.size;
  }

  /**
   * Finds the first ready message and leaves it in `foundSegment` and `foundIndex`. "unread" says that foundSegment,
   * which holds it, must be read from the store first.
   */
  seek(): "found" | "empty" | "unread" {
    if (this.ready === 0) return "empty";
    if (this.#seekRequeued()) return "found";
    for (; this.#cursorSegment < this.#segments.length; this.#cursorSegment++, this.#cursorIndex = 0) {
      const segment = this.#segments[this.#cursorSegment];
      if (segment === undefined) break;
      this.foundSegment = segment;
      if (!segment.resident) return "unread";
      this.#cursorIndex = segment.nextReady(this.#cursorIndex);
      this.foundIndex = this.#cursorIndex;
      if (this.#cursorIndex < segment.count) return "found";
      // The tail may yet grow: the cursor waits at its end.
      if (this.#cursorSegment === this.#segments.length - 1) break;
    }
    return "empty";
  }

  #seekRequeued(): boolean {
    for (let segment = this.#requeued.segment; segment !== undefined; segment = this.#requeued.segment) {
      const index = this.#requeued.index;
      if (segment.isReady(index)) {
        this.foundSegment = segment;
        this.foundIndex = index;
        return true;
      }
      this.#requeued.pop();
    }
    return false;
  }

  /** Forgets all segments. */
  clear(): void {
    this.#segments = [];
    this.#cursorSegment = this.#cursorIndex = 0;
    this.#requeued.clear();
    this.ready = 0;
  }
}
