import { Argument, Command, CommanderError, Option } from "commander";
import { version } from "../src/version.ts";
import { type CommandSpec, groups } from "./command.ts";
import { ArgumentError, CommandError, exitCode } from "./command-error.ts";
import { adminCommands } from "./commands/admin.ts";
import { adminListCommands } from "./commands/admin-list.ts";
import { authAttemptCommands } from "./commands/auth-attempts.ts";
import { awaitCommands } from "./commands/await.ts";
import { backupCommand } from "./commands/backup.ts";
import { checkCommand } from "./commands/check.ts";
import { completionCommands } from "./commands/completion.ts";
import { connectionCommands } from "./commands/connections.ts";
import { definitionCommands } from "./commands/definitions.ts";
import { environmentCommand } from "./commands/environment.ts";
import { healthCommands } from "./commands/health.ts";
import { limitCommands } from "./commands/limits.ts";
import { listingCommands } from "./commands/listings.ts";
import { messageCommands } from "./commands/messages.ts";
import { nodeStateCommands } from "./commands/node-state.ts";
import { nothingToDoCommands } from "./commands/nothing-to-do.ts";
import { parameterCommands } from "./commands/parameters.ts";
import { permissionCommands } from "./commands/permissions.ts";
import { pingCommand } from "./commands/ping.ts";
import { pluginCommands } from "./commands/plugins.ts";
import { policyCommands } from "./commands/policies.ts";
import { queueCommands } from "./commands/queues.ts";
import { statusCommands } from "./commands/status.ts";
import { userCommands } from "./commands/users.ts";
import { vhostCommands } from "./commands/vhosts.ts";
import type { CompletionWords } from "./completion-scripts.ts";
import type { Context } from "./context.ts";
import { failureOf, UsageFailure } from "./failure.ts";
import { formatterNames } from "./formatters.ts";
import { type GlobalOptions, globalOptions, helpOption } from "./global-options.ts";
import { type Effects, newContext } from "./new-context.ts";

/** All commands, but those that come with the program itself. */
const commands: readonly CommandSpec[] = [
  ...userCommands,
  ...permissionCommands,
  ...vhostCommands,
  ...limitCommands,
  ...queueCommands,
  ...messageCommands,
  ...listingCommands,
  ...policyCommands,
  ...parameterCommands,
  ...definitionCommands,
  backupCommand,
  checkCommand,
  ...connectionCommands,
  pingCommand,
  ...statusCommands,
  environmentCommand,
  ...healthCommands,
  ...authAttemptCommands,
  ...nodeStateCommands,
  ...awaitCommands,
  ...nothingToDoCommands,
  ...adminCommands,
  ...adminListCommands,
];

const afterHelp = `
The password is asked for, or read from TSBROKER_PASSWORD, or from ~/.config/tsbroker, where lines say
url = ..., user = ... and password = ... . On the broker's machine guest needs none.

Examples:
  $ brokerctl list_queues name messages consumers
  $ brokerctl add_user app && brokerctl set_permissions app '.*' '.*' '.*'
  $ brokerctl --url https://broker.example:15671 --user admin list_connections --formatter json`;

/** The program under a name: rabbitmq-plugins has commands of its own, every other name has all of the others. */
export function brokerctlProgram(name: string, effects: Effects): Command {
  const program = new Command(name)
    .description("Looks after a running broker over its HTTP API, with the commands of rabbitmqctl and rabbitmqadmin")
    .usage("[options] <command> [arguments]")
    .version(version, "-V, --version", "print the version")
    .addHelpOption(helpOption())
    .addHelpCommand(new Command("help").argument("[command]").description("explains a command").helpGroup("Help:"))
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: effects.write, writeErr: effects.writeError, outputError: () => {} })
    .configureHelp({ sortSubcommands: true, subcommandTerm: (command) => command.name() })
    .addHelpText("after", afterHelp.replaceAll("brokerctl", name));
  for (const option of globalOptions()) program.addOption(option);
  const own =
    name === "rabbitmq-plugins"
      ? pluginCommands
      : [...commands, ...completionCommands(() => words(program), optionValues())];
  for (const group of groups) {
    const specs = own.filter((spec) => spec.group === group);
    for (const spec of specs) program.addCommand(build(program, spec, effects), { hidden: spec.isHidden });
  }
  return program;
}

