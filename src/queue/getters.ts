import type { Getter } from "./consumer.ts";

/** Those who asked for one message each and have no answer yet, in the order in which they asked. */
export class Getters {
  #waiting: Getter[] = [];

  add(getter: Getter): void {
    this.#waiting.push(getter);
  }

  /** Takes the first that still waits; undefined when nobody does. */
  next(): Getter | undefined {
    if (this.#waiting.length === 0) return undefined;
    let getter = this.#waiting.shift();
    while (getter !== undefined && !getter.waiting) getter = this.#waiting.shift();
    return getter;
  }

  /** Tells all that there is nothing for them, and returns how many they were. */
  answerEmpty(): number {
    const waiting = this.#waiting.filter((getter) => getter.waiting);
    this.#waiting = [];
    for (const getter of waiting) getter.empty();
    return waiting.length;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }
}
