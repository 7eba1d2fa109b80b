import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { ManagementClient } from "../support/management.ts";

const page = "docs/http-api.md";
const part = /(?<=<!-- routes -->\n\n)[\s\S]*?(?=\n<!-- end of routes -->)/;
const broker = useBroker();

interface Operation {
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
}

/** The routes as they have to stand on the page. `UPDATE_DOCS=1 npx vitest run test/docs/http-api.test.ts` puts them there. */
async function generated(): Promise<string> {
  const document = Object(await new ManagementClient(broker, undefined).read("/openapi.json"));
  const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = document["paths"];
  const rows = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { summary, description }]) => {
      const route = `${method.toUpperCase()} ${path.replace(/^\/api/, "")}`;
      return `| \`${route}\` | ${summary} | ${description.replace(/^(For|Open to) /, "").replace(/\.$/, "")} |\n`;
    }),
  );
  return `| route | what it is for | who may |\n|---|---|---|\n${rows.join("")}`;
}

it("documents every route as it is", async () => {
  const expected = await generated();
  const text = readFileSync(page, "utf8");
  if (process.env["UPDATE_DOCS"] === "1")
    writeFileSync(
      page,
      text.replace(part, () => expected),
    );
  expect(part.exec(readFileSync(page, "utf8"))?.[0]).toBe(expected);
});
