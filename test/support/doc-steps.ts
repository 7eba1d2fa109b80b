import { readFileSync } from "node:fs";

/** What a page tells its reader to do, in its order. */
export type DocStep =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "command"; readonly command: string; readonly isBackground: boolean; output: string | undefined };

const block = /(?<before>[^\n]*)\n\n```(?<language>\w+)\n(?<code>[\s\S]*?)```/g;

/**
 * Reads a page of Markdown: a block of code behind "As `name`:" is a file, the lines of a block of sh are commands (those
 * that end with & go on), and a block of text behind them is what they print.
 */
export function docSteps(page: string): readonly DocStep[] {
  const steps: DocStep[] = [];
  for (const { groups } of readFileSync(page, "utf8").matchAll(block)) {
    const { before = "", language = "", code = "" } = groups ?? {};
    const name = /\b[Aa]s `([\w.-]+)`:$/.exec(before)?.[1];
    const last = steps.at(-1);
    if (language === "sh") steps.push(...commandsIn(code));
    else if (language === "text" && last?.kind === "command") last.output = code;
    else if (name !== undefined) steps.push({ kind: "file", name, text: code });
    else throw new Error(`${page}: what is a reader to do with this ${language}?\n${code}`);
  }
  return steps;
}

function commandsIn(code: string): DocStep[] {
  return code
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({
      kind: "command",
      command: line.replace(/ &$/, ""),
      isBackground: line.endsWith(" &"),
      output: undefined,
    }));
}
