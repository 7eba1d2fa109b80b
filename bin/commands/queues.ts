import { command, flag } from "../command.ts";
import { CommandError, exitCode } from "../command-error.ts";
import { type ApiError, on, path, type Row } from "../management-client.ts";

const purgeQueue = command({
  name: "purge_queue",
  group: "Queues and messages",
  summary: "removes all ready messages of a queue",
  arguments: { "<queue>": "name of the queue" },
  run: async ({ api, vhost, output }, { queue }) => {
    output.banner(`Purging queue '${queue}' in vhost '${vhost}' ...`);
    await api
      .delete(path`/queues/${vhost}/${queue}/contents`)
      .catch(on(404, () => new CommandError(exitCode.unavailable, `There is no queue '${queue}' in vhost '${vhost}'`)));
  },
});

const deleteQueue = command({
  name: "delete_queue",
  group: "Queues and messages",
  summary: "deletes a queue with its messages",
  arguments: { "<queue>": "name of the queue" },
  options: {
    ifEmpty: flag("-e, --if-empty", "only when it has no messages"),
    ifUnused: flag("-u, --if-unused", "only when it has no consumers"),
    force: flag("--force", "accepted for RabbitMQ's sake"),
  },
  run: async ({ api, vhost, output }, { queue }, { ifEmpty, ifUnused }) => {
    const conditions = [...(ifUnused ? ["if queue is unused "] : []), ...(ifEmpty ? ["if queue is empty "] : [])];
    output.banner(`Deleting queue '${queue}' on vhost '${vhost}' ${conditions.join("and ")}...`);
    const query = `${ifEmpty ? "&if-empty=true" : ""}${ifUnused ? "&if-unused=true" : ""}`;
    const at = path`/queues/${vhost}/${queue}`;
    const before = await api.item(at).catch(on(404, () => new CommandError(exitCode.usage, "Queue not found")));
    await api.delete(`${at}?${query}`).catch(on(400, refusedDeletion));
    output.message(`Queue was successfully deleted with ${readyIn(before)} ready messages`);
  },
});

function readyIn(queue: Row): number {
  return typeof queue["messages_ready"] === "number" ? queue["messages_ready"] : 0;
}

function refusedDeletion(error: ApiError): Error {
  if (error.message.endsWith("not empty")) return new CommandError(exitCode.usage, "Queue is not empty");
  if (error.message.endsWith("in use")) return new CommandError(exitCode.usage, "Queue is in use");
  return error;
}

/** The commands about queues. */
export const queueCommands = [purgeQueue, deleteQueue];
