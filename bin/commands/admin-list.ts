import { type Cell, isRecord, plain } from "../cells.ts";
import { command } from "../command.ts";
import { ArgumentError, CommandError, exitCode, noSuchVhost } from "../command-error.ts";
import { valueAt } from "../listing.ts";
import { on, path, type Row } from "../management-client.ts";
import { fieldsFrom } from "./admin.ts";

/** What rabbitmqadmin can list: where it is in the API, whether by vhost, and the columns to begin with. */
const lists: Readonly<Record<string, { readonly path: string; readonly byVhost: boolean; readonly usual: string[] }>> =
  {
    connections: { path: "/connections", byVhost: false, usual: ["vhost", "name", "user", "state", "channels"] },
    channels: { path: "/channels", byVhost: false, usual: ["vhost", "name", "user", "consumer_count"] },
    consumers: {
      path: "/consumers",
      byVhost: true,
      usual: ["queue.vhost", "queue.name", "consumer_tag", "ack_required"],
    },
    exchanges: { path: "/exchanges", byVhost: true, usual: ["vhost", "name", "type", "durable"] },
    queues: { path: "/queues", byVhost: true, usual: ["vhost", "name", "type", "durable", "messages", "consumers"] },
    bindings: {
      path: "/bindings",
      byVhost: true,
      usual: ["vhost", "source", "destination", "destination_type", "routing_key"],
    },
    users: { path: "/users", byVhost: false, usual: ["name", "tags"] },
    vhosts: { path: "/vhosts", byVhost: false, usual: ["name", "description", "messages"] },
    permissions: { path: "/permissions", byVhost: false, usual: ["vhost", "user", "configure", "write", "read"] },
    nodes: { path: "/nodes", byVhost: false, usual: ["name", "type", "mem_used"] },
    parameters: { path: "/parameters", byVhost: false, usual: ["vhost", "component", "name", "value"] },
    policies: {
      path: "/policies",
      byVhost: true,
      usual: ["vhost", "name", "pattern", "apply-to", "definition", "priority"],
    },
    operator_policies: {
      path: "/operator-policies",
      byVhost: true,
      usual: ["vhost", "name", "pattern", "apply-to", "definition", "priority"],
    },
    vhost_limits: { path: "/vhost-limits", byVhost: false, usual: ["vhost", "value"] },
    user_limits: { path: "/user-limits", byVhost: false, usual: ["user", "value"] },
  };

const list = command({
  name: "list",
  group: "As rabbitmqadmin",
  summary: "lists things with the fields of the HTTP API: list queues name messages; of all virtual hosts without -p",
  arguments: {
    "<things>": Object.keys(lists).join(", "),
    "[field...]": "fields of the HTTP API, with dots leading inwards, as in queue.name",
  },
  words: Object.keys(lists),
  run: async ({ api, output, givenVhost }, { things, field }) => {
    const known = Object.hasOwn(lists, things) ? lists[things] : undefined;
    if (known === undefined) {
      throw new ArgumentError(`Don't know how to list ${things}; there are ${Object.keys(lists).join(", ")}`);
    }
    const at = givenVhost !== undefined && known.byVhost ? known.path + path`/${givenVhost}` : known.path;
    const rows = await api.list(at).catch(on(404, () => noSuchVhost(givenVhost ?? "")));
    const ofVhost = rows.filter(({ vhost }) => givenVhost === undefined || vhost === undefined || vhost === givenVhost);
    const columns = field.length === 0 ? known.usual : field;
    output.table({ columns, rows: cellsOf(ofVhost, columns) }, "pretty_table");
  },
});

const overviewColumns = ["rabbitmq_version", "cluster_name", "queue_totals.messages", "object_totals.queues"];

const show = command({
  name: "show",
  group: "As rabbitmqadmin",
  summary: "shows the overview",
  arguments: { "<what>": "overview", "[field...]": "fields of the HTTP API, with dots leading inwards" },
  words: ["overview"],
  run: async ({ api, output }, { what, field }) => {
    if (what !== "overview") throw new ArgumentError(`Don't know how to show ${what}; there is overview`);
    const columns = field.length === 0 ? overviewColumns : field;
    output.table({ columns, rows: cellsOf([await api.item("/overview")], columns) }, "pretty_table");
  },
});

const messageColumns = [
  "routing_key",
  "exchange",
  "message_count",
  "payload",
  "payload_bytes",
  "payload_encoding",
  "properties",
  "redelivered",
];

const get = command({
  name: "get",
  group: "As rabbitmqadmin",
  summary: "gets messages of a queue: get queue=orders count=5; they stay in it unless ackmode says otherwise",
  arguments: {
    "[name=value...]":
      "queue, count (1), ackmode (ack_requeue_true, reject_requeue_true, ack_requeue_false, reject_requeue_false), encoding (auto, base64)",
  },
  run: async ({ api, vhost, output }, { "name=value": pairs }) => {
    const given = fieldsFrom(pairs, ["queue", "count", "ackmode", "encoding"]);
    const { queue, count = "1", ackmode = "ack_requeue_true", encoding = "auto" } = given;
    if (queue === undefined) throw new ArgumentError('mandatory argument "queue" is required');
    const answer = await api
      .post(path`/queues/${vhost}/${queue}/get`, { count: Number(count), ackmode, encoding })
      .catch(on(404, () => new CommandError(exitCode.unavailable, `There is no queue '${queue}' in vhost '${vhost}'`)));
    const messages = Array.isArray(answer) ? answer.filter(isRecord) : [];
    if (messages.length === 0 && !output.isMachineReadable) output.message("No items");
    else output.table({ columns: messageColumns, rows: cellsOf(messages, messageColumns) }, "pretty_table");
  },
});

function cellsOf(rows: readonly Row[], columns: readonly string[]): Cell[][] {
  return rows.map((row) => columns.map((column) => plain(valueAt(row, column))));
}

/** The commands that show things as rabbitmqadmin does. */
export const adminListCommands = [list, show, get];
