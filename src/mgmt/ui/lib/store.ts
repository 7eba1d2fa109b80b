import { useEffect, useState } from "preact/hooks";

/** A value that components show: they are drawn again when it changes. */
export class Store<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value of a store, now and whenever it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState<{ readonly of: T }>({ of: store.value });
  useEffect(() => {
    setValue({ of: store.value });
    return store.subscribe((next) => setValue({ of: next }));
  }, [store]);
  return value.of;
}
