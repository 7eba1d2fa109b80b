import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** The programs that README.md shows, on the ports of this broker. */
function readmeProgram(name: string): DocStep[] {
  const text = readFileSync("README.md", "utf8");
  const code = new RegExp(`as \`${name.replace(".", "\\.")}\`:\\n\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
  if (code === undefined) throw new Error(`README.md shows no ${name}`);
  const here = code
    .replace("5672", String(broker.port))
    .replace("amqp://127.0.0.1", `amqp://guest:guest@${broker.host}`);
  const command = `${name.endsWith(".py") ? "python3" : "node"} ${name}`;
  return [
    { kind: "file", name, text: here },
    { kind: "command", command, isBackground: false, output: undefined },
  ];
}

describe("README.md", () => {
  it("publishes from Node.js", () => follow(readmeProgram("hello.mjs"), "python3"));

  it("publishes from the shell", async () => {
    const text = readFileSync("README.md", "utf8");
    const lines = /```sh\n(brokerctl declare[\s\S]*?)```/.exec(text)?.[1] ?? "";
    const ctl = join(root, "dist/bin/brokerctl.js");
    const script = lines.replaceAll(/^brokerctl/gm, `"${process.execPath}" "${ctl}"`);
    const env = { ...process.env, TSBROKER_URL: broker.managementUrl };
    const { stdout } = await promisify(execFile)("sh", ["-euc", script], { env });
    expect(stdout).toContain("Hello from the shell");
  });
});

describeWith(python, "README.md with pika", (command) => {
  it("publishes", () => follow(readmeProgram("hello.py"), command));
});

describe("the guide to amqplib", () => {
  it("does what it says", () => follow(docSteps("docs/guides/amqplib.md"), "python3"));
});

describeWith(pythonWith("celery"), "the guide to Celery", (command) => {
  it("does what it says", () => follow(docSteps("docs/guides/celery.md"), command), 60_000);
});
