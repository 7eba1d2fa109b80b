#!/usr/bin/env node
import { pingCommand } from "./commands/ping.ts";
import { newProgram, run } from "./program.ts";

const program = newProgram("brokerctl", "Looks after a running broker");
program.addCommand(pingCommand((line) => process.stdout.write(`${line}\n`)).copyInheritedSettings(program));
await run(program);
