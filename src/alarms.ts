/** Why publishers must wait, as connection.blocked says it. */
export type Alarm = "low on memory" | "low on disk";

/** Told when the an alarm is set and when the last one is cleared. */
export interface AlarmListener {
  alarmsSet(reason: string): void;
  alarmsCleared(): void;
}

/** What is wrong with the broker at the moment. While anything is, connections that publish are blocked. */
export class Alarms {
  readonly #active = new Set<Alarm>();
  readonly #listeners = new Set<AlarmListener>();

  /** Whether any alarm is set. */
  active = false;

  /** The alarms that are set, as RabbitMQ joins them; empty when all is well. */
  get reason(): string {
    return [...this.#active].join(" & ");
  }

  isSet(alarm: Alarm): boolean {
    return this.#active.has(alarm);
  }

  listen(listener: AlarmListener): void {
    this.#listeners.add(listener);
  }

  unlisten(listener: AlarmListener): void {
    this.#listeners.delete(listener);
  }

  set(alarm: Alarm): void {
    this.#active.add(alarm);
    this.active = true;
    for (const listener of [...this.#listeners]) listener.alarmsSet(this.reason);
  }

  clear(alarm: Alarm): void {
    if (!this.#active.delete(alarm) || this.#active.size > 0) return;
    this.active = false;
    for (const listener of [...this.#listeners]) listener.alarmsCleared();
  }
}
