import { type CommandSpec, command } from "../command.ts";
import { ArgumentError, CommandError, exitCode, noSuchVhost } from "../command-error.ts";
import type { Context } from "../context.ts";
import { jsonArgument } from "../json-argument.ts";
import { type ApiError, on, path } from "../management-client.ts";
import { askedSecret } from "../secret-argument.ts";

/** What was given as `name=value`. */
type Fields = Readonly<Record<string, string>>;

/** A kind of thing that can be declared and deleted, as rabbitmqadmin names it and its fields. */
interface Kind {
  readonly needs: readonly string[];
  /** Fields that may be left out, and what they are then. */
  readonly may: Fields;
  /** Fields whose text is JSON. */
  readonly json: readonly string[];
  /** What tells one from the others: it is needed for deleting as well. */
  readonly key: readonly string[];
  readonly path: (fields: Fields, vhost: string) => string;
  /** Fields that are part of the path alone. */
  readonly inPath?: readonly string[];
}

const policy = (route: string): Kind => ({
  needs: ["name", "pattern", "definition"],
  may: { priority: "0", "apply-to": "all" },
  json: ["definition", "priority"],
  key: ["name"],
  path: ({ name = "" }, vhost) => path`/${route}/${vhost}/${name}`,
});

const kinds: Readonly<Record<string, Kind>> = {
  exchange: {
    needs: ["name", "type"],
    may: { durable: "true", auto_delete: "false", internal: "false", arguments: "{}" },
    json: ["durable", "auto_delete", "internal", "arguments"],
    key: ["name"],
    path: ({ name = "" }, vhost) => path`/exchanges/${vhost}/${name}`,
  },
  queue: {
    needs: ["name"],
    may: { durable: "true", auto_delete: "false", arguments: "{}" },
    json: ["durable", "auto_delete", "arguments"],
    key: ["name"],
    path: ({ name = "" }, vhost) => path`/queues/${vhost}/${name}`,
  },
  binding: {
    needs: ["source", "destination"],
    may: { destination_type: "queue", routing_key: "", arguments: "{}" },
    json: ["arguments"],
    key: ["source", "destination"],
    path: ({ source = "", destination = "", destination_type = "" }, vhost) =>
      path`/bindings/${vhost}/e/${source}/${destination_type.charAt(0)}/${destination}`,
    inPath: ["source", "destination", "destination_type"],
  },
  vhost: {
    needs: ["name"],
    may: { description: "", tags: "" },
    json: ["tracing"],
    key: ["name"],
    path: ({ name = "" }) => path`/vhosts/${name}`,
  },
  user: {
    needs: ["name", "tags"],
    may: {},
    json: [],
    key: ["name"],
    path: ({ name = "" }) => path`/users/${name}`,
  },
  permission: {
    needs: ["vhost", "user", "configure", "write", "read"],
    may: {},
    json: [],
    key: ["vhost", "user"],
    path: ({ vhost = "", user = "" }) => path`/permissions/${vhost}/${user}`,
  },
  parameter: {
    needs: ["component", "name", "value"],
    may: {},
    json: ["value"],
    key: ["component", "name"],
    path: ({ component = "", name = "" }, vhost) => path`/parameters/${component}/${vhost}/${name}`,
  },
  policy: policy("policies"),
  operator_policy: policy("operator-policies"),
  vhost_limit: {
    needs: ["vhost", "name", "value"],
    may: {},
    json: ["value"],
    key: ["vhost", "name"],
    path: ({ vhost = "", name = "" }) => path`/vhost-limits/${vhost}/${name}`,
  },
  user_limit: {
    needs: ["user", "name", "value"],
    may: {},
    json: ["value"],
    key: ["user", "name"],
    path: ({ user = "", name = "" }) => path`/user-limits/${user}/${name}`,
  },
};

/** Fields that some kinds know beside the others. */
const moreFields: Readonly<Record<string, readonly string[]>> = {
  queue: ["queue_type", "node"],
  user: ["password", "password_hash", "hashing_algorithm"],
  vhost: ["default_queue_type", "tracing"],
};

