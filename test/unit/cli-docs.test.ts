import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { expect, it } from "vitest";
import { brokerctlProgram } from "../../bin/brokerctl-program.ts";
import { groups } from "../../bin/command.ts";
import { inertEffects } from "../support/brokerctl.ts";

const page = "docs/cli.md";
const part = /(?<=<!-- commands -->\n\n)[\s\S]*?(?=\n<!-- end of commands -->)/;

const program = brokerctlProgram("brokerctl", inertEffects);
const help = program.createHelp();
const globalGroup = "Options of all commands:";

/** A command in a line for its usage, one for what it does, and one for each argument and option of its own. */
function entry(command: Command): string {
  const args = help.visibleArguments(command).map((argument) => `\`${argument.name()}\`: ${argument.description}`);
  const options = help
    .visibleOptions(command)
    .filter(({ helpGroupHeading }) => helpGroupHeading !== globalGroup)
    .map((option) => `\`${option.flags}\`: ${option.description}`);
  const usage = `${command.name()} ${command.usage().replace("[options]", "")}`.replaceAll(/\s+/g, " ").trim();
  return [`**\`${usage}\`** ${command.description()}`, ...[...args, ...options].map((line) => `  * ${line}`)].join(
    "\n",
  );
}

function section(group: string, commands: readonly Command[]): string {
  return `### ${group}\n\n${commands.map((command) => `* ${entry(command)}\n`).join("")}`;
}

/** The commands as they have to stand on the page. `UPDATE_DOCS=1 npx vitest run test/unit/cli-docs.test.ts` puts them there. */
function generated(): string {
  const options = help
    .visibleOptions(program)
    .map((option) => `| \`${option.flags.replaceAll("|", "\\|")}\` | ${option.description} |\n`);
  const commands = help.visibleCommands(program);
  const sections = groups.map((group) =>
    section(
      group,
      commands.filter((command) => command.helpGroup() === `${group}:`),
    ),
  );
  return `| option | what it does |\n|---|---|\n${options.join("")}\n${sections.join("\n")}`;
}

it("documents every command as it is", () => {
  const text = readFileSync(page, "utf8");
  if (process.env["UPDATE_DOCS"] === "1") {
    writeFileSync(
      page,
      text.replace(part, () => generated()),
    );
  }
  expect(part.exec(readFileSync(page, "utf8"))?.[0]).toBe(generated());
});
