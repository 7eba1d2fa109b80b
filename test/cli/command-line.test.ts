import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rabbitmqVersion, version } from "../../src/version.ts";
import { unique } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { Brokerctl, runInProcess } from "../support/brokerctl.ts";
import { addUser } from "../support/management.ts";
import { runToEnd } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "built");
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-cli-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("options of all commands", () => {
  it("may stand before and after the command", async () => {
    const json = '[\n{"user":"guest","tags":["administrator"]}\n]\n';
    expect(await brokerctl.out("--formatter", "json", "list_users")).toBe(json);
    expect(await brokerctl.out("list_users", "--formatter=json")).toBe(json);
    expect(await brokerctl.out("-p", "/", "-q", "list_queues", "name")).toBe("");
  });

  it("say how much is printed", async () => {
    const row = "guest\t[administrator]\n";
    expect(await brokerctl.out("list_users")).toBe(`Listing users ...\nuser\ttags\n${row}`);
    expect(await brokerctl.out("list_users", "-q")).toBe(`user\ttags\n${row}`);
    expect(await brokerctl.out("list_users", "--no-table-headers")).toBe(`Listing users ...\n${row}`);
    expect(await brokerctl.out("list_users", "-s")).toBe(row);
  });

  it("that mean something to Erlang only are accepted", async () => {
    const args = ["-n", "rabbit@host", "--longnames", "--erlang-cookie", "x", "--print-stacktrace", "list_users", "-s"];
    expect(await brokerctl.out(...args)).toBe("guest\t[administrator]\n");
  });

  it("can say that nothing is to be done", async () => {
    await brokerctl.out("--dry-run", "delete_user", "guest");
    expect(await brokerctl.out("-s", "list_users")).toBe("guest\t[administrator]\n");
  });
});

describe("a command line that makes no sense", () => {
  it("names the command that was meant", async () => {
    expect(await runInProcess(["list_quues"])).toEqual({
      exitCode: 64,
      stdout: "",
      stderr: "\nCommand 'list_quues' not found.\nDid you mean 'list_queues'?\n\n",
    });
  });

  it.each([
    [["list_users", "extra"], "too many arguments.\nArguments given:\n\tlist_users extra\n"],
    [["delete_user"], "not enough arguments.\nArguments given:\n\tdelete_user\n"],
    [["list_users", "--nonsense"], "Invalid options for this command:\nunknown option '--nonsense'"],
    [
      ["list_users", "--password", "secret"],
      "Invalid options for this command:\nunknown option '--password': the password is read from TSBROKER_PASSWORD",
    ],
    [["list_users", "--timeout", "abc"], "Invalid options for this command:\n--timeout : abc"],
    [["add_user"], "not enough arguments.\n\nUsage\n\nbrokerctl add_user [options] <username> [password]\n"],
  ])("ends with 64, what is wrong and how it is meant: %j", async (args, text) => {
    const { exitCode, stderr } = await runInProcess(args);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`Error (argument validation): ${text}`)]);
    expect(stderr).toContain(`Use 'brokerctl help ${args[0]}' to learn more`);
  });

  it("does not repeat a password", async () => {
    const { exitCode, stderr } = await runInProcess(["add_user", "zoe", "secret", "extra"]);
    expect([exitCode, stderr.includes("secret")]).toEqual([64, false]);
  });

  it("without a command gets the help, and 64", async () => {
    const { exitCode, stderr } = await runInProcess([]);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining("Usage: brokerctl")]);
  });

  it("with an unknown formatter ends with 1, as in RabbitMQ", async () => {
    expect(await runInProcess(["list_users", "--formatter", "nonsense"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("only table, pretty_table, csv, json"),
    });
  });
});

describe("help", () => {
  it.each([["--help"], ["-?"], ["help"]])("with %s shows all commands by what they are about", async (...args) => {
    const { exitCode, stdout } = await runInProcess(args);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/^Users:\n {2}add_user .*\n(.*\n)*^Access control:$/m),
    ]);
    expect(stdout).not.toContain("join_cluster");
  });

  it.each([
    ["help", "list_queues"],
    ["list_queues", "--help"],
    ["list_queues", "-?"],
  ])("explains one command: %s %s", async (...args) => {
    const { exitCode, stdout } = await runInProcess(args);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("Columns:\n  name, type, durable")]);
  });
});