const kindsText = Object.keys(kinds).join(", ");

const declare = command({
  name: "declare",
  group: "As rabbitmqadmin",
  summary: "creates something: declare queue name=orders durable=true",
  arguments: { "<kind>": kindsText, "[name=value...]": "what it is to be" },
  words: Object.keys(kinds),
  details: `Kinds and their fields:\n${Object.entries(kinds).map(kindText).join("\n")}`,
  run: async (context, { kind, "name=value": pairs }) => {
    const known = kindNamed(kind);
    const given = fieldsFrom(pairs, [...known.needs, ...Object.keys(known.may), ...(moreFields[kind] ?? [])]);
    const fields = { ...known.may, ...given };
    require(known.needs, fields);
    await put(context, kind, known, kind === "user" ? await withPassword(context, fields) : fields);
    context.output.message(`${kind} declared`);
  },
});

const remove = command({
  name: "delete",
  group: "As rabbitmqadmin",
  summary: "deletes something: delete queue name=orders",
  words: Object.keys(kinds),
  arguments: { "<kind>": kindsText, "[name=value...]": "which one" },
  run: async (context, { kind, "name=value": pairs }) => {
    const known = kindNamed(kind);
    const fields: Fields = {
      destination_type: "queue",
      ...fieldsFrom(pairs, [...known.key, ...(kind === "binding" ? bindingKeys : [])]),
    };
    require(known.key, fields);
    const at = known.path(fields, context.vhost) + (kind === "binding" ? bindingSuffix(fields) : "");
    await context.api.delete(at).catch(on(404, () => noSuch(kind, fields)));
    context.output.message(`${kind} deleted`);
  },
});

/** What else tells one binding from the others between the same two. */
const bindingKeys = ["destination_type", "properties_key", "routing_key"];

/** A binding without arguments has its routing key, encoded, as the key of its properties; `~` stands for no key. */
function bindingSuffix({ properties_key, routing_key = "" }: Fields): string {
  return path`/${properties_key ?? (routing_key === "" ? "~" : encodeURIComponent(routing_key))}`;
}

async function put({ api, vhost }: Context, kind: string, known: Kind, fields: Fields): Promise<void> {
  const { queue_type, ...rest } = fields;
  const entries = Object.entries(rest).filter(([name]) => known.inPath?.includes(name) !== true);
  const body: Record<string, unknown> = Object.fromEntries(
    entries.map(([name, text]) => [name, known.json.includes(name) ? jsonArgument(text) : text]),
  );
  if (queue_type !== undefined) body["arguments"] = { "x-queue-type": queue_type, ...Object(body["arguments"]) };
  const at = known.path(fields, vhost);
  await (kind === "binding" ? api.post(at, body) : api.put(at, body)).catch(
    on(404, (error) => notThere(kind, vhost, error)),
  );
}

async function withPassword({ terminal }: Context, fields: Fields): Promise<Fields> {
  if (fields["password"] !== undefined || fields["password_hash"] !== undefined) return fields;
  return { ...fields, password: await askedSecret(terminal) };
}

/** What the API's "not found" means for something that was to be declared. */
function notThere(kind: string, vhost: string, cause: ApiError): CommandError {
  if (cause.message === "vhost_not_found") return noSuchVhost(vhost);
  if (cause.message !== "Not Found") return new CommandError(exitCode.unavailable, cause.message, { cause });
  if (kind !== "binding") return noSuchVhost(vhost);
  const text = `The source or destination does not exist in virtual host '${vhost}'`;
  return new CommandError(exitCode.unavailable, text, { cause });
}

