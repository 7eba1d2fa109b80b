/** The levels `--log-level` takes, least first. Apart from the log, so that reading the configuration loads no more. */
export const logLevels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;

export type LogLevel = (typeof logLevels)[number];

/** RabbitMQ's names of levels mean the nearest of ours. */
const otherLevels: Readonly<Record<string, LogLevel>> = {
  none: "silent",
  emergency: "fatal",
  alert: "fatal",
  critical: "fatal",
  warning: "warn",
  notice: "info",
};

/** A level by our name or RabbitMQ's. */
export function findLogLevel(given: string): LogLevel | undefined {
  if (Object.hasOwn(otherLevels, given)) return otherLevels[given];
  return logLevels.find((level) => level === given);
}

/** What lines are about: `queue` is what happens to messages, `management` the HTTP API. The rest has no area. */
export const logAreas = ["connection", "channel", "queue", "management"] as const;

export type LogArea = (typeof logAreas)[number];

/** Levels of areas that have another one than the log as a whole. */
export type AreaLevels = ReadonlyMap<LogArea, LogLevel>;

/** Reads `connection=warn,queue=debug`; undefined when it cannot be read. */
export function parseAreaLevels(given: string): AreaLevels | undefined {
  if (given === "none") return new Map();
  const levels = new Map<LogArea, LogLevel>();
  for (const part of given.split(",")) {
    const [name, levelName = ""] = part.trim().split("=");
    const area = logAreas.find((known) => known === name);
    const level = findLogLevel(levelName);
    if (area === undefined || level === undefined) return undefined;
    levels.set(area, level);
  }
  return levels;
}

/** The one of two levels that lets more lines pass. */
export function leastLevel(a: LogLevel, b: LogLevel): LogLevel {
  return logLevels.indexOf(a) > logLevels.indexOf(b) ? a : b;
}
