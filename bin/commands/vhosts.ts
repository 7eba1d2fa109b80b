import { command, text } from "../command.ts";
import { ArgumentError, noSuchVhost } from "../command-error.ts";
import type { Context } from "../context.ts";
import { on, path } from "../management-client.ts";

const properties = {
  description: text("--description <text>", "what it is for"),
  tags: text("--tags <tag,...>", "tags, with commas between them"),
  defaultQueueType: text("--default-queue-type <type>", "type of queues that are declared without one", [
    "classic",
    "quorum",
  ]),
  isProtected: text("--protected-from-deletion <true|false>", "whether it is refused to delete it"),
};

interface Properties {
  readonly description: string | undefined;
  readonly tags: string | undefined;
  readonly defaultQueueType: string | undefined;
  readonly isProtected: string | undefined;
}

const addVhost = command({
  name: "add_vhost",
  group: "Virtual hosts",
  summary: "creates a virtual host",
  arguments: { "<vhost>": "name of the virtual host" },
  options: properties,
  run: async ({ api, output }, { vhost }, given) => {
    output.banner(`Adding vhost "${vhost}" ...`);
    await api.put(path`/vhosts/${vhost}`, bodyOf(given));
  },
});

const updateVhostMetadata = command({
  name: "update_vhost_metadata",
  group: "Virtual hosts",
  summary: "changes what is said of a virtual host",
  arguments: { "<vhost>": "name of the virtual host" },
  options: properties,
  run: async (context, { vhost }, given) => {
    context.output.banner(`Updating metadata of vhost "${vhost}" ...`);
    await changeVhost(context, vhost, bodyOf(given));
  },
});

const setVhostTags = command({
  name: "set_vhost_tags",
  group: "Virtual hosts",
  summary: "sets the tags of a virtual host, in place of those it has",
  arguments: { "<vhost>": "name of the virtual host", "[tag...]": "none takes all away" },
  run: async (context, { vhost, tag }) => {
    context.output.banner(`Setting tags for virtual host "${vhost}" to [${tag.join(", ")}] ...`);
    await changeVhost(context, vhost, { tags: tag.join(",") });
  },
});

const deleteVhost = command({
  name: "delete_vhost",
  group: "Virtual hosts",
  summary: "deletes a virtual host with all that is in it",
  arguments: { "<vhost>": "name of the virtual host" },
  run: async ({ api, output }, { vhost }) => {
    output.banner(`Deleting vhost "${vhost}" ...`);
    await api.delete(path`/vhosts/${vhost}`).catch(on(404, () => noSuchVhost(vhost)));
  },
});

const restartVhost = command({
  name: "restart_vhost",
  group: "Virtual hosts",
  summary: "restarts a failed virtual host: none can fail by itself here",
  run: async (context) => {
    const { api, vhost, output } = context;
    const node = await context.node();
    output.banner(`Trying to restart vhost '${vhost}' on node '${node}' ...`);
    await api.get(path`/vhosts/${vhost}`).catch(on(404, () => noSuchVhost(vhost)));
    output.message(`Vhost '${vhost}' is already running on node '${node}'`);
  },
});

/** `enable_` or `disable_vhost_deletion_protection`. */
function protection(name: string, summary: string, isProtected: boolean) {
  return command({
    name,
    group: "Virtual hosts",
    summary,
    arguments: { "<vhost>": "name of the virtual host" },
    run: (context, { vhost }) => changeVhost(context, vhost, { protected_from_deletion: isProtected }),
  });
}

/** `trace_on` or `trace_off`. */
function trace(name: string, summary: string, [starting, enabled]: readonly [string, string], tracing: boolean) {
  return command({
    name,
    group: "Virtual hosts",
    summary,
    run: async (context) => {
      const { vhost, output } = context;
      output.banner(`${starting} tracing for vhost "${vhost}" ...`);
      await changeVhost(context, vhost, { tracing });
      output.message(`Trace ${enabled} for vhost ${vhost}`);
    },
  });
}

async function changeVhost({ api }: Context, vhost: string, change: object): Promise<void> {
  await api.get(path`/vhosts/${vhost}`).catch(on(404, () => noSuchVhost(vhost)));
  await api.put(path`/vhosts/${vhost}`, change);
}

function bodyOf({ description, tags, defaultQueueType, isProtected }: Properties): object {
  if (isProtected !== undefined && isProtected !== "true" && isProtected !== "false") {
    throw new ArgumentError(`--protected-from-deletion : ${isProtected} is neither true nor false`);
  }
  return {
    ...(description !== undefined && { description }),
    ...(tags !== undefined && { tags }),
    ...(defaultQueueType !== undefined && { default_queue_type: defaultQueueType }),
    ...(isProtected !== undefined && { protected_from_deletion: isProtected === "true" }),
  };
}

/** The commands about virtual hosts. */
export const vhostCommands = [
  addVhost,
  updateVhostMetadata,
  setVhostTags,
  deleteVhost,
  restartVhost,
  protection("enable_vhost_deletion_protection", "protects a virtual host from being deleted", true),
  protection("disable_vhost_deletion_protection", "lets a protected virtual host be deleted again", false),
  trace("trace_on", "copies every message to amq.rabbitmq.trace", ["Starting", "enabled"], true),
  trace("trace_off", "stops copying messages", ["Stopping", "disabled"], false),
];
