#!/usr/bin/env node
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { brokerctlProgram, runBrokerctl } from "./brokerctl-program.ts";
import { endWithReader } from "./end-with-reader.ts";
import type { LoginFile } from "./login.ts";
import type { Effects } from "./new-context.ts";
import { processTerminal } from "./terminal.ts";

const [, script = "brokerctl", ...args] = process.argv;
const name = basename(script).replace(/\.[jt]s$/, "");

// Passwords among the arguments leave the list of processes that everybody can see.
process.title = name;

function readLoginFile(): LoginFile | undefined {
  const path = join(process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "tsbroker");
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) return undefined;
  return { path, text: readFileSync(path, "utf8"), isShared: (stats.mode & 0o077) !== 0 };
}

const effects: Effects = {
  env: process.env,
  terminal: processTerminal({ input: process.stdin, error: process.stderr }),
  isInteractive: process.stdin.isTTY,
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  readLoginFile,
};

endWithReader(process.stdout);
process.exitCode = await runBrokerctl(brokerctlProgram(name, effects), args, effects);
