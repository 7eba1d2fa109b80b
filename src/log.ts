import { type DestinationStream, type Logger, pino } from "pino";
import type { LogLevel } from "./log-levels.ts";

export type { Logger } from "pino";
/** Where lines of the log go: standard output or error, and whoever else wants them. */
export class LogLines implements DestinationStream {
  readonly #output: DestinationStream;
  readonly #render: (line: string) => string;
  listener: ((line: string) => void) | undefined;

  /** `render` makes of a line of JSON what is printed; `descriptor` is where, 1 for standard output. */
  constructor(render: (line: string) => string = (line) => line, descriptor = 1) {
    this.#output = pino.destination({ sync: true, dest: descriptor });
    this.#render = render;
  }

  write(line: string): void {
    this.#output.write(this.#render(line));
    this.listener?.(line);
  }
}

/** The broker's log: one JSON line an event on standard output. Secrets are masked wherever a field is named as one. */
export function createLog(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ["password", "*.password", "passwordHash", "*.passwordHash", "secret", "*.secret"],
  };
  return destination === undefined ? pino(options, pino.destination({ sync: true })) : pino(options, destination);
}
