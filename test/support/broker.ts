import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, type TestContext } from "vitest";
import { endWithUs } from "./children.ts";
import { freePort } from "./ports.ts";

const host = "127.0.0.1";
const command = join(import.meta.dirname, "../../dist/bin/tsbroker.js");
const protocolHeader = Buffer.from("AMQP\0\0\x09\x01", "latin1");
const startTimeoutMs = 20_000;
const stopTimeoutMs = 20_000;

const peerUrl = process.env["BROKER_URL"];

/** True when the suites run against the RabbitMQ of BROKER_URL, which is how the tests themselves are tested. */
export const parity = peerUrl !== undefined;

/** What a test file may ask of the broker it starts. */
export interface BrokerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logLevel?: string;
}

/** A broker process of its own on free ports and a fresh data directory; with BROKER_URL a handle on that broker. */
export class TestBroker {
  readonly #options: BrokerOptions;
  #child: ChildProcess | undefined;
  #dataDir: string | undefined;
  #port = 0;
  #managementPort = 0;
  #output = "";

  constructor(options: BrokerOptions = {}) {
    this.#options = options;
  }

  /** `amqp://guest:guest@host:port`, without a vhost. */
  get url(): string {
    return peerUrl ?? `amqp://guest:guest@${host}:${this.port}`;
  }

  get host(): string {
    return peerUrl === undefined ? host : new URL(peerUrl).hostname;
  }

  get port(): number {
    return peerUrl === undefined ? this.#port : Number(new URL(peerUrl).port || 5672);
  }

  /** Where the HTTP API listens; RabbitMQ's is ten thousand above AMQP unless it was moved. */
  get managementUrl(): string {
    const port = peerUrl === undefined ? this.#managementPort : this.port + 10_000;
    return `http://${this.host}:${port}`;
  }

  get dataDir(): string {
    if (this.#dataDir === undefined) throw new Error("this broker has no data directory here");
    return this.#dataDir;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("this broker has no process here");
    return pid;
  }

  /** Everything the process printed, over all its restarts. */
  log(): string {
    return this.#output;
  }

  async start(): Promise<void> {
    if (parity) return;
    if (!existsSync(command)) throw new Error(`${command} is missing: run npm run build`);
    this.#dataDir = await mkdtemp(join(tmpdir(), "tsbroker-test-"));
    this.#port = await freePort();
    this.#managementPort = await freePort();
    await this.#launch();
  }

  /** Asks the process to end, as an operator would; anything but a clean exit fails the test. */
  async stop(): Promise<void> {
    if (parity) return;
    try {
      await this.shutdown();
    } finally {
      if (this.#dataDir !== undefined) await rm(this.#dataDir, { recursive: true, force: true });
    }
  }

  /** SIGTERM and a clean exit, with the data kept for a restart. */
  async shutdown(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGTERM");
    const exited = await Promise.race([exitOf(child), timeout(stopTimeoutMs)]);
    this.#child = undefined;
    if (exited === "late") {
      child.kill("SIGKILL");
      throw new Error(`the broker did not end within ${stopTimeoutMs} ms of SIGTERM\n${this.#output}`);
    }
    if (exited !== 0) throw new Error(`the broker ended with ${exited}\n${this.#output}`);
  }

  /** Takes the process away without a warning, as a crash or the kernel's memory killer does. */
  async kill9(): Promise<void> {
    const child = this.#child;
    if (child === undefined) throw new Error("no broker process to kill");
    this.#child = undefined;
    child.kill("SIGKILL");
    await exitOf(child);
  }

  /** Starts again on the same ports and data directory, after a clean stop if the process still runs. */
  async restart(): Promise<void> {
    await this.shutdown();
    await this.#launch();
  }

  async #launch(): Promise<void> {
    const child = spawn(process.execPath, [command, "start", ...this.#arguments()], {
      env: { ...process.env, ...this.#options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    endWithUs(child, () => {
      child.kill("SIGKILL");
      rmSync(this.dataDir, { recursive: true, force: true });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    await this.#untilReady(child);
  }

  #arguments(): string[] {
    return [
      ...["--host", host, "--port", String(this.#port), "--management-port", String(this.#managementPort)],
      ...["--prometheus-port", "none"],
      ...["--data-dir", this.dataDir, "--log-level", this.#options.logLevel ?? "warn"],
      ...(this.#options.args ?? []),
    ];
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    while (!(await answersProtocolHeader(this.#port))) {
      if (child.exitCode !== null || child.signalCode !== null) {
        this.#child = undefined;
        throw new Error(`the broker ended at start with ${child.exitCode ?? child.signalCode}\n${this.#output}`);
      }
      if (Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`the broker did not answer within ${startTimeoutMs} ms\n${this.#output}`);
      }
      await delay(10);
    }
  }
}

/** Starts a broker; the caller stops it. */
export async function startBroker(options?: BrokerOptions): Promise<TestBroker> {
  const broker = new TestBroker(options);
  await broker.start();
  return broker;
}

/** One broker for all tests of a file, stopped and checked at its end. */
export function useBroker(options?: BrokerOptions): TestBroker {
  const broker = new TestBroker(options);
  beforeAll(() => broker.start());
  afterAll(() => broker.stop());
  return broker;
}

/** Leaves the test out of a parity run, because it must kill, restart or configure its broker. */
export function needsOwnBroker(context: TestContext): void {
  context.skip(parity, "the broker of BROKER_URL is not ours to kill, restart or configure");
}

function exitOf(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? child.signalCode);
  return once(child, "exit").then(() => child.exitCode ?? child.signalCode);
}

function timeout(durationMs: number): Promise<"late"> {
  return new Promise((resolve) => setTimeout(() => resolve("late"), durationMs).unref());
}

function answersProtocolHeader(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(protocolHeader));
    socket.once("data", () => resolve(true));
    socket.once("data", () => socket.destroy());
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
