import { setTimeout as pause } from "node:timers/promises";
import { isRecord, plain } from "../cells.ts";
import { command, flag, text } from "../command.ts";
import { ArgumentError, CommandError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";
import { valueAt } from "../listing.ts";
import { type ApiError, on, path, type Row } from "../management-client.ts";
import { wholeNumber } from "../whole-number.ts";

/** Which messages of a queue are meant. */
const filter = {
  header: text("--header <name|name=value>", "those with this header"),
  property: text("--property <name|name=value>", "those with this property, routing_key or exchange"),
  body: text("--body <text>", "those with this text in their body"),
};

interface Filter {
  readonly header: string | undefined;
  readonly property: string | undefined;
  readonly body: string | undefined;
}

/** The same for commands that change something, which must be told when all are meant. */
const meant = { ...filter, all: flag("--all", "all ready messages") };

interface Meant extends Filter {
  readonly all: boolean;
}

const columns = ["id", "position", "state", "redelivered", "exchange", "routing_key", "payload_bytes", "properties"];
const allColumns = [...columns, "payload", "payload_encoding", "expires_at"];
const usualColumns = ["id", "state", "routing_key", "payload_bytes", "payload"];

/** Messages in one answer of the API, at most. */
const pageSize = 500;

const listMessages = command({
  name: "list_messages",
  group: "Queues and messages",
  summary: "lists messages that are in a queue, ready and unacked, and leaves them as they are",
  arguments: {
    "<queue>": "name of the queue",
    "[column...]": `which columns to show (${usualColumns.join(" ")}), with dots leading inwards: properties.headers`,
  },
  options: {
    ...filter,
    offset: wholeNumber("offset", 0, "how many messages of the queue to pass over"),
    limit: wholeNumber("limit", 50, "how many messages to list"),
  },
  words: allColumns,
  details: `Columns:\n  ${allColumns.join(", ")}`,
  run: async (context, { queue, column }, { offset, limit, ...wanted }) => {
    const chosen = column.length === 0 ? usualColumns : column.flatMap((given) => given.split(","));
    const unknown = chosen.filter((name) => !allColumns.includes(name.split(".")[0] ?? ""));
    if (unknown.length > 0) throw new ArgumentError(`Info key(s) ${unknown.join(",")} are not supported`);
    context.output.banner(`Listing messages of queue '${queue}' in vhost '${context.vhost}' ...`);
    const rows = await browse(context, queue, wanted, { offset, limit });
    context.output.table({ columns: chosen, rows: rows.map((row) => chosen.map((name) => plain(valueAt(row, name)))) });
  },
});

/** Asks for page after page, until there are enough messages or no more. */
async function browse(
  { api, vhost }: Context,
  queue: string,
  wanted: Filter,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let next: unknown = offset;
  while (typeof next === "number" && rows.length < limit) {
    const query = new URLSearchParams({
      ...queryOf(wanted),
      offset: String(next),
      limit: String(Math.min(pageSize, limit - rows.length)),
    });
    const page: Row = await api
      .item(`${path`/queues/${vhost}/${queue}/messages`}?${query}`)
      .catch(on(404, (error) => noSuchQueue(queue, vhost, error)));
    if (Array.isArray(page["items"])) rows.push(...page["items"].filter(isRecord));
    next = page["next_offset"];
  }
  return rows;
}

const deleteMessages = command({
  name: "delete_messages",
  group: "Queues and messages",
  summary: "deletes ready messages of a queue: those with an id that list_messages shows, or all that are meant",
  arguments: { "<queue>": "name of the queue", "[id...]": "ids of messages" },
  options: meant,
  timeoutSeconds: "unlimited",
  run: async (context, { queue, id }, wanted) => {
    const { api, vhost, output } = context;
    checkMeant(id, wanted);
    output.banner(`Deleting messages of queue '${queue}' in vhost '${vhost}' ...`);
    const at = path`/queues/${vhost}/${queue}/messages`;
    const absent = on(404, (error) => noSuchQueue(queue, vhost, error));
    if (id.length === 0) {
      const answer = await watched(context, "Deleting", queue, () =>
        api.delete(`${at}?${new URLSearchParams(meantIn(wanted, "true"))}`).catch(absent),
      );
      output.message(`Deleted ${numberIn(answer, "deleted")} messages`);
      return;
    }
    await eachOf(context, "Deleting", id, (one) => api.delete(at + path`/${one}`).catch(noSuchMessage(one)));
    output.message(`Deleted ${id.length} messages`);
  },
});

const moveMessages = command({
  name: "move_messages",
  group: "Queues and messages",
  summary: "moves ready messages of a queue to another, each in one transaction",
  arguments: { "<queue>": "name of the queue", "[id...]": "ids of messages, as list_messages shows them" },
  options: {
    ...meant,
    exchange: text("--to-exchange <name>", "the exchange they go to, with their own routing key or another"),
    routingKey: text("--to <routing key>", "the routing key; without an exchange the name of the queue they go to"),
  },
  timeoutSeconds: "unlimited",
  run: async (context, { queue, id }, { exchange, routingKey, ...wanted }) => {
    const { api, vhost, output } = context;
    checkMeant(id, wanted);
    if (exchange === undefined && routingKey === undefined) {
      throw new ArgumentError("--to or --to-exchange should say where to");
    }
    output.banner(`Moving messages of queue '${queue}' in vhost '${vhost}' ...`);
    const at = path`/queues/${vhost}/${queue}/messages`;
    const target = { exchange: exchange ?? "", ...(routingKey !== undefined && { routing_key: routingKey }) };
    const answers: unknown[] = [];
    if (id.length === 0) {
      const move = () => api.post(`${at}/move`, { ...target, ...meantIn(wanted, true) });
      const absent = on(404, (error) => noSuchQueue(queue, vhost, error));
      answers.push(await watched(context, "Moving", queue, () => move().catch(absent)));
    } else {
      await eachOf(context, "Moving", id, async (one) => {
        answers.push(await api.post(at + path`/${one}/move`, target).catch(noSuchMessage(one)));
      });
    }
    sayMoved(context, answers);
  },
});

const replayDeadLetters = command({
  name: "replay_dead_letters",
  group: "Queues and messages",
  summary: "moves ready dead letters back to the queues they died in first, each in one transaction",
  arguments: { "<queue>": "name of the queue that they are in" },
  options: { ...filter, dryRun: flag("--dry-run", "only tell how many would go where") },
  timeoutSeconds: "unlimited",
  run: async (context, { queue }, { dryRun, ...wanted }) => {
    const { api, vhost, output } = context;
    output.banner(`Replaying dead letters of queue '${queue}' in vhost '${vhost}' ...`);
    const answer = await api
      .post(path`/queues/${vhost}/${queue}/messages/replay`, { ...queryOf(wanted), dry_run: dryRun })
      .catch(on(404, (error) => noSuchQueue(queue, vhost, error)));
    const destinations = isRecord(answer) && Array.isArray(answer["destinations"]) ? answer["destinations"] : [];
    const columns = ["queue", "reason", "messages"];
    const rows = destinations.map((row) => columns.map((name) => plain(valueAt(row, name))));
    output.table({ columns, rows });
    if (!dryRun) sayMoved(context, [answer]);
  },
});

const explainRoute = command({
  name: "explain_route",
  group: "Queues and messages",
  summary: "tells where a message would go, and by which bindings; none is published",
  arguments: { "<exchange>": "name of the exchange; amq.default is the nameless one", "[routing_key]": "routing key" },
  options: { headers: text("--headers <json>", "headers of the message, a JSON object") },
  run: async ({ api, vhost, output }, { exchange, routing_key }, { headers }) => {
    const query = new URLSearchParams({ routing_key: routing_key ?? "", ...(headers !== undefined && { headers }) });
    const absent = `There is no exchange '${exchange}' in vhost '${vhost}'`;
    output.banner(`Explaining the route from exchange '${exchange}' in vhost '${vhost}' ...`);
    const answer = await api
      .item(`${path`/exchanges/${vhost}/${exchange}/route`}?${query}`)
      .catch(on(404, (cause) => new CommandError(exitCode.unavailable, absent, { cause })));
    const steps = Array.isArray(answer["steps"]) ? answer["steps"] : [];
    const columns = ["exchange", "destination_type", "destination", "via", "routing_key", "arguments"];
    output.table({ columns, rows: steps.map((row) => columns.map((name) => plain(valueAt(row, name)))) });
    if (steps.length === 0) output.banner("It would go nowhere: no binding fits");
  },
});

/** Says how many were moved; that some could not be is a failure. */
function sayMoved({ output }: Context, answers: readonly unknown[]): void {
  const sum = (field: string) => answers.reduce<number>((total, answer) => total + numberIn(answer, field), 0);
  const [moved, unroutable, rejected] = [sum("moved"), sum("unroutable"), sum("rejected")];
  output.message(`Moved ${moved} messages`);
  if (unroutable + rejected === 0) return;
  const why = `${unroutable} because no queue is bound there, ${rejected} because they were rejected`;
  throw new CommandError(exitCode.unavailable, `${unroutable + rejected} messages stayed where they were: ${why}`);
}

function checkMeant(ids: readonly string[], { all, ...wanted }: Meant): void {
  const isFiltered = Object.keys(queryOf(wanted)).length > 0;
  const ways = [ids.length > 0, isFiltered, all].filter((isGiven) => isGiven).length;
  if (ways === 0) throw new ArgumentError("ids, --header, --property, --body or --all should say which messages");
  if (ways > 1) {
    throw new ArgumentError("give ids, or --header, --property and --body, or --all, and only one of these");
  }
}

/** Does something for each id, one after the other. */
async function eachOf(
  { terminal }: Context,
  what: string,
  ids: readonly string[],
  act: (id: string) => Promise<unknown>,
): Promise<void> {
  const progress = terminal.progress(what, ids.length);
  try {
    for (const [index, id] of ids.entries()) {
      await act(id);
      progress.update(index + 1);
    }
  } finally {
    progress.end();
  }
}

const watchMs = 500;

/** Does something that the broker answers when it is over, and shows meanwhile how many messages left the queue. */
async function watched(context: Context, what: string, queue: string, work: () => Promise<unknown>): Promise<unknown> {
  const { terminal, deadline } = context;
  if (!terminal.isWatched) return work();
  const before = await messagesIn(context, queue);
  const progress = terminal.progress(what, undefined);
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      await pause(watchMs, undefined, { signal: AbortSignal.any([over.signal, deadline]) }).catch(() => {});
      if (!over.signal.aborted) progress.update(Math.max(0, before - (await messagesIn(context, queue))));
    }
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await watching;
    progress.end();
  }
}

