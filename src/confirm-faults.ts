/** What happens to publisher confirms. */
export type ConfirmFault = "none" | "held" | "nacked";

/** A channel that sends its confirms when its connection next sends something. */
interface Confirming {
  confirmsPending(): void;
}

/** Faults in publisher confirms, for tests of publishers; a broker that nobody asks for one has none. */
export class ConfirmFaults {
  #fault: ConfirmFault = "none";
  readonly #held = new Set<Confirming>();

  get isNacking(): boolean {
    return this.#fault === "nacked";
  }

  /** From now on; what was held goes out when it is no longer to be held. */
  set(fault: ConfirmFault): void {
    this.#fault = fault;
    if (fault === "held") return;
    const held = [...this.#held];
    this.#held.clear();
    for (const channel of held) channel.confirmsPending();
  }

  /** Whether a channel that has confirms to send must wait; it is told when not any more. */
  holds(channel: Confirming): boolean {
    if (this.#fault !== "held") return false;
    this.#held.add(channel);
    return true;
  }
}
