import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isRecord } from "../cells.ts";
import { command, flag, text } from "../command.ts";
import { ArgumentError, CommandError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";
import { type ManagementClient, path } from "../management-client.ts";

const format = text("--format <format>", "json, the only one there is");

const exportDefinitions = command({
  name: "export_definitions",
  group: "Definitions and backup",
  summary: "writes users, virtual hosts, queues, exchanges, bindings, policies and so on to a file",
  arguments: { "<file>": "where to; - is standard output" },
  options: { format },
  run: async (context, { file }, options) => {
    checkFormat(options.format);
    await exportTo(context, file, "/definitions");
  },
});

/** Writes the definitions that are at this place in the API to a file, or to standard output. */
async function exportTo({ api, output }: Context, file: string, at: string): Promise<void> {
  if (file !== "-" && !existsSync(dirname(file))) {
    throw new ArgumentError(`Bad argument: Directory ${dirname(file)} does not exist`, exitCode.dataError);
  }
  if (file !== "-") output.banner(`Exporting definitions in JSON to a file at "${file}" ...`);
  const text = `${await bodyOf(api, at)}\n`;
  if (file === "-") output.raw(text);
  // Hashes of passwords are in it, so nobody else needs to read it.
  else writeFileSync(file, text, { mode: 0o600 });
}

const importDefinitions = command({
  name: "import_definitions",
  group: "Definitions and backup",
  summary: "adds what is in a file of definitions; all of it, or nothing when some of it is wrong",
  arguments: { "[file]": "where from; - is standard input, as is nothing" },
  options: { format, skip: flag("--skip-if-unchanged", "accepted for RabbitMQ's sake; what is there already stays") },
  timeoutSeconds: "unlimited",
  run: async (context, { file = "-" }, options) => {
    checkFormat(options.format);
    await importFrom(context, file, "/definitions");
  },
});

/** Sends the definitions of a file, or of standard input, to this place in the API. */
async function importFrom(context: Context, file: string, at: string): Promise<void> {
  const fromInput = file === "-";
  if (!fromInput && !existsSync(file)) {
    throw new ArgumentError(`Bad argument: File ${file} does not exist`, exitCode.dataError);
  }
  const place = fromInput ? "standard input" : `a file at "${file}"`;
  context.output.banner(`Importing definitions in JSON from ${place} ...`);
  const bytes = fromInput ? await context.terminal.input() : readFileSync(file);
  checkJson(bytes);
  await upload(context, bytes, at);
}

const exportAll = command({
  name: "export",
  group: "As rabbitmqadmin",
  summary: "writes the definitions to a file; those of one virtual host with -p",
  arguments: { "<file>": "where to; - is standard output" },
  run: (context, { file }) => exportTo(context, file, placeFor(context)),
});

const importAll = command({
  name: "import",
  group: "As rabbitmqadmin",
  summary: "adds what is in a file of definitions, or all that another broker has; to one virtual host with -p",
  arguments: { "[file]": "where from; - is standard input" },
  options: {
    from: text(
      "--from <url>",
      "instead of a file, a broker's HTTP API: http://user:password@host:15672. Its definitions are copied, the messages of its " +
        "queues moved, and their counts checked",
    ),
    amqp: text(
      "--from-amqp <url>",
      "where that broker's AMQP is, if it is not ten thousand ports below: amqp://host:5672, amqps://host:5671",
    ),
    caCertFile: text(
      "--from-ssl-ca-cert-file <file>",
      "for https: and amqps: there: trust the authorities in it, and no others",
    ),
    certFile: text("--from-ssl-cert-file <file>", "the certificate to show there"),
    keyFile: text("--from-ssl-key-file <file>", "its key"),
    insecure: flag(
      "--from-ssl-insecure",
      "trust any certificate there: nothing keeps a stranger from reading the password",
    ),
    definitionsOnly: flag("--definitions-only", "leave its messages where they are"),
  },
  timeoutSeconds: "unlimited",
  run: async (context, { file }, { from, amqp: amqpUrl, definitionsOnly, ...tls }) => {
    if (from !== undefined && file !== undefined) {
      throw new ArgumentError("Bad argument: a file and --from are two places to import from", exitCode.usage);
    }
    if (from === undefined) return importFrom(context, file ?? "-", placeFor(context));
    // What speaks AMQP is for this alone.
    const { importFromBroker } = await import("./import-from.ts");
    await importFromBroker(context, { url: from, amqpUrl, definitionsOnly, tls });
  },
});

function placeFor({ givenVhost }: Context): string {
  return givenVhost === undefined ? "/definitions" : path`/definitions/${givenVhost}`;
}

/** The answer as it is: numbers in it may have more digits than numbers here can hold. */
async function bodyOf(api: ManagementClient, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  await api.request("GET", path, { sink: { start: () => {}, write: (chunk) => chunks.push(chunk) } });
  return Buffer.concat(chunks).toString("utf8");
}

/** Sends the definitions, and shows how much of them is there, and then that they are being applied. */
async function upload({ api, terminal }: Context, bytes: Buffer, at: string): Promise<void> {
  let progress = terminal.progress("Sending", bytes.length);
  const onSent = (sent: number) => {
    progress.update(sent);
    if (sent < bytes.length) return;
    progress.end();
    progress = terminal.progress("Applying", undefined);
  };
  try {
    await api.request("POST", at, { body: bytes, onSent });
  } finally {
    progress.end();
  }
}

function checkFormat(format: string | undefined): void {
  if (format === undefined || format.toLowerCase() === "json") return;
  throw new ArgumentError(
    "Bad argument: Formatter should be JSON; Erlang's format is not known here",
    exitCode.dataError,
  );
}

function checkJson(bytes: Buffer): void {
  try {
    if (isRecord(JSON.parse(bytes.toString("utf8")))) return;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw notDefinitions(reason, error);
  }
  throw notDefinitions("it is no object", undefined);
}

function notDefinitions(reason: string, cause: unknown): CommandError {
  const text = `Failed to deserialise input (format: JSON) (error: ${reason})`;
  return new CommandError(exitCode.dataError, text, { cause });
}

/** The commands about definitions. */
export const definitionCommands = [exportDefinitions, importDefinitions, exportAll, importAll];
