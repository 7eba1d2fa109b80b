import { setTimeout as pause } from "node:timers/promises";
import { command, flag } from "../command.ts";
import { CommandError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";
import { ApiError, path, type Row } from "../management-client.ts";
import { wholeNumber } from "../whole-number.ts";

const explanation = "why; the clients are told";

const closeConnection = command({
  name: "close_connection",
  group: "Connections",
  summary: "closes a connection",
  arguments: {
    "<name>": "name of the connection, which list_connections gives as pid too",
    "<explanation>": explanation,
  },
  run: async (context, args) => {
    context.output.banner(`Closing connection ${args.name}, reason: ${args.explanation}...`);
    if (await close(context, args.name, args.explanation)) return;
    // rabbitmqctl is content when the connection of a process is gone already.
    if (/^<.*>$/.test(args.name)) return;
    throw new CommandError(exitCode.unavailable, `There is no connection '${args.name}'`);
  },
});

const closeAllConnections = command({
  name: "close_all_connections",
  group: "Connections",
  summary: "closes the connections of a virtual host, or all",
  arguments: { "<explanation>": explanation },
  options: {
    all: flag("--global", "those of all virtual hosts"),
    limit: wholeNumber("limit", 0, "no more than this many, and all with 0"),
    delay: wholeNumber("per-connection-delay", 0, "milliseconds to wait after each"),
  },
  timeoutSeconds: "unlimited",
  run: async (context, args, { all, limit, delay }) => {
    const { api, vhost, output } = context;
    const where = all ? "" : ` in vhost ${vhost}`;
    const what = limit > 0 ? `${limit} connections` : "all connections";
    output.banner(`Closing ${what}${where}, reason: ${args.explanation}...`);
    const rows = await (all ? api.list("/connections") : connectionsOf(context, vhost));
    const names = rows.map(nameOf).slice(0, limit > 0 ? limit : rows.length);
    output.message(`Closed ${await closeEach(context, names, args.explanation, delay)} connections`);
  },
});

const closeAllUserConnections = command({
  name: "close_all_user_connections",
  group: "Connections",
  summary: "closes the connections of a user",
  arguments: { "<username>": "name of the user", "<explanation>": explanation },
  timeoutSeconds: "unlimited",
  run: async (context, { username, explanation: reason }) => {
    context.output.banner(`Closing connections of user ${username}, reason: ${reason}...`);
    const rows = await context.api.list(path`/connections/username/${username}`);
    await closeEach(context, rows.map(nameOf), reason, 0);
  },
});

async function connectionsOf({ api }: Context, vhost: string): Promise<readonly Row[]> {
  try {
    return await api.list(path`/vhosts/${vhost}/connections`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

/** Closes them one after the other, and returns how many were still there. */
async function closeEach(context: Context, names: readonly string[], reason: string, delayMs: number): Promise<number> {
  const progress = context.terminal.progress("Closing connections", names.length);
  let closed = 0;
  try {
    for (const [index, name] of names.entries()) {
      if (await close(context, name, reason)) closed += 1;
      progress.update(index + 1);
      if (delayMs > 0) await pause(delayMs, undefined, { signal: context.deadline });
    }
  } finally {
    progress.end();
  }
  return closed;
}

/** False when there is no such connection. */
async function close({ api }: Context, name: string, reason: string): Promise<boolean> {
  try {
    await api.request("DELETE", path`/connections/${name}`, { headers: { "x-reason": encodeReason(reason) } });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

/** What fits into a header: other characters become question marks. */
function encodeReason(reason: string): string {
  return reason.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "?");
}

function nameOf(row: Row): string {
  return String(row["name"]);
}

/** The commands that close connections. */
export const connectionCommands = [closeConnection, closeAllConnections, closeAllUserConnections];
