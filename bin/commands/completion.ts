import { type CommandSpec, command } from "../command.ts";
import { ArgumentError, exitCode } from "../command-error.ts";
import { type CompletionWords, completionScripts } from "../completion-scripts.ts";

/** Names by which the program can be called. */
const programs = ["brokerctl", "rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-upgrade"];

/** The commands about commands: they get what there is, and what can follow each and options. */
export function completionCommands(words: () => CompletionWords, values: CompletionWords): readonly CommandSpec[] {
  const autocomplete = command({
    name: "autocomplete",
    group: "Help",
    summary: "lists the commands that begin with a prefix",
    arguments: { "[prefix]": "how they begin" },
    run: ({ output }, { prefix = "" }) => {
      const names = [...words().keys()].filter((name) => name !== "" && name.startsWith(prefix)).sort();
      output.raw(names.map((name) => `${name}\n`).join(""));
    },
  });
  const completion = command({
    name: "completion",
    group: "Help",
    summary: "prints a script that completes commands and options in a shell",
    arguments: { "<shell>": Object.keys(completionScripts).join(", ") },
    words: Object.keys(completionScripts),
    details: [
      "Examples:",
      "  bash: source <(brokerctl completion bash)",
      "  zsh:  source <(brokerctl completion zsh)",
      "  fish: brokerctl completion fish | source",
    ].join("\n"),
    run: ({ output }, { shell }) => {
      const script = Object.hasOwn(completionScripts, shell) ? completionScripts[shell] : undefined;
      if (script === undefined) {
        const known = Object.keys(completionScripts).join(", ");
        throw new ArgumentError(`Bad argument: no completion for '${shell}', only for ${known}`, exitCode.dataError);
      }
      output.raw(script(programs, words(), values));
    },
  });
  return [autocomplete, completion];
}
