import type { ConfigLine } from "./config-file.ts";
import { type AreaLevels, findLogLevel, type LogLevel, logAreas, logLevels, parseAreaLevels } from "./log-levels.ts";
import type { LogFormat } from "./log-text.ts";
import { type Option, oneOf, text } from "./option-types.ts";

/** Where the log goes besides a file. */
export type Console = "stdout" | "stderr" | "none";

/** A file that the log goes to. */
export interface LogFileConfig {
  readonly path: string;
  /** The least level of the lines in it. */
  readonly level: LogLevel;
  readonly format: Exclude<LogFormat, "auto">;
}

const levelText = `one of ${logLevels.join(", ")}`;

/** RabbitMQ's variable of levels and formats: `debug,connection=error,+json`. */
export const logVariable = "RABBITMQ_LOG";
/** RabbitMQ's variable that says where the log goes, and that it goes nowhere else: a file, `-` or `-stderr`. */
export const logsVariable = "RABBITMQ_LOGS";

/** The settings of the log. */
export const logOptions = {
  logLevel: {
    takes: "<level>",
    help: `least level that is logged: ${logLevels.join(", ")}`,
    allowed: levelText,
    parse: findLogLevel,
    fallback: (): LogLevel => "info",
    keys: ["log.console.level", "log.level"],
    otherEnv: [logVariable],
    readOther: levelIn,
  } satisfies Option<LogLevel>,
  logLevels: {
    takes: "<levels>",
    help: "levels of areas that have another one, such as connection=warn,queue=debug",
    allowed: `'none', or levels of ${logAreas.join(", ")} such as connection=warn, separated by commas`,
    parse: parseAreaLevels,
    fallback: (): AreaLevels => new Map(),
    fallbackText: "none",
    write: (levels) => [...levels].map(([area, level]) => `${area}=${level}`).join(",") || "none",
    keys: logAreas.map((area) => `log.${area}.level`),
    read: (lines) => lines.map(({ key, value }) => `${key[1]}=${value}`).join(","),
    otherEnv: [logVariable],
    readOther: (given) => partsOf(given).filter(isOfArea).join(",") || undefined,
  } satisfies Option<AreaLevels>,
  logConsole: {
    takes: "<where>",
    help: "where the log goes besides a file",
    allowed: "stdout, stderr or none; for log.console true or false",
    parse: oneOf("stdout", "stderr", "none").parse,
    fallback: (): Console | undefined => undefined,
    fallbackText: "stdout, or none when there is a file",
    keys: ["log.console", "log.console.stdio"],
    read: consoleIn,
    otherEnv: [logsVariable],
    readOther: (given) => (given === "-" ? "stdout" : given === "-stderr" ? "stderr" : "none"),
  } satisfies Option<Console | undefined>,
  logFormat: {
    takes: "<format>",
    help: "how lines of the log look there",
    ...oneOf("json", "plaintext", "auto"),
    fallback: (): LogFormat => "auto",
    fallbackText: "plaintext on a terminal, else json",
    keys: ["log.console.formatter"],
    otherEnv: [logVariable],
    readOther: formatIn,
  } satisfies Option<LogFormat>,
  logFile: {
    takes: "<file>",
    help: "file that the log goes to, opened again at SIGHUP; 'none' for none",
    ...text("a file"),
    fallback: (): string | undefined => undefined,
    fallbackText: "none",
    keys: ["log.file"],
    read: (lines) => lines.at(-1)?.value.replace(/^false$/, "none"),
    otherEnv: [logsVariable],
    readOther: (given) => (given.startsWith("-") ? "none" : given),
  } satisfies Option<string | undefined>,
  logDir: {
    takes: "<path>",
    help: "directory of that file; set alone, the file there has the node's name",
    ...text("a path"),
    fallback: (): string | undefined => undefined,
    fallbackText: "log in the data directory",
    keys: ["log.dir"],
    otherEnv: ["RABBITMQ_LOG_BASE"],
  } satisfies Option<string | undefined>,
  logFileLevel: {
    takes: "<level>",
    help: "least level of lines in the file",
    allowed: levelText,
    parse: findLogLevel,
    fallback: (): LogLevel | undefined => undefined,
    fallbackText: "same as logLevel",
    keys: ["log.file.level"],
    otherEnv: [logVariable],
    readOther: levelIn,
  } satisfies Option<LogLevel | undefined>,
  logFileFormat: {
    takes: "<format>",
    help: "how lines of the file look",
    ...oneOf("json", "plaintext"),
    fallback: (): LogFileConfig["format"] => "json",
    keys: ["log.file.formatter"],
    otherEnv: [logVariable],
    readOther: formatIn,
  } satisfies Option<LogFileConfig["format"]>,
} as const;

/** The parts of RABBITMQ_LOG that mean nothing here: areas of what is not built, and looks of text. */
export function meaninglessParts(given: string): readonly string[] {
  return partsOf(given).filter((part) => (part.includes("=") ? !isOfArea(part) : /^[+-](?!json$)/.test(part)));
}

function partsOf(given: string): readonly string[] {
  return given.split(",").map((part) => part.trim());
}

function isOfArea(part: string): boolean {
  return logAreas.some((area) => part.startsWith(`${area}=`));
}

function levelIn(given: string): string | undefined {
  return partsOf(given).findLast((part) => !/[=+-]/.test(part));
}

function formatIn(given: string): LogFileConfig["format"] | undefined {
  const said = partsOf(given).findLast((part) => part === "+json" || part === "-json");
  return said === undefined ? undefined : said === "+json" ? "json" : "plaintext";
}

function consoleIn(lines: readonly ConfigLine[]): string {
  const lastOf = (length: number) => lines.findLast(({ key }) => key.length === length)?.value;
  const isOn = lastOf(2) ?? "true";
  if (isOn === "false") return "none";
  return isOn === "true" ? (lastOf(3) ?? "stdout") : isOn;
}
