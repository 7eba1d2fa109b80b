import { join } from "node:path";
import { brokerctlProgram, runBrokerctl } from "../../bin/brokerctl-program.ts";
import type { Effects } from "../../bin/new-context.ts";
import type { TestBroker } from "./broker.ts";
import { type Outcome, runToEnd } from "./programs.ts";

const script = join(import.meta.dirname, "../../dist/bin/brokerctl.js");

/** What else a run of brokerctl may have. */
export interface BrokerctlOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** The built brokerctl, looking after a broker of the test. */
export class Brokerctl {
  readonly #broker: TestBroker;

  constructor(broker: TestBroker) {
    this.#broker = broker;
  }

  /** Runs a command line to its end, whatever its exit code. */
  run(args: readonly string[], { env, input = "" }: BrokerctlOptions = {}): Promise<Outcome> {
    return runToEnd(process.execPath, [script, ...args], {
      env: { TSBROKER_URL: this.#broker.managementUrl, XDG_CONFIG_HOME: "/nonexistent", ...env },
      input,
    });
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

/** Runs a command line in this process, without a terminal and with no environment but what is given. */
export async function runInProcess(
  args: readonly string[],
  given: Partial<Effects> = {},
  name = "brokerctl",
): Promise<Outcome> {
  let [stdout, stderr] = ["", ""];
  const effects: Effects = {
    env: {},
    isInteractive: false,
    terminal: {
      secret: async () => "",
      input: async () => Buffer.alloc(0),
      note: () => {},
      progress: () => ({ update: () => {}, end: () => {} }),
    },
    readLoginFile: () => undefined,
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
