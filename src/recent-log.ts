/** Lines that are kept, and how long one may be. */
const linesMax = 1000;
const lineSizeMax = 8192;

/** The last lines of the log, for whoever wants to read them without the console. */
export class RecentLog {
  readonly #lines: string[] = [];
  #added = 0;
  /** Told of each line as it is written. */
  readonly listeners = new Set<(line: string) => void>();

  /** A line that is too long is left out: it could not be read in parts. */
  add(line: string): void {
    if (line.length > lineSizeMax) return;
    this.#lines[this.#added++ % linesMax] = line;
    for (const listener of this.listeners) listener(line);
  }

  /** Oldest first. */
  lines(): readonly string[] {
    const next = this.#added % linesMax;
    return this.#added <= linesMax ? [...this.#lines] : [...this.#lines.slice(next), ...this.#lines.slice(0, next)];
  }
}
