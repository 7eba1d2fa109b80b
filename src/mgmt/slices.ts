/** How long a request works before messages and other requests have their turn. */
const sliceMs = 4;

/** Those who wait for their next slice. There is one slice in a turn of the event loop, however many requests there are. */
const waiting: (() => void)[] = [];

function runNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(runNext);
}

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
  /** Who comes while others wait does not go before them. */
  #endsAt = waiting.length > 0 ? 0 : performance.now() + sliceMs;

  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(runNext);
    });
    this.#endsAt = performance.now() + sliceMs;
  }
}
