import type { Pages } from "../store/pages.ts";
import type { Store, StoredMessages } from "../store/store.ts";
import type { QueueCounters } from "./queue-counters.ts";
import type { Segment } from "./segment.ts";
import { newImage, readImage, recycleImage } from "./segment-image.ts";
import type { SegmentList } from "./segment-list.ts";

/** Segments after the one being read that are kept in memory, and read back ahead of need. */
const segmentsAhead = 2;

/** A queue as far as its segments come and go. */
export interface PagedQueue {
  readonly deleted: boolean;
  /** Whether its persistent messages are in the store. */
  readonly stored: boolean;
  readonly counters: Pick<QueueCounters, "diskReads" | "diskWrites">;
  /** A segment has left memory. */
  segmentLeft(segment: Segment): void;
  /** A segment is in memory again; `missing` of its messages are not, with so many bytes of bodies. */
  segmentRead(segment: Segment, missing: number, missingBytes: number): void;
  /** Messages that were to outlive nothing could not be read back. */
  segmentLost(count: number, error: Error): void;
}

/** Moves segments of a queue out of memory when their turn is far off, and back ahead of it. */
export class Paging {
  readonly #queue: PagedQueue;
  readonly #store: Store;
  /** Undefined when segments stay in memory. */
  readonly #pages: Pages | undefined;
  readonly #reading = new Set<Segment>();
  readonly #writing = new Set<Segment>();
  /** The segment last read from. */
  #lastFound: Segment | undefined;

  constructor(queue: PagedQueue, store: Store, pages: Pages | undefined) {
    this.#queue = queue;
    this.#store = store;
    this.#pages = pages;
  }

  /** Lets a segment leave memory if its turn is far off. What the store will have anyway is not written again. */
  pageOut(segment: Segment, level: SegmentList): void {
    if (this.#pages === undefined) return;
    if (!this.#queue.stored) this.#write(segment, level, this.#pages);
    else this.#store.whenCommitted(this.#store.gathering, () => this.#leaveStored(segment, level));
  }

  #leaveStored(segment: Segment, level: SegmentList): void {
    if (!this.#mayLeave(segment, level)) return;
    if (segment.isAllStored) this.#leave(segment, "store");
    else if (this.#pages !== undefined) this.#write(segment, level, this.#pages);
  }

  #mayLeave(segment: Segment, level: SegmentList): boolean {
    return segment.canLeave && !this.#queue.deleted && level.distance(segment) > segmentsAhead;
  }

  #write(segment: Segment, level: SegmentList, pages: Pages): void {
    if (!this.#mayLeave(segment, level) || this.#writing.has(segment)) return;
    const { changes, live } = segment;
    this.#writing.add(segment);
    const image = segment.image();
    pages.write(segment.number, image, (error) => {
      recycleImage(image);
      this.#writing.delete(segment);
      if (error === undefined) this.#queue.counters.diskWrites += live;
      // Without the page, or with one that is out of date, the segment stays where it is.
      const isCurrent = error === undefined && segment.changes === changes && this.#mayLeave(segment, level);
      if (isCurrent) this.#leave(segment, "page");
      else pages.drop(segment.number);
    });
  }

  #leave(segment: Segment, residence: "page" | "store"): void {
    segment.leave(residence);
    this.#queue.segmentLeft(segment);
  }

  /** Tells where the queue is being read, so that what comes next is read in time. */
  found(level: SegmentList): void {
    if (level.foundSegment === this.#lastFound) return;
    this.#lastFound = level.foundSegment;
    for (const segment of level.ahead(segmentsAhead)) if (!segment.resident) this.read(segment);
  }

  /** Reads a segment that is not in memory. */
  read(segment: Segment): void {
    if (this.#reading.has(segment)) return;
    this.#reading.add(segment);
    if (segment.residence === "page" && this.#pages !== undefined) this.#readPage(segment, this.#pages);
    else this.#readStored(segment);
  }

  /** Reads a segment that is not in memory and leaves it where it is. What cannot be read is as good as not there. */
  peek(segment: Segment, done: (messages: StoredMessages) => void): void {
    const read = (messages: StoredMessages) => {
      this.#countRead(messages.indexes.length);
      done(messages);
    };
    if (segment.residence === "store" || this.#pages === undefined) this.#store.readSegment(segment.number, read);
    else this.#pages.read(segment.number, (image = newImage(0, 0).image) => read(readImage(image)));
  }

  #readStored(segment: Segment): void {
    this.#store.readSegment(segment.number, (messages, unread) =>
      this.#filled(segment, () => segment.fill(messages, unread)),
    );
  }

  #readPage(segment: Segment, pages: Pages): void {
    pages.read(segment.number, (image, error = new Error("the page is not there")) => {
      pages.drop(segment.number);
      if (image !== undefined) this.#filled(segment, () => segment.fillFromPage(image));
      else {
        const { live } = segment;
        this.#queue.segmentLost(live - segment.loseUnstored(), error);
        this.#store.readSegment(segment.number, (messages, unread) =>
          this.#filled(segment, () => segment.fill(messages, unread), live),
        );
      }
    });
  }

  #filled(segment: Segment, fill: () => void, expected = segment.live): void {
    this.#reading.delete(segment);
    if (this.#queue.deleted || segment.live === 0) return;
    const { storedBodyBytes } = segment;
    fill();
    this.#countRead(segment.live);
    this.#queue.segmentRead(segment, expected - segment.live, storedBodyBytes - segment.storedBodyBytes);
  }

  #countRead(messages: number): void {
    this.#queue.counters.diskReads += messages;
  }

  /** Forgets the page of a segment whose messages are dropped. */
  drop(segment: Segment): void {
    if (segment.residence === "page") this.#pages?.drop(segment.number);
  }
}