describe("other names of the program", () => {
  it.each(["rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-upgrade"])(
    "such as %s have the same commands",
    async (name) => {
      const { stdout } = await runInProcess(["help", "ping"], {}, name);
      expect(stdout).toContain(`Usage: ${name} ping`);
    },
  );

  it("may be symbolic links", async () => {
    const link = join(directory, "rabbitmqctl");
    symlinkSync(join(import.meta.dirname, "../../dist/bin/brokerctl.js"), link);
    const { exitCode, stdout } = await runToEnd(link, ["help", "ping"]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("Usage: rabbitmqctl ping")]);
  });

  it("rabbitmq-plugins knows what is built in", async () => {
    const plugins = (...args: string[]) => runInProcess(args, {}, "rabbitmq-plugins");
    expect(await plugins("list", "-m", "-q")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("rabbitmq_management\nrabbitmq_consistent_hash_exchange\n"),
    });
    expect(await plugins("list", "-q")).toMatchObject({
      stdout: expect.stringMatching(/^\[E\*\] rabbitmq_management\n(\[e\*\] rabbitmq_\w+\n)+$/),
    });
    // As Ansible asks for what it may have to disable.
    expect(await plugins("list", "-E", "-m", "-q")).toMatchObject({ stdout: "rabbitmq_management\n" });
    expect(await plugins("enable", "rabbitmq_management")).toMatchObject({ exitCode: 0 });
    expect(await plugins("enable", "rabbitmq_none")).toMatchObject({ exitCode: 70 });
    expect(await plugins("disable", "rabbitmq_management")).toMatchObject({
      exitCode: 0,
      stdout: "rabbitmq_management: built in, and stays enabled\n",
    });
    expect(await plugins("is_enabled", "rabbitmq_none")).toMatchObject({ exitCode: 69 });
  });
});

describe("the version", () => {
  it("is that of a RabbitMQ where scripts ask for one, so that they read lists as they are now", async () => {
    expect(await runInProcess(["version"], {}, "rabbitmqctl")).toMatchObject({ stdout: `${rabbitmqVersion}\n` });
    expect(await brokerctl.out("-q", "server_version")).toBe(`${rabbitmqVersion}\n`);
    expect(await brokerctl.json("status")).toMatchObject({ rabbitmq_version: rabbitmqVersion });
    expect(await brokerctl.out("status")).toContain(`\nRabbitMQ version: ${rabbitmqVersion}\n`);
  });

  it("is our own everywhere else", async () => {
    expect(await brokerctl.out("version")).toBe(`${version}\n`);
    expect(await brokerctl.json("status")).toMatchObject({ product_name: "tsbroker", product_version: version });
  });
});

describe("completion", () => {
  it("lists the commands with a prefix", async () => {
    expect((await runInProcess(["autocomplete", "list_user_"])).stdout).toBe(
      "list_user_limits\nlist_user_permissions\nlist_user_topic_permissions\n",
    );
  });
});

it("ends quietly when nobody reads on", async () => {
  for (const program of ["brokerctl.js --help", "tsbroker.js start --help"]) {
    const line = `${process.execPath} ${join(import.meta.dirname, "../../dist/bin", program)} | head -n 0; echo $PIPESTATUS`;
    expect(await runToEnd("bash", ["-c", line])).toEqual({ exitCode: 0, stdout: "0\n", stderr: "" });
  }
});

describe("logging in", () => {
  it("takes user and password from the environment or the file, and says what to do when they are wrong", async () => {
    await addUser(broker, "ann", ["administrator"]);
    const env = { TSBROKER_USER: "ann", TSBROKER_PASSWORD: "ann-pw" };
    expect(await brokerctl.run(["list_users", "-s"], { env })).toMatchObject({ exitCode: 0 });
    expect(await brokerctl.run(["-q", "list_users"], { env: { ...env, TSBROKER_PASSWORD: "wrong" } })).toEqual({
      exitCode: 65,
      stdout: "",
      stderr: expect.stringMatching(/^Error:\nLogin failed\n\n.*TSBROKER_PASSWORD/),
    });
    mkdirSync(join(directory, "config"));
    const file = join(directory, "config", "tsbroker");
    writeFileSync(file, "user = ann\npassword = ann-pw\n");
    chmodSync(file, 0o600);
    const fromFile = { env: { XDG_CONFIG_HOME: join(directory, "config") } };
    expect(await brokerctl.run(["list_users", "-s"], fromFile)).toMatchObject({ exitCode: 0 });
    chmodSync(file, 0o644);
    expect(await brokerctl.run(["list_users", "-s"], fromFile)).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining(`chmod 600 ${file}`),
    });
  });

  it("as somebody who may not says what they lack", async () => {
    await addUser(broker, "mia", ["management"]);
    const env = { TSBROKER_USER: "mia", TSBROKER_PASSWORD: "mia-pw" };
    expect(await brokerctl.run(["-q", "list_users"], { env })).toEqual({
      exitCode: 69,
      stdout: "",
      stderr: expect.stringMatching(/^Error:\nNot permitted: Not administrator user\n\n.*set_user_tags/),
    });
  });
});

it("reads a new user's password from standard input", async () => {
  expect(await brokerctl.run(["-q", "add_user", "zed"], { input: "zed-pw\n" })).toMatchObject({
    exitCode: 0,
    stderr: "",
  });
  expect(await brokerctl.out("-q", "authenticate_user", "zed", "zed-pw")).toBe("Success\n");
});

it("shows no argument in the list of processes", async () => {
  const secret = unique("secret");
  const script = join(import.meta.dirname, "../../dist/bin/brokerctl.js");
  const args = [script, "await_online_nodes", "2", "--erlang-cookie", secret, "--url", broker.managementUrl];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const shown = async () => (await runToEnd("ps", ["-o", "args=", "-p", String(child.pid)])).stdout.trim();
  await eventually(async () => expect(await shown()).toBe("brokerctl"));
  child.kill("SIGKILL");
});
