/** What one generation may hold, counting each key and each of its destinations. */
export const routeCacheSizeMax = 8192;

/** Lookups by which it is judged whether remembering pays, and for how many it rests when fewer than a quarter hit. */
const trialLookups = 4096;
const restLookups = 32_768;

/**
 * Remembers where routing keys lead, in bounded space: when the recent generation is full it becomes the older one
 * and what was the older one is forgotten, so keys in use stay and the cost of forgetting is spread. Where keys hardly ever come again it rests.
 */
export class RouteCache<D> {
  #recent = new Map<string, readonly D[]>();
  #older = new Map<string, readonly D[]>();
  #recentSize = 0;
  #hits = 0;
  #lookups = 0;
  #restFor = 0;

  /** Asked before each lookup, which it counts: true when the key is to be routed without the cache. */
  isResting(): boolean {
    if (this.#restFor > 0) {
      this.#restFor--;
      return true;
    }
    if (++this.#lookups < trialLookups) return false;
    const pays = this.#hits * 4 >= this.#lookups;
    this.#lookups = this.#hits = 0;
    if (pays) return false;
    this.clear();
    this.#restFor = restLookups;
    return true;
  }

  get(routingKey: string): readonly D[] | undefined {
    const recent = this.#recent.get(routingKey);
    if (recent !== undefined) {
      this.#hits++;
      return recent;
    }
    const older = this.#older.get(routingKey);
    if (older === undefined) return undefined;
    this.#hits++;
    this.set(routingKey, older);
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
