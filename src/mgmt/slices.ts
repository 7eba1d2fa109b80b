import { setImmediate as nextTurn } from "node:timers/promises";

/** How long a request works before messages and other requests have their turn. */
const sliceMs = 4;

/** Maps many items without holding up what else the broker does. */
export async function mapInSlices<T, R>(items: Iterable<T>, map: (item: T) => R): Promise<R[]> {
  const mapped: R[] = [];
  const slices = new Slices();
  for (const item of items) {
    mapped.push(map(item));
    if (slices.isOver) await slices.next();
  }
  return mapped;
}

/** Long work in slices: ask after each step whether this one is over, and if so wait for the next. */
export class Slices {
  #endsAt = performance.now() + sliceMs;

  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#endsAt = performance.now() + sliceMs;
  }
}
