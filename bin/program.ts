import { Command, CommanderError } from "commander";
import { version } from "../src/version.ts";

/** What scripts can tell failures apart by; a broker that cannot be reached has the status it has in rabbitmqctl. */
export const exitStatus = { failure: 1, usage: 2, unavailable: 69 } as const;

/** A command with the broker's version and one-line errors; subcommands take both from it. */
export function newProgram(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(errorLine(name, text)) });
}

/** Parses the arguments and runs a command; ends the process when they are wrong. */
export async function run(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : exitStatus.usage;
  }
}

/** Ends the process with one line on standard error. */
export function fail(name: string, status: number, message: string): never {
  process.stderr.write(errorLine(name, message));
  process.exit(status);
}

function errorLine(name: string, text: string): string {
  return `${name}: ${text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")}\n`;
}
