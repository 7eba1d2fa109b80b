import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BrokerOptions, needsOwnBroker, startBroker, TestBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

let directory: string;
let file: string;
let broker: TestBroker | undefined;

beforeEach((context) => {
  needsOwnBroker(context);
  directory = mkdtempSync(join(tmpdir(), "tsbroker-log-"));
  file = join(directory, "log", "broker.log");
});

afterEach(async () => {
  await broker?.stop();
  broker = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function started(options: BrokerOptions): Promise<TestBroker> {
  broker = await startBroker({ logLevel: "info", ...options });
  return broker;
}

async function connectAndClose({ url }: TestBroker): Promise<void> {
  await (await connect(url)).close();
}

/** Connects until the file tells of it, as a signal takes its time. */
function untilItTells(running: TestBroker, path: string): Promise<void> {
  return eventually(async () => {
    await connectAndClose(running);
    expect(readFileSync(path, "utf8")).toContain("connection closed");
  });
}

describe("the log's file", () => {
  it("has what is logged and is its owner's alone; RabbitMQ's tools are told of it", async () => {
    const running = await started({ args: ["--log-file", file] });
    await connectAndClose(running);
    await eventually(() => expect(readFileSync(file, "utf8")).toContain('"msg":"connection closed"'));
    expect(readFileSync(file, "utf8")).toContain("Server startup complete");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, "log")).mode & 0o777).toBe(0o700);
    // Scripts wait for these words on standard output; nothing else is there.
    expect(running.log()).toMatch(/^Server startup complete; [^\n]*\n$/);
    const [node] = Object.values(Object(await asGuest(running).read("/nodes")));
    expect(node).toMatchObject({ log_files: [file] });
  });

  it("is opened again at SIGHUP, so that it can be renamed", async () => {
    const running = await started({ args: ["--log-file", file] });
    renameSync(file, `${file}.1`);
    await untilItTells(running, `${file}.1`);
    // As logrotate's `create 0640` does.
    writeFileSync(file, "", { mode: 0o640 });
    process.kill(running.pid, "SIGHUP");
    await untilItTells(running, file);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    const old = readFileSync(`${file}.1`, "utf8");
    await connectAndClose(running);
    expect(readFileSync(`${file}.1`, "utf8")).toBe(old);
  });

  it("goes on where it was when it cannot be opened again", async () => {
    const running = await started({ args: ["--log-file", file] });
    renameSync(file, `${file}.1`);
    mkdirSync(file);
    process.kill(running.pid, "SIGHUP");
    const words = /the log goes on in the file.*configuration and certificates were read again/s;
    await eventually(() => expect(readFileSync(`${file}.1`, "utf8")).toMatch(words));
  });

  it("may have another level and form than standard output, which brokerctl sets for both", async () => {
    const args = ["--log-file", file, "--log-console", "stdout", "--log-level", "error"];
    const more = ["--log-file-level", "info", "--log-file-format", "plaintext", "--log-levels", "queue=warn"];
    const running = await started({ args: [...args, ...more] });
    await untilItTells(running, file);
    expect(readFileSync(file, "utf8")).toMatch(/^\d{4}-\d\d-\d\dT[^ ]+Z INFO {2}connection: connection open /m);
    expect(running.log()).not.toContain("connection");
    expect(running.log()).toContain("Server startup complete");
    const node = encodeURIComponent(String(Object(await asGuest(running).read("/overview")).node));
    await asGuest(running).must("PUT", `/nodes/${node}/log-levels`, { level: "info" });
    await connectAndClose(running);
    await eventually(() => expect(running.log()).toContain("connection closed"));
  });

  it("that is full costs lines, told of once, and not the broker", async () => {
    const running = await started({ args: ["--log-file", "/dev/full"] });
    await connectAndClose(running);
    await connectAndClose(running);
    await eventually(() => expect(running.log()).toContain("the log cannot be written to '/dev/full': ENOSPC"));
    expect(running.log().split("the log cannot be written")).toHaveLength(2);
  });

  it("that cannot be opened stops the start, in one line", async () => {
    const refused = new TestBroker({ args: ["--log-file", "/dev/null/broker.log"] });
    await expect(refused.start()).rejects.toThrow(/ended at start with 1\n.*cannot write the log to '\/dev\/null\/b/);
  });

  it("has the place that RabbitMQ's variables name", async () => {
    const running = await started({ env: { RABBITMQ_LOGS: "broker.log", RABBITMQ_LOG_BASE: join(directory, "log") } });
    await untilItTells(running, file);
  });
});

describe("SIGHUP", () => {
  it("takes in the levels of areas", async () => {
    const config = join(directory, "t.conf");
    writeFileSync(config, `log.file = ${file}\nlog.connection.level = error\n`);
    const running = await started({ args: ["--config", config] });
    await connectAndClose(running);
    writeFileSync(config, `log.file = ${file}\nlog.connection.level = info\n`);
    process.kill(running.pid, "SIGHUP");
    await untilItTells(running, file);
    expect(readFileSync(file, "utf8").split('"msg":"connection open"')[0]).toContain("were read again");
  });
});
