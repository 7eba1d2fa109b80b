import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** How a command ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of the built package that is running. Its environment has only what it is given, and a PATH and HOME. */
export class RunningCommand {
  readonly #child: ChildProcess;
  readonly #outcome: Promise<Outcome>;
  readonly #waiting = new Set<() => void>();
  #stdout = "";
  #stderr = "";
  #ended = false;

  constructor(name: "tsbroker" | "brokerctl", args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { PATH, HOME } = process.env;
    this.#child = spawn(process.execPath, [`dist/bin/${name}.js`, ...args], {
      env: { ...(PATH === undefined ? {} : { PATH }), ...(HOME === undefined ? {} : { HOME }), ...env },
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#wake();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#wake();
    });
    this.#outcome = this.#end();
  }

  /** Waits for the end. */
  get outcome(): Promise<Outcome> {
    return this.#outcome;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for a line on standard output and returns what the pattern found in it. Rejects when the command ends first. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#stdout);
      if (found !== null) return found;
      if (this.#ended) throw new Error(`ended without ${pattern}:\n${this.#stdout}${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async #end(): Promise<Outcome> {
    const [status] = await once(this.#child, "close");
    this.#ended = true;
    this.#wake();
    return { status: typeof status === "number" ? status : null, stdout: this.#stdout, stderr: this.#stderr };
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
