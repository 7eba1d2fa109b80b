import type { Damage } from "./store.ts";

/** Damaged messages of a queue. */
export type QueueDamage = Omit<Damage, "segment">;

/** The damage that was found, each only once however often it was come across. */
export class Damages {
  readonly #bySegment = new Map<number, Damage>();

  /** Takes note; false when that was known already. */
  add(damage: Damage): boolean {
    const known = this.#bySegment.get(damage.segment);
    if (known !== undefined && known.messages >= damage.messages) return false;
    this.#bySegment.set(damage.segment, damage);
    return true;
  }

  /** That of a segment is gone, or will be with the next batch. */
  settled(segment: number): void {
    this.#bySegment.delete(segment);
  }

  /** By queue. */
  list(): QueueDamage[] {
    const found = new Map<string, QueueDamage>();
    for (const { vhost, queue, messages } of this.#bySegment.values()) {
      const key = JSON.stringify([vhost, queue]);
      found.set(key, { vhost, queue, messages: messages + (found.get(key)?.messages ?? 0) });
    }
    return [...found.values()];
  }
}
