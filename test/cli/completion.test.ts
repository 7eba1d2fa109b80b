import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runInProcess } from "../support/brokerctl.ts";
import { describeWith, runToEnd, shell } from "../support/programs.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-completion-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Has the script read as the manual says, from a file. */
async function scriptFor(name: string): Promise<string> {
  const file = join(directory, `completion.${name}`);
  writeFileSync(file, (await runInProcess(["completion", name])).stdout);
  return file;
}

/** What each shell offers behind a command line; the last word is what was typed of it. */
type Complete = (...words: readonly string[]) => Promise<readonly string[]>;

function completes(complete: Complete): void {
  it("commands", async () => {
    expect(await complete("brokerctl", "list_us")).toEqual([
      "list_user_limits",
      "list_user_permissions",
      "list_user_topic_permissions",
      "list_users",
    ]);
  });

  it("columns and kinds of a command, behind options too", async () => {
    const columns = await complete("brokerctl", "-q", "list_queues", "message_bytes_r");
    expect(columns).toEqual(["message_bytes_ram", "message_bytes_ready"]);
    expect(await complete("rabbitmqctl", "declare", "pol")).toEqual(["policy"]);
  });

  it("options, and the values of those that have few", async () => {
    expect(await complete("rabbitmqctl", "set_policy", "--app")).toEqual(["--apply-to"]);
    expect(await complete("brokerctl", "set_policy", "--apply-to", "")).toEqual(["all", "exchanges", "queues"]);
    expect(await complete("brokerctl", "--formatter", "js")).toEqual(["json", "json_stream"]);
  });
}

function linesOf(text: string): readonly string[] {
  return [...new Set(text.split(/\r?\n/).filter((line) => line !== ""))].sort();
}

describeWith(shell("bash"), "bash completes", (bash) => {
  completes(async (...words) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const lines = [
      `source ${await scriptFor("bash")}`,
      `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}`,
      // The function that the shell would call for this program, and no other.
      `[[ $(complete -p ${words[0]}) =~ -F\\ ([^ ]+) ]] && "\${BASH_REMATCH[1]}"`,
      `printf "%s\\n" "\${COMPREPLY[@]}"`,
    ];
    return linesOf((await runToEnd(bash, ["--norc", "-c", lines.join("\n")])).stdout);
  });
});

/** Types a command line and Tab into a zsh of its own, and has what is offered printed between marks. */
const zshSession = (script: string, line: string) => `
zmodload zsh/zpty
zpty session zsh -f -i
zpty -w session "PROMPT= RPROMPT= LISTMAX=10000; stty cols 400; autoload -Uz compinit; compinit -u -D; source ${script}"
zpty -w session 'finish() { compstate[list]=; compstate[insert]=; }'
zpty -w session 'compadd() { builtin compadd -O offered "$@"; (( $#offered )) && print -rl -- "<offered>" $offered "</offered>"; builtin compadd "$@" }'
zpty -w session 'print -r -- REA""DY'
zpty -r -m session heard '*READY*'
zpty -w -n session $'${line}\\t'
zpty -r -m session heard '*</offered>*'
print -r -- "$heard"
zpty -d session
`;

describeWith(shell("zsh"), "zsh completes", (zsh) => {
  completes(async (...words) => {
    const { stdout } = await runToEnd(zsh, ["-f", "-c", zshSession(await scriptFor("zsh"), words.join(" "))]);
    return linesOf(/<offered>([^<]*)<\/offered>/.exec(stdout)?.[1] ?? "");
  });
});

describeWith(shell("fish"), "fish completes", (fish) => {
  completes(async (...words) => {
    const lines = [`source ${await scriptFor("fish")}`, `complete -C '${words.join(" ")}'`];
    const { stdout } = await runToEnd(fish, ["--no-config", "-c", lines.join("\n")], { env: { HOME: directory } });
    return linesOf(stdout.replaceAll(/\t.*$/gm, ""));
  });
});

it("there is no completion for a shell that is not known", async () => {
  expect(await runInProcess(["completion", "cmd"])).toMatchObject({ exitCode: 65 });
});
