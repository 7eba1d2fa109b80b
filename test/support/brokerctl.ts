import { join } from "node:path";
import { brokerctlProgram, runBrokerctl } from "../../bin/brokerctl-program.ts";
import type { Effects } from "../../bin/new-context.ts";
import type { Terminal } from "../../bin/terminal.ts";
import type { TestBroker } from "./broker.ts";
import { type Outcome, runToEnd } from "./programs.ts";

const script = join(import.meta.dirname, "../../dist/bin/brokerctl.js");

/** What else a run of brokerctl may have. */
export interface BrokerctlOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/**
 * brokerctl, looking after a broker of the test: the one that was built, in a process of its own, or the same program in
 * this process, which is quicker where many commands are run.
 */
export class Brokerctl {
  readonly #broker: TestBroker;
  readonly #where: "built" | "in process";

  constructor(broker: TestBroker, where: "built" | "in process") {
    this.#broker = broker;
    this.#where = where;
  }

  /** Runs a command line to its end, whatever its exit code. */
  run(args: readonly string[], { env, input = "" }: BrokerctlOptions = {}): Promise<Outcome> {
    const all = { TSBROKER_URL: this.#broker.managementUrl, XDG_CONFIG_HOME: "/nonexistent", ...env };
    if (this.#where === "built") return runToEnd(process.execPath, [script, ...args], { env: all, input });
    return runInProcess(args, { env: all, terminal: terminalWith(input) });
  }

  /** What a command line that must succeed prints. */
  async out(...args: readonly string[]): Promise<string> {
    const outcome = await this.run(args);
    if (outcome.exitCode === 0 && outcome.stderr === "") return outcome.stdout;
    throw new Error(`brokerctl ${args.join(" ")} ended with ${outcome.exitCode}\n${outcome.stdout}${outcome.stderr}`);
  }

  /** The JSON that a command line prints. */
  async json(...args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.out(...args, "--formatter", "json"));
  }
}

/** What reaches out of the program, when nothing is to be reached: no terminal, no environment, no files. */
export const inertEffects: Effects = {
  env: {},
  isInteractive: false,
  terminal: terminalWith(""),
  readLoginFile: () => undefined,
  write: () => {},
  writeError: () => {},
};

/** Runs a command line in this process, with no environment but what is given. */
export async function runInProcess(
  args: readonly string[],
  given: Partial<Effects> = {},
  name = "brokerctl",
): Promise<Outcome> {
  let [stdout, stderr] = ["", ""];
  const effects: Effects = {
    ...inertEffects,
    write: (text) => {
      stdout += text;
    },
    writeError: (text) => {
      stderr += text;
    },
    ...given,
  };
  const exitCode = await runBrokerctl(brokerctlProgram(name, effects), args, effects);
  return { exitCode, stdout, stderr };
}

/** Standard input that is no terminal. */
function terminalWith(input: string): Terminal {
  return {
    isWatched: false,
    secret: async () => input.split("\n")[0] ?? "",
    input: async () => Buffer.from(input),
    note: () => {},
    progress: () => ({ update: () => {}, end: () => {} }),
  };
}
