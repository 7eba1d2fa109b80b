import { type CommandOption, command, text } from "../command.ts";
import { ArgumentError, CommandError, exitCode, noSuchVhost } from "../command-error.ts";
import { jsonObjectArgument } from "../json-argument.ts";
import { on, path } from "../management-client.ts";

const priority: CommandOption<number> = {
  flags: "--priority <number>",
  summary: "the higher one counts when two match (0)",
  read: (given) => {
    const number = given === undefined ? 0 : Number(given);
    if (given === "" || !Number.isInteger(number)) {
      throw new ArgumentError(`Invalid options for this command:\n--priority : ${given}`);
    }
    return number;
  },
};

const applyTo = text("--apply-to <what>", "queues, exchanges or all (all)", ["queues", "exchanges", "all"]);

/** The two kinds of policy, and what rabbitmqctl calls them. */
const kinds = {
  policy: { route: "policies", said: "policy", title: "a policy" },
  operator_policy: { route: "operator-policies", said: "operator policy override", title: "an operator policy" },
} as const;

type Kind = keyof typeof kinds;

function setCommand(kind: Kind) {
  const { route, said, title } = kinds[kind];
  return command({
    name: `set_${kind}`,
    group: "Policies and parameters",
    summary: `sets ${title} of a virtual host`,
    arguments: {
      "<name>": "its name",
      "<pattern>": "regular expression of the names it is for",
      "<definition>": 'what it sets, in JSON: {"max-length": 1000}',
    },
    options: { priority, applyTo },
    run: async ({ api, vhost, output }, { name, pattern, definition }, options) => {
      const what = `${said} "${name}" for pattern "${pattern}" to "${definition}"`;
      output.banner(`Setting ${what} with priority "${options.priority}" for vhost "${vhost}" ...`);
      await api
        .put(path`/${route}/${vhost}/${name}`, {
          pattern,
          definition: jsonObjectArgument(definition),
          priority: options.priority,
          "apply-to": options.applyTo ?? "all",
        })
        .catch(on(404, () => noSuchVhost(vhost)));
    },
  });
}

function clearCommand(kind: Kind) {
  const { route, title } = kinds[kind];
  return command({
    name: `clear_${kind}`,
    group: "Policies and parameters",
    summary: `takes ${title} away`,
    arguments: { "<name>": "its name" },
    run: async ({ api, vhost, output }, { name }) => {
      output.banner(`Clearing ${kind.replace("_", " ")} "${name}" on vhost "${vhost}" ...`);
      await api
        .delete(path`/${route}/${vhost}/${name}`)
        .catch(on(404, () => new CommandError(exitCode.unavailable, "Parameter does not exist")));
    },
  });
}

/** The commands about policies. */
export const policyCommands = [
  setCommand("policy"),
  clearCommand("policy"),
  setCommand("operator_policy"),
  clearCommand("operator_policy"),
];
