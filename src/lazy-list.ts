/** A list whose members are made when they are asked for, so that an answer with many of them is made bit by bit. */
export class LazyList<R> implements Iterable<R> {
  readonly #members: () => Iterator<R>;

  constructor(members: () => Iterator<R>) {
    this.#members = members;
  }

  /** What `make` makes of each of these. */
  static of<T, R>(items: readonly T[], make: (item: T) => R): LazyList<R> {
    return new LazyList(function* () {
      for (const item of items) yield make(item);
    });
  }

  [Symbol.iterator](): Iterator<R> {
    return this.#members();
  }
}
