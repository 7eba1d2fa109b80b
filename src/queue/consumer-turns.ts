import type { Consumer } from "./consumer.ts";

/** Spent entries in front of the line that are cut off at once. */
const spentMax = 64;

/** Consumers of one priority that wait for their turn: who was served goes to the end; who has no credit steps out. */
class Line {
  readonly priority: number;
  #line: Consumer[] = [];
  #head = 0;

  constructor(priority: number) {
    this.priority = priority;
  }

  get isEmpty(): boolean {
    return this.#head === this.#line.length;
  }

  add(consumer: Consumer): void {
    this.#line.push(consumer);
  }

  /** The next with credit, moved to the end; those without are dropped from the line and reported. */
  next(dropped: Set<Consumer>): Consumer | undefined {
    for (;;) {
      const consumer = this.#line[this.#head];
      if (consumer === undefined) return undefined;
      if (consumer.hasCredit()) {
        this.#toEnd(consumer);
        return consumer;
      }
      this.#head++;
      dropped.delete(consumer);
      this.#cut();
    }
  }

  #toEnd(consumer: Consumer): void {
    if (this.#head === this.#line.length - 1) return;
    this.#head++;
    this.#line.push(consumer);
    this.#cut();
  }

  remove(consumer: Consumer): void {
    this.#line = this.#line.slice(this.#head).filter((other) => other !== consumer);
    this.#head = 0;
  }

  #cut(): void {
    if (this.#head < spentMax || this.#head * 2 < this.#line.length) return;
    this.#line.splice(0, this.#head);
    this.#head = 0;
  }
}

/** Whose turn it is among a queue's consumers: round-robin among those with credit, higher priorities first. */
export class ConsumerTurns {
  #lines: Line[] = [];
  /** Those standing in a line. The others lack credit and come back by {@link add}. */
  readonly #inLine = new Set<Consumer>();

  /** Lets a consumer take part; one that does already keeps its place. */
  add(consumer: Consumer): void {
    if (this.#inLine.has(consumer)) return;
    this.#inLine.add(consumer);
    this.#lineOf(consumer.priority).add(consumer);
  }

  remove(consumer: Consumer): void {
    if (!this.#inLine.delete(consumer)) return;
    this.#lineOf(consumer.priority).remove(consumer);
  }

  next(): Consumer | undefined {
    if (this.#inLine.size === 0) return undefined;
    for (const line of this.#lines) {
      const consumer = line.next(this.#inLine);
      if (consumer !== undefined) return consumer;
    }
    return undefined;
  }

  #lineOf(priority: number): Line {
    const found = this.#lines.find((line) => line.priority === priority);
    if (found !== undefined) return found;
    const line = new Line(priority);
    // Lines that emptied go, so that there are no more than priorities in use at a time.
    const others = this.#lines.filter((other) => !other.isEmpty);
    this.#lines = [...others, line].sort((a, b) => b.priority - a.priority);
    return line;
  }
}
