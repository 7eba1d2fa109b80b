#!/usr/bin/env node
import { startCommand } from "./commands/start.ts";
import { endWithReader } from "./end-with-reader.ts";
import { newProgram, run } from "./program.ts";

endWithReader(process.stdout);
const program = newProgram("tsbroker", "An AMQP 0-9-1 message broker: a drop-in replacement for RabbitMQ");
program.addCommand(startCommand().copyInheritedSettings(program));
await run(program);
