import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { describeWith, pythonWith } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";

const root = join(import.meta.dirname, "../..");
/** Inside the package, so that the examples find it by its name, as they would in a program of their own; not under git. */
const folder = join(root, "coverage");
mkdirSync(folder, { recursive: true });
const place = mkdtempSync(join(folder, "docs-"));
afterAll(() => rmSync(place, { recursive: true }));

/** The first code below a heading of docs/embedding.md, as a file. */
function example(heading: string, name: string): string {
  const text = readFileSync(join(root, "docs/embedding.md"), "utf8");
  const [, section = ""] = text.split(`\n## ${heading}\n`);
  const code = /```(?:js|python)\n([\s\S]*?)```/.exec(section)?.[1];
  if (code === undefined) throw new Error(`no example below '${heading}'`);
  const file = join(place, name);
  writeFileSync(file, code);
  return file;
}

const run = promisify(execFile);

/** The processes that have this in their environment. */
function processesOf(mark: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
    } catch {
      // No process, or one that has ended or is somebody else's.
      return false;
    }
  });
}

describe("the examples of docs/embedding.md", () => {
  it("pass with node:test", async () => {
    const { stdout } = await run("node", ["--test", example("With node:test", "node.test.mjs")], { cwd: root });
    expect(stdout).toMatch(/pass 1\n.*fail 0\n/s);
  });

  it("pass with vitest", async () => {
    example("With vitest", "vitest.test.mjs");
    const config = join(place, "vitest.config.mjs");
    writeFileSync(config, 'export default { test: { include: ["*.test.mjs"], exclude: ["node.test.mjs"] } };');
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const args = [vitest, "run", "--root", place, "--config", config];
    const { stdout } = await run("node", args, { cwd: place, env: { ...process.env, NO_COLOR: "1" } });
    expect(stdout).toMatch(/Tests +1 passed/);
  });

  describeWith(pythonWith("pytest", "pika"), "the example for pytest", (python) => {
    it("passes, and leaves no broker behind", async () => {
      const args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", example("With pytest", "test_orders.py")];
      const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", EXAMPLE: place };
      const { stdout } = await run(python, args, { cwd: root, env });
      expect(stdout).toMatch(/^1 passed/m);
      await eventually(() => expect(processesOf(`EXAMPLE=${place}`)).toEqual([]));
    });
  });
});
