import type { Queue } from "../../queue/queue.ts";
import type { Segment } from "../../queue/segment.ts";

/** A consumer as its channel's unacked deliveries see it. */
export interface DeliveryOwner {
  /** One of its deliveries was settled. */
  settledOne(): void;
  /** It may have credit again. */
  serve(): void;
}

/** What a delivery tag stands for. */
export interface Delivery {
  readonly tag: number;
  readonly queue: Queue;
  readonly segment: Segment;
  readonly index: number;
  /** Undefined for basic.get. */
  readonly owner: DeliveryOwner | undefined;
}

/**
 * What becomes of a delivery: done with, back to its place in the queue, back as one that failed (basic.reject, unlike
 * basic.nack, says so), or refused for good.
 */
export type Settlement = "ack" | "requeue" | "return" | "reject";

const capacityFirst = 16;

/**
 * The deliveries of a channel that were not settled yet, in columns sorted by delivery tag. Settled ones leave a hole
 * until the columns are full: then holes are closed, or, when they are few, the columns doubled. So one message that
 * is held for days costs nothing for the millions delivered after it.
 */
export class UnackedDeliveries {
  #tags = new Float64Array(capacityFirst);
  #indexes = new Uint32Array(capacityFirst);
  /** Undefined where there is a hole. */
  readonly #queues: (Queue | undefined)[] = [];
  readonly #segments: (Segment | undefined)[] = [];
  readonly #owners: (DeliveryOwner | undefined)[] = [];
  /** Rows [head, end) are in use; the row at head is no hole. */
  #head = 0;
  #end = 0;
  #count = 0;
  #nextTag = 1;

  /** Deliveries not settled. */
  get count(): number {
    return this.#count;
  }

  /** Deliveries there is room for, holes included. */
  get capacity(): number {
    return this.#tags.length;
  }

  /** The highest tag given out; 0 before the first. */
  get lastTag(): number {
    return this.#nextTag - 1;
  }

  /** Whether the delivery with this tag is unsettled. */
  has(tag: number): boolean {
    const row = this.#find(tag);
    return row >= 0 && this.#queues[row] !== undefined;
  }

  /** The tags of unsettled deliveries up to this one, ascending. */
  tagsUpTo(tag: number): number[] {
    const tags: number[] = [];
    for (let row = this.#head; row < this.#end && (this.#tags[row] ?? 0) <= tag; row++) {
      if (this.#queues[row] !== undefined) tags.push(this.#tags[row] ?? 0);
    }
    return tags;
  }

  /** Numbers a delivery that needs no ack. */
  skip(): number {
    return this.#nextTag++;
  }

  /** Notes a delivery and returns its tag. */
  add(queue: Queue, segment: Segment, index: number, owner: DeliveryOwner | undefined): number {
    if (this.#end === this.#tags.length) this.#makeRoom();
    const row = this.#end++;
    const tag = this.#nextTag++;
    this.#tags[row] = tag;
    this.#indexes[row] = index;
    this.#queues[row] = queue;
    this.#segments[row] = segment;
    this.#owners[row] = owner;
    this.#count++;
    return tag;
  }

  /** Removes and returns the delivery with this tag; undefined when there is none. */
  take(tag: number): Delivery | undefined {
    const row = this.#find(tag);
    const queue = this.#queues[row];
    const segment = this.#segments[row];
    if (queue === undefined || segment === undefined) return undefined;
    const delivery = { tag, queue, segment, index: this.#indexes[row] ?? 0, owner: this.#owners[row] };
    this.#queues[row] = this.#segments[row] = this.#owners[row] = undefined;
    this.#count--;
    if (row === this.#head) this.#skipHoles();
    return delivery;
  }

  /** Removes and returns the oldest delivery if its tag is at most `upTo`. */
  takeFirst(upTo: number): Delivery | undefined {
    if (this.#count === 0) return undefined;
    const tag = this.#tags[this.#head] ?? 0;
    return tag <= upTo ? this.take(tag) : undefined;
  }

  /** The row of a tag, or -1. Without holes and skipped tags it is where its number says; else it is searched for. */
  #find(tag: number): number {
    if (this.#count === 0) return -1;
    const guess = this.#head + tag - (this.#tags[this.#head] ?? 0);
    if (guess >= this.#head && guess < this.#end && this.#tags[guess] === tag) return guess;
    let low = this.#head;
    let high = this.#end - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#tags[middle] ?? 0;
      if (found === tag) return middle;
      if (found < tag) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #skipHoles(): void {
    if (this.#count === 0) this.#head = this.#end = 0;
    else while (this.#queues[this.#head] === undefined) this.#head++;
  }

  #makeRoom(): void {
    const size = this.#count * 2 > this.#tags.length ? this.#tags.length * 2 : this.#tags.length;
    const tags = new Float64Array(size);
    const indexes = new Uint32Array(size);
    let to = 0;
    for (let row = this.#head; row < this.#end; row++) {
      if (this.#queues[row] === undefined) continue;
      tags[to] = this.#tags[row] ?? 0;
      indexes[to] = this.#indexes[row] ?? 0;
      this.#queues[to] = this.#queues[row];
      this.#segments[to] = this.#segments[row];
      this.#owners[to] = this.#owners[row];
      to++;
    }
    this.#queues.fill(undefined, to);
    this.#segments.fill(undefined, to);
    this.#owners.fill(undefined, to);
    this.#tags = tags;
    this.#indexes = indexes;
    this.#head = 0;
    this.#end = to;
  }
}
