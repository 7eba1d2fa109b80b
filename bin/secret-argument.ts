import { CommandError, exitCode } from "./command-error.ts";
import type { Context } from "./context.ts";

/**
 * A password that may be an argument, as rabbitmqctl takes it; without one it is asked for, or read from standard input.
 * What stands on a command line has been seen by the shell's history at least, so people are told of the other way.
 */
export async function secretArgument(given: string | undefined, { terminal }: Context): Promise<string> {
  if (given === undefined) return askedSecret(terminal);
  terminal.note("warning: leave the password out to be asked for it; here others can see it, and the shell keeps it");
  return given;
}

/** A password that is asked for. None at all is a mistake of the script, and no password. */
export async function askedSecret(terminal: Context["terminal"]): Promise<string> {
  const secret = await terminal.secret("Password: ");
  if (secret !== "") return secret;
  throw new CommandError(exitCode.dataError, "No password was given, neither as an argument nor on standard input");
}
