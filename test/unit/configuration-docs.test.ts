import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { options } from "../../src/config-options.ts";
import { envOf, fallbackText, flagOf, type Option } from "../../src/option-types.ts";

const page = "docs/configuration.md";
const table = /(?<=<!-- options -->\n\n)[\s\S]*?(?=\n<!-- end of options -->)/;

function row(name: string, option: Option<unknown>): string {
  const variables = [envOf(name), ...(option.otherEnv ?? [])].flatMap((variable) =>
    option.mayBeInFile === true ? [variable, `${variable}_FILE`] : [variable],
  );
  const code = (texts: readonly string[]) => texts.map((text) => `\`${text}\``).join("<br>");
  const cells = [code([`${flagOf(name)} ${option.takes}`]), code(variables), code(option.keys), fallbackText(option)];
  return `| ${[option.help, option.allowed, ...cells].join(" | ")} |\n`;
}

/** The table as it has to stand on the page. `UPDATE_DOCS=1 npx vitest run test/unit/configuration-docs.test.ts` puts it there. */
function generated(): string {
  const head =
    "| what it is | what it may be | flag | environment | configuration file | default |\n|---|---|---|---|---|---|\n";
  return (
    head +
    Object.entries<Option<unknown>>(options)
      .map(([name, option]) => row(name, option))
      .join("")
  );
}

it("documents every option as it is", () => {
  const text = readFileSync(page, "utf8");
  if (process.env["UPDATE_DOCS"] === "1")
    writeFileSync(
      page,
      text.replace(table, () => generated()),
    );
  expect(table.exec(readFileSync(page, "utf8"))?.[0]).toBe(generated());
});
