/** Why publishers must wait, as connection.blocked says it. */
export type Alarm = "low on memory" | "low on disk";

/** Who says so: a limit that was passed, the store that cannot write, or a test that wants to see what follows. */
export type AlarmCause = "limit" | "store" | "test";

/** Told when the an alarm is set and when the last one is cleared. */
export interface AlarmListener {
  alarmsSet(reason: string): void;
  alarmsCleared(): void;
}

/** What is wrong with the broker at the moment. While anything is, connections that publish are blocked. */
export class Alarms {
  readonly #active = new Map<Alarm, Set<AlarmCause>>();
  readonly #listeners = new Set<AlarmListener>();
  /** Told of each alarm that is set and cleared, for the log. */
  onChange: ((alarm: Alarm, isSet: boolean) => void) | undefined;

  /** Whether any alarm is set. */
  active = false;

  /** The alarms that are set, as RabbitMQ joins them; empty when all is well. */
  get reason(): string {
    return [...this.#active.keys()].join(" & ");
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

  /** Says whether there is this cause for an alarm, which is set while there is any. */
  put(alarm: Alarm, cause: AlarmCause, isSet: boolean): void {
    if (isSet) this.#set(alarm, cause);
    else this.#clear(alarm, cause);
  }

  #set(alarm: Alarm, cause: AlarmCause): void {
    const causes = this.#active.get(alarm);
    if (causes !== undefined) {
      causes.add(cause);
      return;
    }
    this.#active.set(alarm, new Set([cause]));
    this.active = true;
    this.onChange?.(alarm, true);
    for (const listener of [...this.#listeners]) listener.alarmsSet(this.reason);
  }

  #clear(alarm: Alarm, cause: AlarmCause): void {
    const causes = this.#active.get(alarm);
    if (causes === undefined || !causes.delete(cause) || causes.size > 0) return;
    this.#active.delete(alarm);
    this.onChange?.(alarm, false);
    if (this.#active.size > 0) return;
    this.active = false;
    for (const listener of [...this.#listeners]) listener.alarmsCleared();
  }
}
