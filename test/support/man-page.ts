import type { Command, Help } from "commander";

/** What is said once, at the start of the page. */
const globalGroup = "Options of all commands:";

/** What a manual page says besides what the commands themselves say. */
export interface ManualParts {
  /** Commands in sections, in the order in which they come. */
  readonly sections: readonly { readonly title: string; readonly commands: readonly Command[] }[];
  /** Further sections, as text. */
  readonly more: Readonly<Record<string, string>>;
}

/** The manual page of a program in section 1, in the language of man(7). */
export function manPage(program: Command, { sections, more }: ManualParts): string {
  const help = program.createHelp();
  const name = program.name();
  const head = [
    `.TH ${name.toUpperCase()} 1 "" "tsbroker" "User Commands"`,
    ".SH NAME",
    `${name} \\- ${escaped(program.description())}`,
    ".SH SYNOPSIS",
    `.B ${name}`,
    escaped("[options] <command> [arguments]"),
  ];
  const commands = sections.flatMap(({ title, commands: listed }) => [
    `.SH ${escaped(title.toUpperCase())}`,
    ...listed.flatMap((command) => entry(help, command)),
  ]);
  const rest = Object.entries(more).flatMap(([title, text]) => [`.SH ${title}`, ...paragraphs(text)]);
  return `${[...head, ".SH OPTIONS", ...optionsOf(help, program), ...commands, ...rest].join("\n")}\n`;
}

function entry(help: Help, command: Command): string[] {
  const usage = `${command.name()} ${command.usage()}`.replaceAll(/\s+/g, " ").trim();
  return [".TP", `.B ${escaped(usage)}`, escaped(command.description()), ...inner(help, command)];
}

function inner(help: Help, command: Command): string[] {
  const options = help.visibleOptions(command).filter(({ helpGroupHeading, long }) => {
    return helpGroupHeading !== globalGroup && long !== "--help";
  });
  if (options.length === 0) return [];
  return [".RS", ...options.flatMap(({ flags, description }) => term(flags, description)), ".RE"];
}

function optionsOf(help: Help, program: Command): string[] {
  return help.visibleOptions(program).flatMap(({ flags, description }) => term(flags, description));
}

function term(flags: string, description: string): string[] {
  return [".TP", `.B ${escaped(flags)}`, escaped(description)];
}

function paragraphs(text: string): string[] {
  return text.split("\n\n").flatMap((paragraph) => [".PP", escaped(paragraph)]);
}

/** Hyphens are minus signs where a person may copy them; a line must not begin as a request. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^(['.])/gm, "\\&$1");
}
