import { isAbsolute, join, resolve } from "node:path";
import { type OptionName, options, type Values } from "./config-options.ts";
import { type LogLevel, leastLevel } from "./log-levels.ts";
import type { Console, LogFileConfig } from "./log-options.ts";
import type { LogFormat } from "./log-text.ts";
import { nodeName } from "./node-name.ts";

/** Where the log goes, and how; there is always some place. */
export interface LogConfig {
  readonly console: LogConsoleConfig | undefined;
  readonly file: LogFileConfig | undefined;
}

/** The log on a standard stream. */
export interface LogConsoleConfig {
  readonly to: Exclude<Console, "none">;
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** Reads where the log goes. `note` is told what was given and cannot be so. */
export function logOf(value: Values, dataDir: string, note: (name: OptionName, why: string) => void): LogConfig {
  const asked = value("logConsole", options.logConsole);
  const path = logPath(value, dataDir, asked);
  const level = value("logLevel", options.logLevel);
  if (asked === "none" && path === undefined) note("logConsole", "there is no file for the log");
  const to = asked === undefined || asked === "none" ? "stdout" : asked;
  const isOn = path === undefined || (asked !== undefined && asked !== "none");
  return {
    console: isOn ? { to, level, format: value("logFormat", options.logFormat) } : undefined,
    file: path === undefined ? undefined : fileOf(value, path, level),
  };
}

/** The least level that goes anywhere. */
export function levelOf({ console, file }: LogConfig): LogLevel {
  if (console === undefined || file === undefined) return console?.level ?? file?.level ?? "info";
  return leastLevel(console.level, file.level);
}

function fileOf(value: Values, path: string, level: LogLevel): LogFileConfig {
  return {
    path,
    level: value("logFileLevel", options.logFileLevel) ?? level,
    format: value("logFileFormat", options.logFileFormat),
  };
}

/** As in RabbitMQ, a file is in the directory of logs unless it says where; the directory alone asks for one, too. */
function logPath(value: Values, dataDir: string, console: Console | undefined): string | undefined {
  const file = value("logFile", options.logFile);
  if (file === "none") return undefined;
  if (file !== undefined && isAbsolute(file)) return file;
  if (file === undefined && console !== undefined && console !== "none") return undefined;
  const directory = value("logDir", options.logDir);
  if (file === undefined && directory === undefined) return undefined;
  return resolve(directory ?? join(dataDir, "log"), file ?? `${nodeName}.log`);
}
