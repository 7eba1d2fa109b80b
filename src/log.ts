import { type DestinationStream, type Logger, pino } from "pino";
import { type AreaLevels, findLogLevel, type LogLevel, leastLevel, logAreas, logLevels } from "./log-levels.ts";

export type { Logger } from "pino";

/** One place that lines of the log go to. */
export interface LogOutput {
  /** Where that is: a path, or `<stdout>`. */
  readonly name: string;
  /** The least level of lines that are wanted there. */
  level: LogLevel;
  write(line: string): void;
  /** Opens it again, where that means something. Throws when it cannot be. */
  reopen?(): void;
}

const linePattern = /^\{"level":"(?<level>[a-z]+)","time":"[^"]*"(?:,"area":"(?<area>[a-z]+)")?/;

/** Where lines of the log go, and whoever else wants them. */
export class LogLines implements DestinationStream {
  readonly #outputs: readonly LogOutput[];
  #own: AreaLevels;
  listener: ((line: string) => void) | undefined;

  /** Lines of the areas in `own` go everywhere, as these areas have levels of their own. */
  constructor(outputs: readonly LogOutput[], own: AreaLevels) {
    this.#outputs = outputs;
    this.#own = own;
  }

  write(line: string): void {
    for (const output of this.#outputs) if (this.#isWanted(line, output.level)) output.write(line);
    this.listener?.(line);
  }

  /** Writes a line everywhere, whatever its level. */
  announce(line: string): void {
    for (const output of this.#outputs) output.write(line);
    this.listener?.(line);
  }

  #isWanted(line: string, least: LogLevel): boolean {
    // With one level for all that pino has looked already.
    if (this.#outputs.every(({ level }) => level === least)) return true;
    const { level = "", area } = linePattern.exec(line)?.groups ?? {};
    if (logAreas.some((known) => known === area && this.#own.has(known))) return true;
    return logLevels.indexOf(findLogLevel(level) ?? "fatal") <= logLevels.indexOf(least);
  }

  /** The least level that is wanted somewhere. */
  get level(): LogLevel {
    return this.#outputs.map(({ level }) => level).reduce(leastLevel, "silent");
  }

  /** Where lines go. */
  get names(): readonly string[] {
    return this.#outputs.map(({ name }) => name);
  }

  /** Sets the areas with levels of their own, and, when there is one, the level of each place. */
  setLevels(own: AreaLevels, levelOf?: (output: LogOutput) => LogLevel): void {
    this.#own = own;
    if (levelOf !== undefined) for (const output of this.#outputs) output.level = levelOf(output);
  }

  /** Opens files again, so that they can be renamed and go on in new ones. Throws when one cannot be opened. */
  reopen(): void {
    for (const output of this.#outputs) output.reopen?.();
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
  return destination === undefined ? pino(options, standardStream(1)) : pino(options, destination);
}

/** Standard output, 1, or standard error, 2, as lines are written to it. */
export function standardStream(descriptor: number): DestinationStream {
  return pino.destination({ sync: true, dest: descriptor });
}
