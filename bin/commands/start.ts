import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { Command, Option } from "commander";
import type { Broker } from "../../src/broker.ts";
import { type Config, configFileEnv, loadConfig } from "../../src/config.ts";
import { ConfigError } from "../../src/config-file.ts";
import { options } from "../../src/config-options.ts";
import type { Logger, LogOutput } from "../../src/log.ts";
import { envOf, fallbackText, flagOf, type Option as Setting } from "../../src/option-types.ts";
import { startWriter } from "../../src/store/writer-thread.ts";
import { version } from "../../src/version.ts";
import { exitStatus, fail } from "../program.ts";
import { startErrorText } from "../start-error.ts";

const afterHelp = `
A flag counts more than its environment variable, and that more than the configuration file, which is in the format of
rabbitmq.conf. The environment variables of RabbitMQ's image for the default user, password and virtual host work too.

Examples:
  $ tsbroker start
  $ tsbroker start --host 127.0.0.1 --data-dir ./data --log-level debug
  $ TSBROKER_DEFAULT_USER=app TSBROKER_DEFAULT_PASS=secret tsbroker start --config tsbroker.conf`;

/**
 * Keeps V8 from growing the space for new objects up to 16 MiB, twice, as connections come. Messages are no objects, so that
 * would save next to nothing. Set once the writer's thread runs, as a new thread takes the flag back.
 */
const youngGeneration = "--semi-space-growth-factor=1";

/** What is written is for the owner alone. */
const ownerOnly = 0o077;

/** `tsbroker start`: runs a broker until a signal ends it. */
export function startCommand(): Command {
  const command = new Command("start").description("start a broker and run it until SIGTERM or SIGINT");
  for (const [name, setting] of Object.entries<Setting<unknown>>(options)) {
    const text = `${setting.help} (default: ${fallbackText(setting)}) [${envOf(name)}]`;
    command.addOption(new Option(`${flagOf(name)} ${setting.takes}`, text));
  }
  command.option(
    "--print-url",
    "for tests: print nothing but the URL that clients connect to, and log to standard error; in memory unless there is a " +
      "--data-dir, on free ports of this machine unless others are given",
  );
  command.option("--config <file>", `configuration file [${configFileEnv.join(", ")}]`);
  return command
    .addHelpText("after", afterHelp)
    .action(({ printUrl, ...flags }: StartFlags) => (printUrl === true ? startForTests(flags) : start(flags)));
}

type Flags = Readonly<Record<string, string | undefined>>;
type StartFlags = Flags & { readonly printUrl?: true };

/** What a broker of a test is set up with where nothing else is asked for. */
const testFlags = {
  ...{ host: "127.0.0.1", port: "0", managementPort: "0", prometheusPort: "none" },
  ...{ logLevel: "warn", logConsole: "stderr" },
};

async function startForTests(flags: Flags): Promise<void> {
  const isInMemory = flags["dataDir"] === undefined;
  await start({ ...testFlags, ...flags }, { isInMemory, announce: printUrl });
}

/** How a start differs from that of a service. */
interface StartManner {
  readonly isInMemory: boolean;
  /** `log` is for a line that is logged whatever its level. */
  readonly announce: (broker: Broker, config: Config, log: Logger) => void;
}

const asService: StartManner = { isInMemory: false, announce };

async function start(flags: Flags, manner: StartManner = asService): Promise<void> {
  hideSecrets(flags);
  const { config, warnings, secretFiles } = readConfig(flags);
  const { isInMemory: inMemory } = manner;
  process.umask(ownerOnly);
  // Its thread starts while the broker is loaded here: half of a start's time is loading.
  const writer = inMemory ? undefined : startWriter(config.dataDir);
  const [{ openBroker }, { createLog, LogLines }] = await Promise.all([
    import("../../src/broker.ts"),
    import("../../src/log.ts"),
  ]);
  const lines = new LogLines(await outputsOf(config), config.logLevels);
  const log = createLog(config.logLevel, lines);
  for (const warning of warnings) log.warn(warning);
  for (const file of secretFiles.filter(isOpenToAll))
    log.warn({ file }, "a file with secrets can be read by everybody");
  const atHangup = hangups();
  const stopSignal = firstSignal();
  const readAgain = () => {
    const { config: given, warnings: more } = loadedConfig(flags);
    for (const warning of more) log.warn(warning);
    return given;
  };
  const broker = await openBroker(config, {
    log,
    lines,
    readAgain,
    inMemory,
    ...(writer !== undefined && { writer }),
  }).catch((error: unknown) => fail("tsbroker", exitStatus.failure, startErrorText(error, config)));
  setFlagsFromString(youngGeneration);
  manner.announce(broker, config, createLog("info", { write: (line) => lines.announce(line) }));
  atHangup(() => reload(broker, log));
  log.info({ signal: await stopSignal }, "stopping");
  await broker
    .stop("shutdown")
    .catch((error: unknown) => fail("tsbroker", exitStatus.failure, startErrorText(error, config)));
  process.exit(0);
}

