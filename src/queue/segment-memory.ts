/** What the segments of all queues take of memory together, and how much that should be. */
export class SegmentMemory {
  /** Bytes of record buffers. */
  used = 0;
  /** Beyond this, segments that are not needed soon leave memory. */
  readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get isFull(): boolean {
    return this.used > this.max;
  }
}
