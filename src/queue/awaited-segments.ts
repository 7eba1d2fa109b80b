import type { Segment } from "./segment.ts";

/** Who waits for which segments to be in memory. */
export class AwaitedSegments {
  readonly #waiting = new Map<Segment, (() => void)[]>();

  add(segment: Segment, done: () => void): void {
    const waiting = this.#waiting.get(segment);
    if (waiting === undefined) this.#waiting.set(segment, [done]);
    else waiting.push(done);
  }

  /** A segment is in memory, or is not needed any more. */
  answer(segment: Segment): void {
    const waiting = this.#waiting.get(segment);
    if (waiting === undefined) return;
    this.#waiting.delete(segment);
    for (const done of waiting) done();
  }

  answerAll(): void {
    for (const segment of [...this.#waiting.keys()]) this.answer(segment);
  }
}
