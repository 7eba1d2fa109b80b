import type { LogConfig } from "./config-log.ts";
import type { Logger, LogLines } from "./log.ts";
import { type AreaLevels, findLogLevel, type LogArea, type LogLevel, logAreas } from "./log-levels.ts";

/** The log by area, each with a level that can be changed while the broker runs. */
export class AreaLogs {
  readonly connection: Logger;
  readonly channel: Logger;
  readonly queue: Logger;
  readonly management: Logger;
  readonly #general: Logger;
  readonly #lines: LogLines | undefined;
  #own: AreaLevels;

  /** Without `lines` the log goes to one place only, which needs no levels of its own. */
  constructor(general: Logger, own: AreaLevels, lines?: LogLines) {
    this.#general = general;
    this.#lines = lines;
    this.#own = own;
    const area = (name: LogArea) => general.child({ area: name }, { level: own.get(name) ?? general.level });
    this.connection = area("connection");
    this.channel = area("channel");
    this.queue = area("queue");
    this.management = area("management");
  }

  /** Sets the level of everything, or of one area. */
  setLevel(level: LogLevel, area?: LogArea): void {
    if (area === undefined) {
      this.#lines?.setLevels(new Map(), () => level);
      this.#set(level, new Map());
    } else {
      const own = new Map(this.#own).set(area, level);
      this.#lines?.setLevels(own);
      this.#set(this.level, own);
    }
  }

  /** Sets the levels of the places that the log goes to, and of the areas with one of their own. */
  setLevels(level: LogLevel, own: AreaLevels, { console, file }: LogConfig): void {
    this.#lines?.setLevels(own, ({ name }) => (name === file?.path ? file.level : console?.level) ?? level);
    this.#set(level, own);
  }

  /** The other areas follow the log as a whole. */
  #set(general: LogLevel, own: AreaLevels): void {
    this.#own = own;
    this.#general.level = general;
    for (const area of logAreas) this[area].level = own.get(area) ?? general;
  }

  /** Opens the files of the log again. Throws when one cannot be opened. */
  reopen(): void {
    this.#lines?.reopen();
  }

  /** Where the log goes: paths, and `<stdout>` or `<stderr>`. */
  get places(): readonly string[] {
    return this.#lines?.names ?? ["<stdout>"];
  }

  /** Of the log as a whole. */
  get level(): LogLevel {
    return findLogLevel(this.#general.level) ?? "info";
  }

  /** Of each area. */
  levels(): Readonly<Record<LogArea, string>> {
    const { connection, channel, queue, management } = this;
    return {
      connection: connection.level,
      channel: channel.level,
      queue: queue.level,
      management: management.level,
    };
  }
}