/** Runs a command line, and returns what the process is to end with. */
export async function runBrokerctl(program: Command, args: readonly string[], effects: Effects): Promise<number> {
  try {
    // `-?` is rabbitmqctl's other name for --help, which commander cannot have as a flag.
    await program.parseAsync(
      args.map((arg) => (arg === "-?" ? "--help" : arg)),
      { from: "user" },
    );
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const { code, text } = failureOf(error, program);
    effects.writeError(text);
    return code;
  }
}

/** Commander's form of a command. */
function build(program: Command, spec: CommandSpec, effects: Effects): Command {
  const command = new Command(spec.name)
    .description(spec.summary)
    .helpGroup(`${spec.group}:`)
    .copyInheritedSettings(program)
    .addHelpOption(helpOption())
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : new UsageFailure(error, command);
    });
  for (const [term, summary] of Object.entries(spec.arguments)) command.addArgument(new Argument(term, summary));
  const options = Object.entries(spec.options).map(
    ([key, { flags, summary }]) => [key, new Option(flags, summary)] as const,
  );
  for (const [, option] of options) command.addOption(option);
  const isTaken = ({ long, short }: Option) =>
    options.some(([, own]) => own.long === long || (short !== undefined && own.short === short));
  for (const option of globalOptions()) if (!isTaken(option)) command.addOption(option);
  if (spec.details !== "") command.addHelpText("after", `\n${spec.details}`);
  return command.action(() => act(program, command, spec, effects));
}

async function act(program: Command, command: Command, spec: CommandSpec, effects: Effects): Promise<void> {
  const own = new Map(Object.entries(spec.options).map(([key, option]) => [attributeOf(option.flags), key]));
  const given = Object.entries(givenOptions(command));
  const globals: GlobalOptions = {
    ...givenOptions(program),
    ...Object.fromEntries(given.filter(([attribute]) => !own.has(attribute))),
  };
  try {
    const options = readOptions(spec, Object.fromEntries(given.map(([attribute, text]) => [own.get(attribute), text])));
    const context = newContext(program.name(), spec, globals, effects);
    if (globals.dryRun === true) return;
    await withinDeadline(context, spec.name, () => spec.run(context, argumentsOf(command), options));
  } catch (error) {
    throw error instanceof ArgumentError ? new UsageFailure(error, command) : error;
  }
}

/** Makes the end of the time a failure of its own, whatever was interrupted by it. */
async function withinDeadline(context: Context, name: string, work: () => unknown): Promise<void> {
  try {
    context.deadline.throwIfAborted();
    await work();
  } catch (error) {
    if (!context.deadline.aborted) throw error;
    throw timedOut(context, name, error);
  }
}

function timedOut({ api, timeoutText }: Context, name: string, cause: unknown): CommandError {
  const text = `operation ${name} on ${api.url} timed out. Timeout value used: ${timeoutText}`;
  return new CommandError(exitCode.temporary, text, { cause });
}

/** The options that stand on the command line, without what commander adds. */
function givenOptions(command: Command): Readonly<Record<string, unknown>> {
  const given = Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) === "cli");
  return Object.fromEntries(given);
}

function readOptions(spec: CommandSpec, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(spec.options).map(([key, option]) => {
      const value = given[key];
      return [key, option.read(typeof value === "string" || value === true ? value : undefined)];
    }),
  );
}

function argumentsOf(command: Command): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    command.registeredArguments.map((argument, index) => [
      argument.name(),
      command.processedArgs[index] ?? (argument.variadic ? [] : undefined),
    ]),
  );
}

function attributeOf(flags: string): string {
  return new Option(flags).attributeName();
}

/** What can follow each command on a command line. */
function words(program: Command): CompletionWords {
  const visible = program.createHelp().visibleCommands(program);
  const flagsOf = (command: Command) =>
    command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long }) => (long == null ? [] : [long]));
  return new Map([
    ["", [...visible.map((command) => command.name()), ...flagsOf(program)]],
    ...visible.map((command) => [command.name(), [...wordsFor(command.name()), ...flagsOf(command)]] as const),
  ]);
}

/** What can follow options that have few values. */
function optionValues(): CompletionWords {
  const options = commands.flatMap((spec) => Object.values(spec.options));
  const chosen = options.flatMap(({ flags, words: values = [] }) => {
    const [long = ""] = /--[\w-]+/.exec(flags) ?? [];
    return values.length === 0 ? [] : [[long, values] as const];
  });
  return new Map([["--formatter", formatterNames], ...chosen]);
}

/** Columns and kinds that a command's arguments choose from. */
function wordsFor(name: string): readonly string[] {
  const spec = commands.find((candidate) => candidate.name === name);
  return spec?.words ?? [];
}