async function messagesIn({ api, vhost }: Context, queue: string): Promise<number> {
  const row = await api
    .item(path`/queues/${vhost}/${queue}`)
    .catch(on(404, (error) => noSuchQueue(queue, vhost, error)));
  return numberIn(row, "messages");
}

function meantIn<T>({ all, ...wanted }: Meant, yes: T): Record<string, string | T> {
  return { ...queryOf(wanted), ...(all && { all: yes }) };
}

function queryOf({ header, property, body }: Filter): Record<string, string> {
  return {
    ...(header !== undefined && { header }),
    ...(property !== undefined && { property }),
    ...(body !== undefined && { body }),
  };
}

function numberIn(answer: unknown, field: string): number {
  const value = isRecord(answer) ? answer[field] : undefined;
  return typeof value === "number" ? value : 0;
}

function noSuchQueue(queue: string, vhost: string, cause: ApiError): CommandError {
  return new CommandError(exitCode.unavailable, `There is no queue '${queue}' in vhost '${vhost}'`, { cause });
}

function noSuchMessage(id: string): (error: unknown) => never {
  return on(
    404,
    (cause) => new CommandError(exitCode.unavailable, `There is no message ${id} in the queue`, { cause }),
  );
}

/** The commands about single messages, which RabbitMQ does not have. */
export const messageCommands = [listMessages, deleteMessages, moveMessages, replayDeadLetters, explainRoute];
