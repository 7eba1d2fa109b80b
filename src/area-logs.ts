import type { Logger } from "./log.ts";
import { type AreaLevels, findLogLevel, type LogArea, type LogLevel, logAreas } from "./log-levels.ts";

/** The log by area, each with a level that can be changed while the broker runs. */
export class AreaLogs {
  readonly connection: Logger;
  readonly channel: Logger;
  readonly queue: Logger;
  readonly management: Logger;
  readonly #general: Logger;
  #own: AreaLevels;

  constructor(general: Logger, own: AreaLevels) {
    this.#general = general;
    this.#own = own;
    const area = (name: LogArea) => general.child({ area: name }, { level: own.get(name) ?? general.level });
    this.connection = area("connection");
    this.channel = area("channel");
    this.queue = area("queue");
    this.management = area("management");
  }

  /** Sets the level of the log as a whole, and of the areas with one of their own; the others follow the whole. */
  setLevels(general: LogLevel, own: AreaLevels): void {
    this.#own = own;
    this.#general.level = general;
    for (const area of logAreas) this[area].level = own.get(area) ?? general;
  }

  /** Sets the level of everything, or of one area. */
  setLevel(level: LogLevel, area?: LogArea): void {
    if (area === undefined) this.setLevels(level, new Map());
    else this.setLevels(this.level, new Map(this.#own).set(area, level));
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
