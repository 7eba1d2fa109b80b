import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { type DocStep, docSteps } from "../support/doc-steps.ts";
import { type ClientProgram, Companion, describeWith, pythonWith } from "../support/programs.ts";

const root = join(import.meta.dirname, "../..");
/** Inside the package, so that node finds its modules; not under git. */
const folder = join(root, "coverage");
mkdirSync(folder, { recursive: true });
const place = mkdtempSync(join(folder, "guides-"));
const broker = useBroker();
const companions: Companion[] = [];

afterEach(async () => {
  for (const companion of companions.splice(0)) await companion.stop();
});
afterAll(() => rmSync(place, { recursive: true }));

/** Commands as this machine has them: `python3` is the one that has the module. */
function spelled(command: string, python: string): readonly [file: string, args: readonly string[]] {
  const [file = "", ...args] = command.split(" ");
  if (file === "python3") return [python, args];
  if (file === "celery") return [python, ["-m", "celery", ...args]];
  return [file, args];
}

/** Follows a page word for word in a folder of its own. */
async function follow(steps: readonly DocStep[], python: string): Promise<void> {
  const cwd = mkdtempSync(join(place, "page-"));
  const env = { ...process.env, BROKER_URL: broker.url, PYTHONDONTWRITEBYTECODE: "1", NO_COLOR: "1" };
  for (const step of steps) {
    if (step.kind === "file") {
      writeFileSync(join(cwd, step.name), step.text);
      continue;
    }
    const [file, args] = spelled(step.command, python);
    if (step.isBackground) companions.push(new Companion(file, args, { env: { BROKER_URL: broker.url }, cwd }));
    else {
      const { stdout } = await promisify(execFile)(file, args, { cwd, env, timeout: 60_000 });
      expect(stdout).toBe(step.output ?? stdout);
    }
  }
}

const python: ClientProgram = pythonWith("pika");

describeWith(python, "the guide to pika", (command) => {
  it("does what it says", () => follow(docSteps("docs/guides/pika.md"), command));
});

describe("the guide to amqplib", () => {
  it("does what it says", () => follow(docSteps("docs/guides/amqplib.md"), "python3"));
});

describeWith(pythonWith("celery"), "the guide to Celery", (command) => {
  it("does what it says", () => follow(docSteps("docs/guides/celery.md"), command), 60_000);
});
