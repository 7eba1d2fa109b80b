/** What one generation may hold, counting each key and each of its destinations. */
export const routeCacheSizeMax = 8192;

/**
 * Remembers where routing keys lead, in bounded space: when the recent generation is full it becomes the older one
 * and what was the older one is forgotten, so keys in use stay and the cost of forgetting is spread.
 */
export class RouteCache<D> {
  #recent = new Map<string, readonly D[]>();
  #older = new Map<string, readonly D[]>();
  #recentSize = 0;

  get(routingKey: string): readonly D[] | undefined {
    const recent = this.#recent.get(routingKey);
    if (recent !== undefined) return recent;
    const older = this.#older.get(routingKey);
    if (older !== undefined) this.set(routingKey, older);
    return older;
  }

  set(routingKey: string, destinations: readonly D[]): void {
    const size = 1 + destinations.length;
    if (size > routeCacheSizeMax) return;
    if (this.#recentSize + size > routeCacheSizeMax) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#recentSize = 0;
    }
    this.#recent.set(routingKey, destinations);
    this.#recentSize += size;
  }

  clear(): void {
    if (this.#recentSize === 0) return;
    this.#recent = new Map();
    this.#older = new Map();
    this.#recentSize = 0;
  }

  /** Keys and destinations held, both generations together. */
  get size(): number {
    let size = 0;
    for (const generation of [this.#recent, this.#older]) {
      for (const destinations of generation.values()) size += 1 + destinations.length;
    }
    return size;
  }
}
