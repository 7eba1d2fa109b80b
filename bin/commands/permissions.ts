import { command } from "../command.ts";
import { CommandError, exitCode, noSuchUser } from "../command-error.ts";
import type { Context } from "../context.ts";
import { ApiError, on, path } from "../management-client.ts";

const setPermissions = command({
  name: "set_permissions",
  group: "Access control",
  summary: "says what a user may do in a virtual host",
  arguments: {
    "<username>": "name of the user",
    "<configure>": "regular expression of the names of queues and exchanges they may declare and delete",
    "<write>": "regular expression of the names they may publish to, and bind to others",
    "<read>": "regular expression of the names they may consume from, and bind others to",
  },
  run: async (context, { username, configure, write, read }) => {
    const { api, vhost, output } = context;
    output.banner(`Setting permissions for user "${username}" in vhost "${vhost}" ...`);
    await checkUserAndVhost(context, username);
    await api.put(path`/permissions/${vhost}/${username}`, { configure, write, read });
  },
});

const clearPermissions = command({
  name: "clear_permissions",
  group: "Access control",
  summary: "takes away what a user may do in a virtual host",
  arguments: { "<username>": "name of the user" },
  run: async (context, { username }) => {
    const { api, vhost, output } = context;
    output.banner(`Clearing permissions for user "${username}" in vhost "${vhost}" ...`);
    await checkUserAndVhost(context, username);
    await ignoringAbsence(api.delete(path`/permissions/${vhost}/${username}`));
  },
});

const setTopicPermissions = command({
  name: "set_topic_permissions",
  group: "Access control",
  summary: "says which routing keys a user may use with a topic exchange",
  arguments: {
    "<username>": "name of the user",
    "<exchange>": "a topic exchange",
    "<write>": "regular expression of the routing keys they may publish with",
    "<read>": "regular expression of the routing keys they may bind with",
  },
  run: async (context, { username, exchange, write, read }) => {
    const { api, vhost, output } = context;
    output.banner(`Setting topic permissions on "${exchange}" for user "${username}" in vhost "${vhost}" ...`);
    await checkUserAndVhost(context, username);
    await api.put(path`/topic-permissions/${vhost}/${username}`, { exchange, write, read });
  },
});

const clearTopicPermissions = command({
  name: "clear_topic_permissions",
  group: "Access control",
  summary: "takes away topic permissions of a user",
  arguments: { "<username>": "name of the user", "[exchange]": "only those with this exchange" },
  run: async (context, { username, exchange }) => {
    const { api, vhost, output } = context;
    const which = exchange === undefined ? "" : ` on "${exchange}"`;
    output.banner(`Clearing topic permissions${which} for user "${username}" in vhost "${vhost}" ...`);
    await checkUserAndVhost(context, username);
    const all = path`/topic-permissions/${vhost}/${username}`;
    await ignoringAbsence(api.delete(exchange === undefined ? all : all + path`/${exchange}`));
  },
});

/** Throws what rabbitmqctl answers when one of them does not exist. */
async function checkUserAndVhost({ api, vhost }: Context, username: string): Promise<void> {
  await api.get(path`/users/${username}`).catch(on(404, () => noSuchUser(username)));
  await api
    .get(`${path`/vhosts/${vhost}`}?disable_stats=true`)
    .catch(on(404, () => new CommandError(exitCode.unavailable, `Virtual host ${vhost} does not exist`)));
}

/** To clear what is not there is no fault. */
async function ignoringAbsence(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

/** The commands about permissions. */
export const permissionCommands = [setPermissions, clearPermissions, setTopicPermissions, clearTopicPermissions];
