import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { options } from "../../src/config-options.ts";
import { envOf, flagOf } from "../../src/option-types.ts";
import { version } from "../../src/version.ts";
import { type Outcome, RunningCommand } from "../support/command.ts";

const ready = /^.*Server startup complete; tsbroker \S+ ready: amqp:\/\/127\.0\.0\.1:(\d+).*$/m;

let directory: string;
let running: RunningCommand[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-command-line-"));
  running = [];
});

afterEach(async () => {
  for (const command of running) command.signal("SIGKILL");
  await Promise.all(running.map((command) => command.outcome));
  rmSync(directory, { recursive: true });
});

function run(name: "tsbroker" | "brokerctl", ...args: string[]): Promise<Outcome> {
  return new RunningCommand(name, args).outcome;
}

/** Starts a broker on free ports with a data directory of its own. */
function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const own = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0", "--data-dir", join(directory, "data")];
  const command = new RunningCommand("tsbroker", ["start", ...own, ...args], env);
  running.push(command);
  return command;
}

async function portOf(broker: RunningCommand): Promise<string> {
  const [, port = ""] = await broker.line(ready);
  return port;
}

function onlyLine(text: string): string {
  expect(text).toMatch(/^[^\n]+\n$/);
  return text.trimEnd();
}

describe("tsbroker", () => {
  it("prints its version", async () => {
    expect(await run("tsbroker", "--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
    expect(await run("brokerctl", "-V")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("explains itself, every flag and variable included", async () => {
    expect((await run("tsbroker", "--help")).stdout).toContain("start [options]");
    const { status, stdout } = await run("tsbroker", "start", "--help");
    expect(status).toBe(0);
    for (const name of Object.keys(options)) {
      expect(stdout).toContain(`${flagOf(name)} <`);
      expect(stdout).toContain(`[${envOf(name)}]`);
    }
  });

  it.each([
    [["start", "--prot", "1"], "tsbroker: unknown option '--prot' (Did you mean --port?)"],
    [["start", "--port", "abc"], "tsbroker: --port: 'abc' is not a whole number from 0 to 65535, or 'none'"],
    [["start", "--port"], "tsbroker: option '--port <number>' argument missing"],
    [["start", "now"], "tsbroker: too many arguments for 'start'. Expected 0 arguments but got 1."],
    [["begin"], "tsbroker: unknown command 'begin'"],
  ])("answers %j with one line and status 2", async (args, line) => {
    const { status, stdout, stderr } = await run("tsbroker", ...args);
    expect([status, stdout, onlyLine(stderr)]).toEqual([2, "", line]);
  });

  it("answers a bad configuration file with one line and status 2", async () => {
    const file = join(directory, "t.conf");
    writeFileSync(file, "heartbeat = soon\n");
    const { status, stderr } = await run("tsbroker", "start", "--config", file);
    const text = `tsbroker: ${file} line 1: heartbeat: 'soon' is not a whole number from 0 to 65535`;
    expect([status, onlyLine(stderr)]).toEqual([2, text]);
  });
});

describe("a broker started from the command line", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("says when it is ready, and ends with status 0 on %s", async (signal) => {
    const broker = start();
    expect(Number(await portOf(broker))).toBeGreaterThan(0);
    broker.signal(signal);
    expect(await broker.outcome).toMatchObject({ status: 0, stderr: "" });
  });

  it("says that it is ready whatever the log level short of silent", async () => {
    const quiet = start(["--log-level", "fatal"]);
    await portOf(quiet);
    quiet.signal("SIGTERM");
    expect(JSON.parse(onlyLine((await quiet.outcome).stdout))).toMatchObject({
      level: "info",
      amqp: expect.stringMatching(/^amqp:\/\/127\.0\.0\.1:\d+$/),
      management: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      dataDir: join(directory, "data"),
    });
  });

  it("says of a broker that listens on all interfaces that it does", async () => {
    const broker = start(["--host", "::"]);
    await broker.line(/ready: amqp:\/\/\[::\]:\d+, management http:\/\/\[::\]:\d+, /);
    broker.signal("SIGTERM");
    expect((await broker.outcome).status).toBe(0);
  });

  it("takes in the definitions of a file, with users instead of the default one", async () => {
    const file = join(directory, "definitions.json");
    // The password is alice-pw, hashed by RabbitMQ.
    const password_hash = "TW1mAKBe6TDZ5VIvxxEBkTwMMrZk50mfD/hBWUXHssghOxsC";
    const everything = { configure: ".*", write: ".*", read: ".*" };
    writeFileSync(
      file,
      JSON.stringify({
        users: [{ name: "alice", password_hash, tags: "administrator" }],
        vhosts: [{ name: "shop" }],
        permissions: [{ user: "alice", vhost: "shop", ...everything }],
        queues: [{ name: "orders", vhost: "shop", durable: true, auto_delete: false, arguments: {} }],
      }),
    );
    for (const _ of ["first", "second"]) {
      const broker = start(["--definitions", file]);
      const connection = await connect(`amqp://alice:alice-pw@127.0.0.1:${await portOf(broker)}/shop`);
      await (await connection.createChannel()).checkQueue("orders");
      await connection.close();
      await expect(connect(`amqp://guest:guest@127.0.0.1:${await portOf(broker)}`)).rejects.toThrow("ACCESS_REFUSED");
      broker.signal("SIGTERM");
      expect((await broker.outcome).status).toBe(0);
    }
  });

  it("keeps the default user where the definitions have none", async () => {
    const file = join(directory, "definitions.json");
    writeFileSync(file, JSON.stringify({ queues: [{ name: "orders", vhost: "/", durable: true, arguments: {} }] }));
    const broker = start([], { RABBITMQ_LOAD_DEFINITIONS: file });
    const connection = await connect(`amqp://guest:guest@127.0.0.1:${await portOf(broker)}`);
    await (await connection.createChannel()).checkQueue("orders");
    await connection.close();
  });

  it.each([
    ["cannot be read", undefined, /cannot be read: ENOENT/],
    ["is no JSON", "{", /cannot be used: it is no JSON: Expected property name .*position 1/],
    ["holds what cannot be", '{"queues":[{"name":"q","vhost":"nowhere"}]}', /cannot be used: no vhost 'nowhere'/],
    [
      "has a bad pattern",
      '{"topic_permissions":[{"user":"guest","vhost":"/","exchange":"","write":"(","read":""}],"users":[{"name":"guest","tags":""}]}',
      /cannot be used: /,
    ],
  ])("does not start on a file of definitions that %s, with status 1", async (_what, text, reason) => {
    const file = join(directory, "definitions.json");
    if (text !== undefined) writeFileSync(file, text);
    const { status, stderr } = await start(["--definitions", file]).outcome;
    expect([status, onlyLine(stderr)]).toEqual([1, expect.stringMatching(reason)]);
    expect(stderr).toContain(`tsbroker: definitions '${file}'`);
  });

  it("starts again on the data it left", async () => {
    for (const _ of ["first", "second"]) {
      const broker = start();
      await portOf(broker);
      broker.signal("SIGTERM");
      expect((await broker.outcome).status).toBe(0);
    }
  });

  it("warns of keys in the file that mean nothing, and takes the others", async () => {
    const file = join(directory, "t.conf");
    writeFileSync(file, "hipe_compile = true\nlog.console.level = debug\n");
    const broker = start(["--config", file]);
    await broker.line(/"level":"warn".*ignored what has no meaning here: .*hipe_compile \(there is no Erlang\)/);
    await portOf(broker);
  });

  it("says which port is taken, and which flag chooses another, with status 1", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    for (const flag of ["--port", "--management-port"]) {
      const { status, stderr } = await start([flag, String(port)]).outcome;
      const text = `tsbroker: port ${port} is in use by another process; choose another with ${flag}`;
      expect([status, onlyLine(stderr)]).toEqual([1, text]);
    }
    await new Promise((resolve) => other.close(resolve));
  });

  it("says that it cannot use its data directory, with status 1", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    const { status, stderr } = await start(["--data-dir", join(file, "data")]).outcome;
    expect([status, onlyLine(stderr)]).toEqual([1, expect.stringContaining(file)]);
  });

  it("refuses a data directory that a running broker uses", async () => {
    mkdirSync(join(directory, "data"));
    await portOf(start());
    const { status, stderr } = await start().outcome;
    expect([status, onlyLine(stderr)]).toEqual([1, expect.stringContaining(join(directory, "data"))]);
  });
});

describe("brokerctl ping", () => {
  it("succeeds while a broker runs, and fails with status 69 when none does", async () => {
    const broker = start();
    const port = await portOf(broker);
    expect(await run("brokerctl", "ping", "--quiet", "--port", port)).toEqual({
      status: 0,
      stdout: "Ping succeeded\n",
      stderr: "",
    });
    broker.signal("SIGTERM");
    await broker.outcome;
    expect(await run("brokerctl", "ping", "--quiet", "--port", port)).toEqual({
      status: 69,
      stdout: "",
      stderr: `Error:\nno broker at 127.0.0.1:${port}: connection refused\n`,
    });
  });

  it("answers a wrong port number with status 64", async () => {
    const { status, stderr } = await run("brokerctl", "ping", "--port", "0");
    expect([status, stderr]).toEqual([64, expect.stringContaining("not a whole number from 1 to 65535")]);
  });
});
