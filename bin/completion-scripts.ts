/** What can follow each command, or each option with few values; the empty name stands for no command yet. */
export type CompletionWords = ReadonlyMap<string, readonly string[]>;

type Script = (programs: readonly string[], words: CompletionWords, values: CompletionWords) => string;

/** Scripts that complete command lines, by shell. They hold all words, so that no key press starts Node.js. */
export const completionScripts: Readonly<Record<string, Script>> = { bash, zsh, fish };

/** Finds the first word that is a command; options before it may have values, which are none. */
function cases(words: CompletionWords, variable: string): string {
  return [...words]
    .filter(([name]) => name !== "")
    .map(([name, following]) => `      ${name}) ${variable}='${following.join(" ")}' ;;`)
    .join("\n");
}

function bash(programs: readonly string[], words: CompletionWords, values: CompletionWords): string {
  return `_brokerctl() {
  local words='${(words.get("") ?? []).join(" ")}' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
${cases(words, "words")}
    esac
  done
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${cases(values, "words")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _brokerctl ${programs.join(" ")}
`;
}

function zsh(programs: readonly string[], words: CompletionWords, values: CompletionWords): string {
  return `#compdef ${programs.join(" ")}
(( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit }
_brokerctl() {
  local following='${(words.get("") ?? []).join(" ")}' word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in
${cases(words, "following")}
    esac
  done
  case "\${words[CURRENT-1]}" in
${cases(values, "following")}
  esac
  compadd -- \${=following}
  _files
}
compdef _brokerctl ${programs.join(" ")}
`;
}

function fish(programs: readonly string[], words: CompletionWords, values: CompletionWords): string {
  const commands = [...words.keys()].filter((name) => name !== "");
  const lines = programs.flatMap((program) => [
    `complete -c ${program} -n "not __fish_seen_subcommand_from ${commands.join(" ")}" -f -a "${(words.get("") ?? []).join(" ")}"`,
    ...commands.map((name) => {
      const following = (words.get(name) ?? []).join(" ");
      return `complete -c ${program} -n "__fish_seen_subcommand_from ${name}" -a "${following}"`;
    }),
    ...[...values].map(
      ([option, choices]) => `complete -c ${program} -l ${option.slice(2)} -x -a "${choices.join(" ")}"`,
    ),
  ]);
  return `${lines.join("\n")}\n`;
}
