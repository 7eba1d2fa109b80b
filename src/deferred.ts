/**
 * Things to do once the operation that is running is over, so that no queue is entered twice at a time, but before the
 * loop turn ends, so that what the operation changed and what they change is one transaction.
 */
export class Deferred<T> {
  readonly #each: (item: T) => void;
  readonly #after: () => void;
  #items: T[] = [];

  /** Calls `each` for what is to be done, and `after` once all of that is. */
  constructor(each: (item: T) => void, after: () => void) {
    this.#each = each;
    this.#after = after;
  }

  add(item: T): void {
    if (this.#items.length === 0) queueMicrotask(() => this.#run());
    this.#items.push(item);
  }

  #run(): void {
    const items = this.#items;
    this.#items = [];
    for (const item of items) this.#each(item);
    this.#after();
  }
}