/** A password among the flags does not stay in the list of processes, which everybody can see. */
function hideSecrets(flags: Flags): void {
  const isGiven = ([name, { isSecret }]: [string, Setting<unknown>]) => isSecret === true && flags[name] !== undefined;
  if (Object.entries<Setting<unknown>>(options).some(isGiven)) process.title = "tsbroker start";
}

async function outputsOf(config: Config): Promise<readonly LogOutput[]> {
  const { logOutputs } = await import("../log-outputs.ts");
  return await logOutputs(config).catch((error: unknown) =>
    fail("tsbroker", exitStatus.failure, startErrorText(error, config)),
  );
}

/** Nobody waits for an answer: what is wrong is logged. */
function reload(broker: Broker, log: Logger): void {
  try {
    broker.reload();
  } catch (error) {
    log.error({ err: error }, "configuration and certificates stay as they were");
  }
}

/** Whether every user of the machine may read a file; one that is missing is somebody else's matter. */
function isOpenToAll(file: string): boolean {
  return ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0;
}

function loadedConfig(flags: Flags): ReturnType<typeof loadConfig> {
  return loadConfig({
    flags,
    env: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    readDirectory: (path) => (statSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path) : undefined),
    exists: existsSync,
  });
}

function readConfig(flags: Flags): ReturnType<typeof loadConfig> {
  try {
    return loadedConfig(flags);
  } catch (error) {
    if (error instanceof ConfigError) fail("tsbroker", exitStatus.usage, error.message);
    throw error;
  }
}

/** Returns what says what SIGHUP does. One that comes before, during a start, does not end the process but waits. */
function hangups(): (act: () => void) => void {
  let act: (() => void) | undefined;
  let waits = false;
  process.on("SIGHUP", () => {
    if (act === undefined) waits = true;
    else act();
  });
  return (given) => {
    act = given;
    if (waits) given();
  };
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once, whatever is still to be done. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(exitStatus.failure);
      stopping = true;
      resolve(signal);
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  });
}

/**
 * One line that says where the broker is: text for a person at a terminal, else in the log, whatever its level short of
 * silent. It starts with the words that scripts for RabbitMQ wait for.
 */
function announce({ core, ports }: Broker, config: Config, log: Logger): void {
  const amqp = [...urls("amqp", config.host, ports.amqp), ...urls("amqps", config.ssl?.host, ports.amqps)].join(" ");
  const management = [
    ...urls("http", config.managementHost, ports.http),
    ...urls("https", config.managementSsl?.host, ports.https),
  ].join(" ");
  const { dataDir = "in memory" } = core;
  const line = `Server startup complete; tsbroker ${version} ready: ${amqp}, management ${management}, data ${dataDir}`;
  if (config.logLevel === "silent") return;
  const { console, file } = config.log;
  const isLogged = file !== undefined || (console?.to === "stdout" && !process.stdout.isTTY);
  if (isLogged) log.info({ amqp, management, dataDir }, line);
  if (process.stdout.isTTY || console?.to !== "stdout") process.stdout.write(`${line}\n`);
}

/** One line, with the login of the first user. */
function printUrl({ ports }: Broker, { host, defaultUser, defaultPass, defaultVhost }: Config): void {
  const [address = ""] = urls("amqp", host, ports.amqp);
  const login = [defaultUser, defaultPass].map(encodeURIComponent).join(":");
  const vhost = defaultVhost === "/" ? "" : `/${encodeURIComponent(defaultVhost)}`;
  process.stdout.write(`${address.replace("//", `//${login}@`)}${vhost}\n`);
}

function urls(scheme: string, host: string | undefined, port: number | undefined): string[] {
  return port === undefined ? [] : [`${scheme}://${spelled(host)}:${port}`];
}

/** The address that is listened on, as URLs spell it; `[::]` stands for all of IPv6 and IPv4. */
function spelled(host = "::"): string {
  return host.includes(":") ? `[${host}]` : host;
}
