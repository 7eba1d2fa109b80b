import { Option } from "commander";
import { formatterNames } from "./formatters.ts";
import { defaultUrl, loginEnv } from "./login.ts";

/** What is the same for all commands, read from the command line. */
export interface GlobalOptions {
  readonly url?: string;
  readonly host?: string;
  readonly port?: string;
  readonly ssl?: boolean;
  readonly sslCaCertFile?: string;
  readonly sslCertFile?: string;
  readonly sslKeyFile?: string;
  readonly sslInsecure?: boolean;
  readonly user?: string;
  readonly username?: string;
  readonly vhost?: string;
  readonly timeout?: string;
  readonly formatter?: string;
  readonly tableHeaders?: boolean;
  readonly quiet?: boolean;
  readonly silent?: boolean;
  readonly dryRun?: boolean;
}

const group = "Options of all commands:";

const shown: readonly (readonly [flags: string, summary: string])[] = [
  ["--url <url>", `address of the broker's HTTP API (${defaultUrl}) [${loginEnv.url.join(", ")}]`],
  ["--user <name>", `who to log in as (guest) [${loginEnv.user[0]}]; the password: [${loginEnv.password[0]}]`],
  ["-H, --host <name>", "the broker's host, as rabbitmqadmin is told it, instead of --url"],
  ["-P, --port <number>", "the port of its HTTP API, likewise"],
  ["--ssl", "speak TLS, on port 15671 unless --port says another, likewise; the same as https: in --url"],
  ["--ssl-ca-cert-file <file>", "trust the authorities in it, and no others"],
  ["--ssl-cert-file <file>", "the certificate to show"],
  ["--ssl-key-file <file>", "its key"],
  ["-k, --ssl-insecure", "trust any certificate: nothing keeps a stranger from reading the password"],
  ["-u, --username <name>", "the same as --user, likewise"],
  ["-p, --vhost <name>", "virtual host to work in (/)"],
  ["-t, --timeout <seconds>", "how long to wait; infinity for ever"],
  ["-q, --quiet", "print the result and nothing else"],
  ["-s, --silent", "print neither messages nor the names of columns"],
  ["--formatter <name>", formatterNames.join(", ")],
  ["--no-table-headers", "print no names of columns"],
  ["--dry-run", "check the arguments and do nothing"],
  ["-n, --node <name>", "accepted for RabbitMQ's sake: --url says where the broker is"],
];

/** Options of rabbitmqctl that have no meaning here. Scripts pass them. */
const ignored: readonly string[] = [
  "-l, --longnames",
  "--erlang-cookie <cookie>",
  "--printer <name>",
  "--print-stacktrace",
  "--script-name <name>",
  "--rabbitmq-home <path>",
  "--data-dir <path>",
  "--mnesia-dir <path>",
  "--plugins-dir <path>",
  "--enabled-plugins-file <path>",
  "--aliases-file <path>",
];

/** The options of all commands. They may stand before the command and after it. */
export function globalOptions(): Option[] {
  const visible = shown.map(([flags, summary]) => new Option(flags, summary));
  const hidden = ignored.map((flags) => new Option(flags, "accepted for RabbitMQ's sake").hideHelp());
  return [...visible, ...hidden].map((option) => option.helpGroup(group));
}

/** `--help`, among the others. */
export function helpOption(): Option {
  return new Option("-h, --help", "print this help").helpGroup(group);
}
