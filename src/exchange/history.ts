/** Of larger histories the oldest go, whatever length was asked for. */
export const historyBytesMax = 64 * 1024 * 1024;

/** The last messages of an exchange, as records, oldest first. */
export class History {
  /** How many there may be. */
  readonly length: number;
  /** Told of each new one, where they are to outlive the broker. */
  kept: ((record: Buffer) => void) | undefined;
  readonly #records: Buffer[] = [];
  #bytes = 0;

  constructor(length: number) {
    this.length = length;
  }

  get records(): readonly Buffer[] {
    return this.#records;
  }

  add(record: Buffer): void {
    this.restore(record);
    this.kept?.(record);
  }

  /** Adds one that is kept already. */
  restore(record: Buffer): void {
    this.#records.push(record);
    this.#bytes += record.length;
    while (this.#records.length > this.length || this.#bytes > historyBytesMax) {
      this.#bytes -= this.#records.shift()?.length ?? 0;
    }
  }
}
