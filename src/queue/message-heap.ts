import type { Segment } from "./segment.ts";

/** A binary heap of messages, least key first, equal ones in the order of the queue. An entry stays when its message goes: check it before use. */
export class MessageHeap {
  #keys: number[] = [];
  #segments: Segment[] = [];
  #indexes: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** Key of the first entry; infinite when empty. */
  get key(): number {
    return this.#keyAt(0);
  }

  /** Segment of the first entry; undefined when empty. */
  get segment(): Segment | undefined {
    return this.#segments[0];
  }

  /** Index in that segment. */
  get index(): number {
    return this.#indexes[0] ?? 0;
  }

  push(key: number, segment: Segment, index: number): void {
    let at = this.#keys.length;
    this.#place(at, key, segment, index);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isAfter(parent, key, segment, index)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#place(at, key, segment, index);
  }

  /** Removes the first entry. */
  pop(): void {
    const key = this.#keys.pop();
    const segment = this.#segments.pop();
    const index = this.#indexes.pop();
    const { length } = this.#keys;
    if (key === undefined || segment === undefined || index === undefined || length === 0) return;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = this.#segments[child + 1];
      if (right !== undefined && this.#isAfter(child, this.#keyAt(child + 1), right, this.#indexes[child + 1] ?? 0)) {
        child++;
      }
      if (this.#isAfter(child, key, segment, index)) break;
      this.#move(child, at);
      at = child;
    }
    this.#place(at, key, segment, index);
  }

  /** Drops all entries that `keep` does not want. */
  sweep(keep: (segment: Segment, index: number) => boolean): void {
    const keys = this.#keys;
    const segments = this.#segments;
    const indexes = this.#indexes;
    this.clear();
    for (let at = 0; at < keys.length; at++) {
      const segment = segments[at];
      const index = indexes[at] ?? 0;
      if (segment !== undefined && keep(segment, index)) this.push(keys[at] ?? 0, segment, index);
    }
  }

  clear(): void {
    this.#keys = [];
    this.#segments = [];
    this.#indexes = [];
  }

  #keyAt(at: number): number {
    return this.#keys[at] ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the entry at `at` comes after one with this key for this message. */
  #isAfter(at: number, key: number, segment: Segment, index: number): boolean {
    const other = this.#keyAt(at);
    if (other !== key) return other > key;
    const before = this.#segments[at];
    return before !== undefined && before.position(this.#indexes[at] ?? 0) > segment.position(index);
  }

  #move(from: number, to: number): void {
    const segment = this.#segments[from];
    if (segment !== undefined) this.#place(to, this.#keyAt(from), segment, this.#indexes[from] ?? 0);
  }

  #place(at: number, key: number, segment: Segment, index: number): void {
    this.#keys[at] = key;
    this.#segments[at] = segment;
    this.#indexes[at] = index;
  }
}
