import type { CommandSpec } from "./command.ts";
import { ArgumentError, CommandError, exitCode } from "./command-error.ts";
import type { Context } from "./context.ts";
import { type FormatterName, formatterNames } from "./formatters.ts";
import type { GlobalOptions } from "./global-options.ts";
import { defaultUrl, findLogin, type LoginFile } from "./login.ts";
import { ManagementClient } from "./management-client.ts";
import { Output } from "./output.ts";
import type { Terminal } from "./terminal.ts";
import { type TlsFlags, tlsTrust } from "./tls-trust.ts";

/** All that the program does to the world outside, short of talking to the broker. */
export interface Effects {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  /** Whether somebody can be asked for a password. */
  readonly isInteractive: boolean;
  write(text: string): void;
  writeError(text: string): void;
  /** The configuration file; undefined when there is none. */
  readLoginFile(): LoginFile | undefined;
}

/** What a command gets, from what its command line says. */
export function newContext(program: string, spec: CommandSpec, globals: GlobalOptions, effects: Effects): Context {
  const seconds = timeoutSeconds(globals.timeout, spec.timeoutSeconds);
  const deadline = seconds === undefined ? new AbortController().signal : deadlineIn(seconds);
  const { env, terminal, isInteractive, write } = effects;
  const login = findLogin({
    flags: { url: globals.url ?? urlAt(globals), user: globals.user ?? globals.username },
    env,
    tls: tlsTrust(tlsFlags(globals), "--ssl"),
    file: effects.readLoginFile(),
    ask: isInteractive ? (prompt) => terminal.secret(prompt) : undefined,
  });
  const api = new ManagementClient(login, deadline);
  const output = new Output(
    {
      formatter: formatterNamed(globals.formatter),
      quiet: globals.quiet === true,
      silent: globals.silent === true,
      headers: globals.tableHeaders !== false,
    },
    write,
  );
  const timeoutText = seconds === undefined ? "unlimited" : `${seconds.toFixed(1)} seconds`;
  const { vhost = "/" } = globals;
  const node = async () => String((await api.item("/overview"))["node"]);
  return { program, api, givenVhost: globals.vhost, vhost, output, terminal, timeoutText, deadline, node };
}

function tlsFlags({ sslCaCertFile, sslCertFile, sslKeyFile, sslInsecure }: GlobalOptions): TlsFlags {
  return { caCertFile: sslCaCertFile, certFile: sslCertFile, keyFile: sslKeyFile, insecure: sslInsecure };
}

/** The address that rabbitmqadmin's options make; undefined when none of them is given. */
function urlAt({ host, port, ssl }: GlobalOptions): string | undefined {
  if (host === undefined && port === undefined && ssl !== true) return undefined;
  const usual = new URL(defaultUrl);
  const name = host?.includes(":") === true ? `[${host}]` : (host ?? usual.hostname);
  return ssl === true ? `https://${name}:${port ?? 15_671}` : `http://${name}:${port ?? usual.port}`;
}

const maxTimeoutSeconds = 2 ** 31 / 1000 - 1;

function timeoutSeconds(given: string | undefined, usual: CommandSpec["timeoutSeconds"]): number | undefined {
  if (given === undefined) return usual === "unlimited" ? undefined : usual;
  if (given === "infinity") return undefined;
  if (!/^\d+(\.\d+)?$/.test(given)) throw new ArgumentError(`Invalid options for this command:\n--timeout : ${given}`);
  return Math.min(Number(given), maxTimeoutSeconds);
}

/** A signal that aborts then; at once when there is no time at all. */
function deadlineIn(seconds: number): AbortSignal {
  return seconds === 0 ? AbortSignal.abort() : AbortSignal.timeout(Math.ceil(seconds * 1000));
}

function formatterNamed(name: string | undefined): FormatterName | undefined {
  const found = formatterNames.find((known) => known === name);
  if (name === undefined || found !== undefined) return found;
  throw new CommandError(exitCode.failure, `There is no formatter '${name}', only ${formatterNames.join(", ")}`);
}
