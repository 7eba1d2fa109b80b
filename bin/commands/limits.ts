import { document, isRecord, plain } from "../cells.ts";
import { command, flag, text } from "../command.ts";
import { CommandError, exitCode, noSuchUser, noSuchVhost } from "../command-error.ts";
import type { Context } from "../context.ts";
import { jsonObjectArgument } from "../json-argument.ts";
import { on, path, type Row } from "../management-client.ts";

const vhostLimitNames = ["max-connections", "max-queues"];
const userLimitNames = ["max-connections", "max-channels"];

const setVhostLimits = command({
  name: "set_vhost_limits",
  group: "Virtual hosts",
  summary: "limits a virtual host",
  arguments: { "<definition>": `limits in JSON: ${vhostLimitNames.join(", ")}` },
  run: async (context, { definition }) => {
    const { api, vhost, output } = context;
    output.banner(`Setting vhost limits to "${definition}" for vhost "${vhost}" ...`);
    await checkVhost(context);
    await putLimits(definition, vhostLimitNames, (name, value) =>
      api.put(path`/vhost-limits/${vhost}/${name}`, { value }),
    );
  },
});

const clearVhostLimits = command({
  name: "clear_vhost_limits",
  group: "Virtual hosts",
  summary: "takes the limits of a virtual host away",
  run: async ({ api, vhost, output }) => {
    output.banner(`Clearing vhost "${vhost}" limits ...`);
    for (const name of vhostLimitNames) await api.delete(path`/vhost-limits/${vhost}/${name}`);
  },
});

const listVhostLimits = command({
  name: "list_vhost_limits",
  group: "Virtual hosts",
  summary: "lists the limits of virtual hosts",
  options: { all: flag("--global", "of all virtual hosts") },
  run: async (context, _, { all }) => {
    const { api, vhost, output } = context;
    if (all) {
      output.banner("Listing limits for all vhosts ...");
      printAll(context, "vhost", await api.list("/vhost-limits"));
      return;
    }
    output.banner(`Listing limits for vhost "${vhost}" ...`);
    await checkVhost(context);
    const [limits] = await api.list(path`/vhost-limits/${vhost}`);
    if (limits === undefined) {
      output.document("\n", []);
      return;
    }
    const value = document(limits["value"]).text;
    output.document(`${value}\n`, { node: await context.node(), result: "ok", value });
  },
});

const setUserLimits = command({
  name: "set_user_limits",
  group: "Users",
  summary: "limits a user",
  arguments: { "<username>": "name of the user", "<definition>": `limits in JSON: ${userLimitNames.join(", ")}` },
  run: async (context, { username, definition }) => {
    context.output.banner(`Setting user limits to "${definition}" for user "${username}" ...`);
    await checkUser(context, username);
    await putLimits(definition, userLimitNames, (name, value) =>
      context.api.put(path`/user-limits/${username}/${name}`, { value }),
    );
  },
});

const clearUserLimits = command({
  name: "clear_user_limits",
  group: "Users",
  summary: "takes limits of a user away",
  arguments: { "<username>": "name of the user", "<limit>": `${userLimitNames.join(" or ")}, or all` },
  run: async (context, { username, limit }) => {
    const which = limit === "all" ? "all limits" : `"${limit}" limit`;
    context.output.banner(`Clearing ${which} for user "${username}" ...`);
    await checkUser(context, username);
    const names = limit === "all" ? userLimitNames : [limit];
    for (const name of names) await context.api.delete(path`/user-limits/${username}/${name}`);
  },
});

const listUserLimits = command({
  name: "list_user_limits",
  group: "Users",
  summary: "lists the limits of users",
  options: {
    all: flag("--global", "of all users"),
    username: text("--user <username>", "of this user; without it of who you are logged in as"),
  },
  run: async (context, _, { all, username = context.api.username }) => {
    const { api, output } = context;
    if (all) {
      output.banner("Listing limits for all users ...");
      printAll(context, "user", await api.list("/user-limits"));
      return;
    }
    output.banner(`Listing limits for user "${username}" ...`);
    await checkUser(context, username);
    const [limits] = await api.list(path`/user-limits/${username}`);
    output.message(document(limits?.["value"] ?? {}).text);
  },
});

/** Checks all names before it sets any of them. */
async function putLimits(
  definition: string,
  known: readonly string[],
  put: (name: string, value: unknown) => Promise<unknown>,
): Promise<void> {
  const limits = jsonObjectArgument(definition);
  const unknown = Object.keys(limits).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const text = `Validation failed\n\nUnrecognised limits: ${unknown.join(", ")}; there are ${known.join(" and ")}`;
    throw new CommandError(exitCode.unavailable, text);
  }
  for (const [name, value] of Object.entries(limits)) await put(name, value);
}

function printAll({ output }: Context, subject: "vhost" | "user", rows: readonly Row[]): void {
  output.table({
    columns: [subject, "limits"],
    rows: rows.filter(isRecord).map((row) => [plain(row[subject]), document(row["value"])]),
  });
}

async function checkUser({ api }: Context, username: string): Promise<void> {
  await api.get(path`/users/${username}`).catch(on(404, () => noSuchUser(username)));
}

async function checkVhost({ api, vhost }: Context): Promise<void> {
  await api.get(`${path`/vhosts/${vhost}`}?disable_stats=true`).catch(on(404, () => noSuchVhost(vhost)));
}

/** The commands about limits of virtual hosts and users. */
export const limitCommands = [
  setVhostLimits,
  clearVhostLimits,
  listVhostLimits,
  setUserLimits,
  clearUserLimits,
  listUserLimits,
];
