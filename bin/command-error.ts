/** What brokerctl ends with: the codes of sysexits.h that rabbitmqctl uses, for the same reasons. */
export const exitCode = {
  failure: 1,
  usage: 64,
  dataError: 65,
  noUser: 67,
  unavailable: 69,
  software: 70,
  temporary: 75,
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Why a command could not do what it was asked to: the text for people, and the code for scripts. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The arguments make no sense; who called sees them again, with the usage of the command. */
export class ArgumentError extends CommandError {
  override readonly name = "ArgumentError";

  constructor(message: string, code: ExitCode = exitCode.usage) {
    super(code, message);
  }
}

/** There is no such vhost. */
export function noSuchVhost(vhost: string): CommandError {
  return new CommandError(exitCode.dataError, `Virtual host '${vhost}' does not exist`);
}

/** There is no such user. */
export function noSuchUser(username: string): CommandError {
  return new CommandError(exitCode.noUser, `User "${username}" does not exist`);
}
