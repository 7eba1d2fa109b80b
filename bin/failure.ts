import { type Command, CommanderError } from "commander";
import { type ArgumentError, CommandError, type ExitCode, exitCode } from "./command-error.ts";
import { printable } from "./formatters.ts";
import { ApiError } from "./management-client.ts";

const passwordSources = "the password is read from TSBROKER_PASSWORD or ~/.config/tsbroker, or asked for";

/** The command line makes no sense for a command that is known. */
export class UsageFailure extends Error {
  override readonly name = "UsageFailure";
  readonly command: Command;
  readonly code: ExitCode;

  constructor(cause: CommanderError | ArgumentError, command: Command) {
    super(cause instanceof CommanderError ? commanderText(cause) : cause.message, { cause });
    this.command = command;
    this.code = cause instanceof CommanderError ? exitCode.usage : cause.code;
  }
}

/** What the process ends with, and what it says before. */
export interface Failure {
  readonly code: ExitCode;
  readonly text: string;
}

/** Explains why a command line failed. Faults of our own are thrown on. */
export function failureOf(error: unknown, program: Command): Failure {
  const { code, text } = explain(error, program);
  // Names that the broker tells of must not steer a terminal.
  const parts = text.split(/([\n\t])/).map((part, index) => (index % 2 === 0 ? printable(part) : part));
  return { code, text: parts.join("") };
}

function explain(error: unknown, program: Command): Failure {
  if (error instanceof UsageFailure) return usageFailure(error);
  if (error instanceof CommanderError) return unknownCommand(error, program);
  if (error instanceof CommandError) return { code: error.code, text: `Error:\n${error.message}\n` };
  if (error instanceof ApiError) return refusal(error);
  if (isSystemError(error)) return { code: exitCode.dataError, text: `Error:\n${error.message}\n` };
  throw error;
}

function usageFailure({ message, command, code }: UsageFailure): Failure {
  const usage = command.createHelp().commandUsage(command);
  const lines = [
    `Error (argument validation): ${message}`,
    ...givenText(command),
    "",
    "Usage",
    "",
    usage,
    "",
    `Use '${usage.split(" ")[0]} help ${command.name()}' to learn more`,
  ];
  return { code, text: `${lines.join("\n")}\n` };
}

/** What was given, for scripts to be mended; passwords are not repeated. */
function givenText(command: Command): string[] {
  if (command.registeredArguments.some((argument) => argument.name() === "password")) return [];
  return ["Arguments given:", `\t${[command.name(), ...command.args].join(" ")}`];
}

/** Commander's complaint in the words of rabbitmqctl. */
function commanderText({ code, message }: CommanderError): string {
  switch (code) {
    case "commander.missingArgument":
      return "not enough arguments.";
    case "commander.excessArguments":
      return "too many arguments.";
    case "commander.unknownOption":
    case "commander.optionMissingArgument":
      return `Invalid options for this command:\n${optionText(message)}`;
    default:
      return optionText(message);
  }
}

/** A complaint of an option, with what to do instead of one that rabbitmqadmin has. */
function optionText(message: string): string {
  const text = plainText(message);
  return text.includes("'--password'") ? `${text}: ${passwordSources}` : text;
}

function unknownCommand({ code, message }: CommanderError, program: Command): Failure {
  // Commander has printed the help already when there is no command at all.
  if (code === "commander.help") return { code: exitCode.usage, text: "" };
  const text = optionText(message);
  const [, name, suggestion] = /^unknown command '(.*?)'(?:.*\(Did you mean (?:one of )?(.*?)\?\))?$/.exec(text) ?? [];
  if (name === undefined) return { code: exitCode.usage, text: `Error (argument validation): ${text}\n` };
  const meant = `Did you mean '${suggestion}'?`;
  const advice = suggestion === undefined ? `Use '${program.name()} help' to see all commands` : meant;
  return { code: exitCode.usage, text: `\nCommand '${name}' not found.\n${advice}\n\n` };
}

function plainText(message: string): string {
  return message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
}

function refusal({ status, message }: ApiError): Failure {
  if (status !== 401) return { code: exitCode.unavailable, text: `Error:\n${message}\n` };
  if (message === "Login failed" || message === "User can only log in via localhost") {
    const advice = `The user comes from --user or TSBROKER_USER; ${passwordSources}`;
    return { code: exitCode.dataError, text: `Error:\n${message}\n\n${advice}\n` };
  }
  const advice = "The user lacks the tag or the permission for this: see set_user_tags and set_permissions";
  return { code: exitCode.unavailable, text: `Error:\nNot permitted: ${message}\n\n${advice}\n` };
}

/** What Node.js throws when the system refuses: a file that cannot be written, for one. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error && "code" in error;
}
