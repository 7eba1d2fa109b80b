import { setTimeout as pause } from "node:timers/promises";
import { command, text } from "../command.ts";
import { ArgumentError, CommandError } from "../command-error.ts";
import type { Context } from "../context.ts";
import { ApiError } from "../management-client.ts";

const pollMs = 250;
const waitSeconds = 300;

const awaitStartup = command({
  name: "await_startup",
  group: "Node",
  summary: "waits until the broker serves clients; needs no login",
  timeoutSeconds: waitSeconds,
  run: (context) => untilServing(context),
});

const wait = command({
  name: "wait",
  group: "Node",
  summary: "waits until the broker serves clients, as await_startup does; the pid is of no use over HTTP",
  arguments: { "[pidfile]": "accepted for RabbitMQ's sake" },
  options: { pid: text("-P, --pid <pid>", "accepted for RabbitMQ's sake") },
  timeoutSeconds: waitSeconds,
  run: async (context) => {
    context.output.banner(`Waiting for the broker at ${context.api.url} to start`);
    await untilServing(context);
    context.output.message(`The broker at ${context.api.url} is running`);
  },
});

const awaitOnlineNodes = command({
  name: "await_online_nodes",
  group: "Node",
  summary: "waits for as many nodes, of which there is one",
  arguments: { "<count>": "how many" },
  timeoutSeconds: waitSeconds,
  run: async (context, { count }) => {
    if (!/^\d{1,9}$/.test(count)) throw new ArgumentError(`Bad argument: '${count}' is no number of nodes`);
    context.output.banner(`Will wait for at least ${count} nodes. Timeout: ${context.timeoutText}.`);
    await untilServing(context);
    if (Number(count) > 1) await pause(2 ** 31 - 1, undefined, { signal: context.deadline });
  },
});

/** Resolves when the broker serves clients; a broker that is not there yet is waited for. */
async function untilServing({ api, deadline }: Context): Promise<void> {
  for (;;) {
    try {
      await api.request("GET", "/health/checks/ready-to-serve-clients", { anonymous: true });
      return;
    } catch (error) {
      const mayPass = error instanceof CommandError || (error instanceof ApiError && error.status === 503);
      if (!mayPass) throw error;
    }
    await pause(pollMs, undefined, { signal: deadline });
  }
}

/** The commands that wait. */
export const awaitCommands = [awaitStartup, wait, awaitOnlineNodes];
