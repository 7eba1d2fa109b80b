import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { endWithUs } from "./children.ts";

/** Where the Python programs of the suites are. */
export const clientsFolder = join(import.meta.dirname, "../clients");

const required = process.env["REQUIRE_CLIENTS"] === "1";

/** A client that is not ours, and whether this machine has it. */
export interface ClientProgram {
  readonly name: string;
  readonly install: string;
  /** What to start; undefined when it is not there. */
  readonly command: string | undefined;
}

/** A Python that can import all of these. Distributions put theirs beside other Pythons, so more than one is asked. */
export function pythonWith(...modules: readonly string[]): ClientProgram {
  const candidates = [process.env["PYTHON"], "python3", "/usr/bin/python3"].filter((name) => name !== undefined);
  const command = candidates.find((name) => spawnSync(name, ["-c", `import ${modules.join(", ")}`]).status === 0);
  const packages = modules.map((module) => `python3-${module.replaceAll("_", "-")}`).join(" ");
  return { name: `python3 with ${modules.join(" and ")}`, install: `apt-get install ${packages}`, command };
}

/** The command line tools of librabbitmq. */
export function amqpTools(): ClientProgram {
  const found = spawnSync("amqp-publish", ["--help"]).status === 0;
  return { name: "amqp-tools", install: "apt-get install amqp-tools", command: found ? "amqp-publish" : undefined };
}

/** Debian's checks of RabbitMQ for Nagios. */
export function nagiosPlugins(): ClientProgram {
  const found = spawnSync("check_rabbitmq_overview", ["--version"]).error === undefined;
  return {
    name: "nagios-plugins-rabbitmq",
    install: "apt-get install nagios-plugins-rabbitmq",
    command: found ? "check_rabbitmq_overview" : undefined,
  };
}

/** Ansible with its collections. */
export function ansible(): ClientProgram {
  return systemProgram("ansible-playbook", "ansible python3-requests");
}

/** A shell that completes command lines. */
export function shell(name: "bash" | "zsh" | "fish"): ClientProgram {
  return systemProgram(name, name);
}

/** What man shows pages with. */
export function groff(): ClientProgram {
  return systemProgram("groff", "groff");
}

/** What reads compose files. */
export function dockerCompose(): ClientProgram {
  return systemProgram("docker-compose", "docker-compose");
}

/** What checks units. */
export function systemdAnalyze(): ClientProgram {
  return systemProgram("systemd-analyze", "systemd");
}

function systemProgram(name: string, debianPackage: string): ClientProgram {
  const isThere = spawnSync(name, ["--version"]).status === 0;
  return { name, install: `apt-get install ${debianPackage}`, command: isThere ? name : undefined };
}

/** Chromium, headless. */
export function chromium(): ClientProgram {
  const candidates = [process.env["CHROMIUM"], "/usr/bin/chromium"].filter((name) => name !== undefined);
  const command = candidates.find((name) => existsSync(name));
  return { name: "chromium", install: "apt-get install chromium", command };
}

/** A suite that needs a program: left out aloud without it, or failed when REQUIRE_CLIENTS is 1. */
export function describeWith(program: ClientProgram, name: string, suite: (command: string) => void): void {
  const { command } = program;
  if (command !== undefined) {
    describe(name, () => suite(command));
  } else if (required) {
    it(`${name} needs ${program.name}`, () => expect.fail(`${program.name} is missing: ${program.install}`));
  } else {
    process.stderr.write(`left out, ${program.name} is missing (${program.install}): ${name}\n`);
    describe.skip(`${name} (needs ${program.name}: ${program.install})`, () => {
      it("is left out", () => {});
    });
  }
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export function runToEnd(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(command, args, childOptions(options), (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ exitCode, stdout: String(stdout), stderr: String(stderr) });
    });
    // A program may end without reading what it was given; its exit code says whether that was right.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input);
  });
}

/** Runs a program that must succeed, and returns what it printed. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runToEnd(command, args, options);
  if (exitCode !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${exitCode}\n${stdout}\n${stderr}`);
  return stdout;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The folder of the Python programs unless given. */
  readonly cwd?: string;
}

function childOptions(options: RunOptions) {
  return {
    cwd: options.cwd ?? clientsFolder,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", ...options.env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
    killSignal: "SIGKILL",
  } as const;
}

/** A check of a Python program: the function to run and the sentence it stands for. */
export interface PythonCheck {
  readonly check: string;
  readonly sentence: string;
  readonly difference: string | null;
}

/** The checks that a program built on checks.py knows, each with its sentence in front. */
export function checksOf(python: string, program: string): (readonly [sentence: string, check: PythonCheck])[] {
  const { stdout, stderr, status } = spawnSync(python, [program, "--list"], { ...childOptions({}), encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} --list ended with ${status}\n${stderr}`);
  const checks: unknown = JSON.parse(stdout);
  if (!Array.isArray(checks)) throw new Error(`${program} --list printed no list`);
  return checks.map((check: PythonCheck) => [check.sentence, check] as const);
}

/** A program that runs beside the test until it is told to end. */
export class Companion {
  readonly #child: ChildProcess;
  readonly #name: string;
  #output = "";

  constructor(command: string, args: readonly string[], options: RunOptions = {}) {
    this.#name = [command, ...args].join(" ");
    const { cwd, env } = childOptions(options);
    this.#child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    endWithUs(this.#child, () => this.#signal("SIGKILL"));
  }

  get output(): string {
    return this.#output;
  }

  /** Throws once the program has ended by itself. */
  check(): void {
    if (this.#ended) throw new Error(`${this.#name} has ended\n${this.#output}`);
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends it as a service is ended; a program that does not obey is killed and fails the test. */
  async stop(timeoutMs = 30_000): Promise<void> {
    if (this.#ended) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#signal("SIGKILL");
    }, timeoutMs);
    await exited;
    clearTimeout(timer);
    if (late) throw new Error(`${this.#name} did not end\n${this.#output}`);
  }

  /** Takes the program away with all processes it started. */
  async kill9(): Promise<void> {
    if (this.#ended) return;
    const exited = once(this.#child, "exit");
    this.#signal("SIGKILL");
    await exited;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined && !this.#ended) process.kill(-this.#child.pid, signal);
  }
}
