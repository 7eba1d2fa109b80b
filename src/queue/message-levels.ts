import type { Segment } from "./segment.ts";
import { SegmentList } from "./segment-list.ts";

/** How a queue's levels come by segments. */
export interface SegmentSource {
  /** A new segment of this priority level. */
  newSegment(level: number): Segment;
  /** A segment is full, and the one behind it is begun. */
  segmentFull(segment: Segment, level: SegmentList): void;
}

/** The messages of a queue by priority level, the highest first: a list of segments each, made when it is needed. */
export class MessageLevels {
  readonly #source: SegmentSource;
  readonly #levels: (SegmentList | undefined)[] = [];

  constructor(source: SegmentSource) {
    this.#source = source;
  }

  /** The level of this priority. */
  of(priority: number): SegmentList {
    this.#levels[priority] ??= new SegmentList();
    return this.#levels[priority];
  }

  /** The level whose turn it is: the highest with messages that are ready. */
  get first(): SegmentList | undefined {
    for (let at = this.#levels.length - 1; at >= 0; at--) {
      const level = this.#levels[at];
      if (level !== undefined && level.ready > 0) return level;
    }
    return undefined;
  }

  /** All segments, in the order in which their messages are delivered. */
  *segments(): Iterable<Segment> {
    for (let at = this.#levels.length - 1; at >= 0; at--) yield* this.#levels[at]?.segments ?? [];
  }

  /** The segment that the next message of this priority is added to. */
  tail(priority: number): Segment {
    const level = this.of(priority);
    const { tail } = level;
    if (tail !== undefined && !tail.closed) return tail;
    const segment = this.#source.newSegment(priority);
    if (tail !== undefined) {
      segment.expectLike(tail);
      this.dropIfGone(tail);
    }
    level.push(segment);
    if (tail !== undefined) this.#source.segmentFull(tail, level);
    return segment;
  }

  /**
   * Lets go of a segment to which nothing will be added, once all of its messages are settled. One with messages that could
   * not be read stays, without its memory, for a purge to find it.
   */
  dropIfGone(segment: Segment): void {
    if (!segment.closed || segment.live > 0) return;
    if (!segment.hasUnread) this.of(segment.level).remove(segment);
    segment.mark();
    segment.free();
  }

  /** Nothing is ready any more. */
  noneReady(): void {
    for (const level of this.#levels) if (level !== undefined) level.ready = 0;
  }

  /** Forgets all segments. */
  clear(): void {
    for (const level of this.#levels) level?.clear();
  }
}