const publish = command({
  name: "publish",
  group: "As rabbitmqadmin",
  summary: "publishes a message: publish routing_key=orders payload=hello",
  arguments: {
    "[name=value...]": "routing_key, exchange, payload, payload_encoding (string, base64), properties (JSON)",
  },
  details: "Without a payload, standard input is published.",
  run: async ({ api, vhost, output, terminal }, { "name=value": pairs }) => {
    const given = fieldsFrom(pairs, ["routing_key", "exchange", "payload", "payload_encoding", "properties"]);
    require(["routing_key"], given);
    const { exchange = "amq.default", properties = "{}" } = given;
    const payload =
      given["payload"] === undefined
        ? { payload: (await terminal.input()).toString("base64"), payload_encoding: "base64" }
        : { payload: given["payload"], payload_encoding: given["payload_encoding"] ?? "string" };
    const answer = await api
      .post(path`/exchanges/${vhost}/${exchange}/publish`, {
        ...payload,
        routing_key: given["routing_key"],
        properties: jsonArgument(properties),
      })
      .catch(on(404, () => noSuch("exchange", { name: exchange })));
    output.message(Object(answer).routed === true ? "Message published" : "Message published but NOT routed");
  },
});

const purge = command({
  name: "purge",
  group: "As rabbitmqadmin",
  summary: "removes all ready messages of a queue: purge queue name=orders",
  arguments: { "<kind>": "queue", "[name=value...]": "name of the queue" },
  words: ["queue"],
  run: async ({ api, vhost, output }, { kind, "name=value": pairs }) => {
    if (kind !== "queue") throw new ArgumentError(`Don't know how to purge ${kind}; there is queue`);
    const given = fieldsFrom(pairs, ["name"]);
    require(["name"], given);
    const { name = "" } = given;
    await api.delete(path`/queues/${vhost}/${name}/contents`).catch(on(404, () => noSuch(kind, given)));
    output.message("queue purged");
  },
});

const close = command({
  name: "close",
  group: "As rabbitmqadmin",
  summary: "closes a connection: close connection name='127.0.0.1:50680 -> 127.0.0.1:5672'",
  arguments: { "<kind>": "connection", "[name=value...]": "name of the connection" },
  words: ["connection"],
  run: async ({ api, output }, { kind, "name=value": pairs }) => {
    if (kind !== "connection") throw new ArgumentError(`Don't know how to close ${kind}; there is connection`);
    const given = fieldsFrom(pairs, ["name"]);
    require(["name"], given);
    const { name = "" } = given;
    await api.delete(path`/connections/${name}`).catch(on(404, () => noSuch(kind, given)));
    output.message("connection closed");
  },
});

function kindText([name, { needs, may }]: [string, Kind]): string {
  const optional = [...Object.entries(may).map(([field, value]) => `[${field}=${value}]`)];
  const more = (moreFields[name] ?? []).map((field) => `[${field}=...]`);
  return `  ${name} ${[...needs.map((field) => `${field}=...`), ...optional, ...more].join(" ")}`;
}

function kindNamed(name: string): Kind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind !== undefined) return kind;
  throw new ArgumentError(`Type ${name} not recognised; there are ${kindsText}`);
}

/** Reads `name=value`. */
export function fieldsFrom(pairs: readonly string[], known: readonly string[]): Fields {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      const name = pair.slice(0, at);
      if (at < 1) throw new ArgumentError(`'${pair}' is not of the form name=value`);
      if (!known.includes(name)) throw new ArgumentError(`unknown '${name}'; there are ${known.join(", ")}`);
      return [name, pair.slice(at + 1)];
    }),
  );
}

function require(names: readonly string[], fields: Fields): void {
  const missing = names.find((name) => fields[name] === undefined);
  if (missing !== undefined) throw new ArgumentError(`mandatory argument "${missing}" is required`);
}

function noSuch(kind: string, fields: Fields): CommandError {
  const which = fields["name"] ?? fields["user"] ?? `${fields["source"]} -> ${fields["destination"]}`;
  return new CommandError(exitCode.unavailable, `There is no ${kind} '${which}'`);
}

/** The commands that make and unmake things as rabbitmqadmin does. */
export const adminCommands: readonly CommandSpec[] = [declare, remove, publish, purge, close];
