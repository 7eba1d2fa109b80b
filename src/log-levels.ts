/** The levels `--log-level` takes, least first. Apart from the log, so that reading the configuration loads no more. */
export const logLevels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;

export type LogLevel = (typeof logLevels)[number];
