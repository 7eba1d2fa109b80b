import type { ManagementClient } from "./management-client.ts";
import type { Output } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** What a command gets besides its own arguments: everything that reaches out of it. */
export interface Context {
  /** The name it was called by. */
  readonly program: string;
  readonly api: ManagementClient;
  /** The vhost of -p; undefined when none was given. */
  readonly givenVhost: string | undefined;
  /** The vhost to work in. */
  readonly vhost: string;
  readonly output: Output;
  readonly terminal: Terminal;
  /** How long the command may take, as it is written to people. */
  readonly timeoutText: string;
  /** Aborts when the time for the command is over. */
  readonly deadline: AbortSignal;
  /** The name of the node, as the broker says it. */
  node(): Promise<string>;
}
