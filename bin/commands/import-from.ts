import { isRecord, plain } from "../cells.ts";
import { ArgumentError, CommandError, exitCode } from "../command-error.ts";
import type { Context } from "../context.ts";
import { ManagementClient, path, type Row } from "../management-client.ts";
import type { AmqpPlace, Drained, DrainResult } from "../queue-drain.ts";
import { type TlsFlags, tlsTrust } from "../tls-trust.ts";

/** What an import from another broker leaves out. */
export interface ImportChoice {
  readonly url: string;
  /** Where its AMQP is; beside its HTTP API unless given. */
  readonly amqpUrl: string | undefined;
  readonly definitionsOnly: boolean;
  /** Whom to trust of it over TLS, and what to show. */
  readonly tls: TlsFlags;
}

/** AMQP is so far below HTTP by custom, and these are the ports for it where that says nothing. */
const portDistance = 10_000;
const amqpPorts = { "amqp:": 5672, "amqps:": 5671 } as const;
const tlsFlag = "--from-ssl";

/** Copies the definitions of another broker, then moves the messages of its queues, and checks that all have arrived. */
export async function importFromBroker(context: Context, choice: ImportChoice): Promise<void> {
  const source = sourceOf(context, choice);
  await copyDefinitions(context, source.api);
  if (choice.definitionsOnly) return;
  await drainAll(context, source);
}

interface Source {
  readonly api: ManagementClient;
  readonly amqp: AmqpPlace;
}

function sourceOf({ deadline }: Context, { url, amqpUrl, tls: flags }: ImportChoice): Source {
  const given = parsedUrl(url, /^https?:$/);
  const username = decodeURIComponent(given.username) || "guest";
  const password = decodeURIComponent(given.password) || "guest";
  const tls = tlsTrust(flags, tlsFlag);
  const at = given.origin + given.pathname.replace(/\/$/, "");
  const login = { url: at, username, namedBy: "--from", tls, password: async () => password } as const;
  const amqp = amqpUrl === undefined ? amqpBeside(given) : parsedUrl(amqpUrl, /^amqps?:$/);
  return {
    api: new ManagementClient(login, deadline),
    amqp: { url: withLogin(amqp, username, password), tls, flag: tlsFlag },
  };
}

/** Over TLS where HTTP is. */
function amqpBeside({ protocol, hostname, port }: URL): URL {
  const scheme = protocol === "https:" ? "amqps:" : "amqp:";
  const amqpPort = Number(port) > portDistance ? Number(port) - portDistance : amqpPorts[scheme];
  return new URL(`${scheme}//${hostname}:${amqpPort}`);
}

function parsedUrl(url: string, scheme: RegExp): URL {
  if (URL.canParse(url) && scheme.test(new URL(url).protocol)) return new URL(url);
  throw new ArgumentError(
    `Bad argument: '${url}' is not a URL such as http://user:password@host:15672`,
    exitCode.dataError,
  );
}

/** Scheme, login and address, without a path. */
function withLogin({ protocol, username, password, host }: URL, user: string, secret: string): string {
  const login = username === "" ? [user, secret].map(encodeURIComponent).join(":") : `${username}:${password}`;
  return `${protocol}//${login}@${host}`;
}

async function copyDefinitions(context: Context, source: ManagementClient): Promise<void> {
  const { api, givenVhost, output } = context;
  output.banner(`Copying definitions from ${source.url} ...`);
  const at = givenVhost === undefined ? "/definitions" : path`/definitions/${givenVhost}`;
  const definitions = await source.item(at);
  if (givenVhost !== undefined) await api.put(path`/vhosts/${givenVhost}`, {});
  const { kept, leftOut } = understood(definitions);
  await api.request("POST", at, { body: kept });
  for (const what of leftOut) output.message(`left out: ${what}`);
}

/** What there is here. Streams are not, so neither are bindings to them; nor is what plugins of RabbitMQ do. */
function understood(definitions: Row): { readonly kept: Row; readonly leftOut: readonly string[] } {
  const queues = rowsOf(definitions["queues"]);
  const streams = new Set(queues.filter(isStream).map(placeOf));
  const bindings = rowsOf(definitions["bindings"]);
  const parameters = rowsOf(definitions["parameters"]);
  const policies = rowsOf(definitions["policies"]);
  const kept = {
    ...definitions,
    queues: queues.filter((queue) => !isStream(queue)),
    bindings: bindings.filter(({ vhost, destination, destination_type: type }) => {
      return type !== "queue" || !streams.has(placeOf({ vhost, name: destination }));
    }),
    parameters: parameters.filter(isKnown),
    policies: policies.map((policy) => ({ ...policy, definition: ownRules(policy) })).filter(hasRules),
  };
  const ofPlugins = parameters
    .filter((parameter) => !isKnown(parameter))
    .map(({ component, name }) => `parameter ${text(component)} ${text(name)}`);
  const rules = policies.flatMap((policy) =>
    rulesOf(policy)
      .filter(([rule]) => isOfPlugin(rule))
      .map(([rule]) => `rule ${rule} of policy ${placeOf(policy)}`),
  );
  return { kept, leftOut: [...[...streams].map((stream) => `stream ${stream}`), ...ofPlugins, ...rules] };
}

function rulesOf({ definition }: Row): readonly [string, unknown][] {
  return isRecord(definition) ? Object.entries(definition) : [];
}

function ownRules(policy: Row): Row {
  return Object.fromEntries(rulesOf(policy).filter(([rule]) => !isOfPlugin(rule)));
}

function isOfPlugin(rule: string): boolean {
  return rule.startsWith("federation-");
}

function hasRules(policy: Row): boolean {
  return rulesOf(policy).length > 0;
}

function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The others are those of plugins, such as shovels. */
function isKnown({ component }: Row): boolean {
  return component === "operator_policy" || component === "vhost-limits";
}

function isStream({ arguments: args }: Row): boolean {
  return isRecord(args) && args["x-queue-type"] === "stream";
}

function placeOf({ vhost, name }: Row): string {
  return vhost === undefined ? text(name) : `${text(name)} in ${text(vhost)}`;
}

async function drainAll(context: Context, source: Source): Promise<void> {
  const { output, terminal } = context;
  const queues = await fullQueues(context, source.api);
  const total = queues.reduce((sum, { messages }) => sum + messages, 0);
  output.banner(`Moving ${total} messages of ${queues.length} queues ...`);
  const progress = terminal.progress("Moving", total);
  let moved = 0;
  const onMoved = () => progress.update(++moved);
  try {
    const results = await drained(source.amqp, await target(context), queues, onMoved);
    progress.end();
    report(context, results);
  } catch (error) {
    progress.end();
    throw error;
  }
}

/** Queues that have something to give, but those of connections. */
async function fullQueues({ givenVhost }: Context, api: ManagementClient): Promise<readonly Drained[]> {
  const rows = await api.list(givenVhost === undefined ? "/queues" : path`/queues/${givenVhost}`);
  return rows
    .filter(({ exclusive, type }) => exclusive !== true && type !== "stream")
    .map(({ vhost, name, messages_ready: ready }) => ({
      vhost: text(vhost),
      name: text(name),
      messages: Number(ready ?? 0),
    }))
    .filter(({ messages }) => messages > 0);
}

/** Where clients connect to the broker that is looked after, with the login that looks after it. */
async function target({ api }: Context): Promise<AmqpPlace> {
  const listeners = rowsOf((await api.item("/overview"))["listeners"]);
  const portOf = (name: string) => listeners.find(({ protocol }) => protocol === name)?.["port"];
  const plain = portOf("amqp");
  const port = plain ?? portOf("amqp/ssl");
  if (port === undefined) throw new CommandError(exitCode.unavailable, `${api.url} has no listener for AMQP`);
  const scheme = plain === undefined ? "amqps" : "amqp";
  const login = [api.username, await api.password()].map(encodeURIComponent).join(":");
  return { url: `${scheme}://${login}@${new URL(api.url).hostname}:${text(port)}`, tls: api.tls, flag: "--ssl" };
}

const columns = ["vhost", "name", "messages", "moved", "arrived"] as const;

type Report = readonly (readonly [queue: Drained, result: DrainResult])[];

async function drained(
  from: AmqpPlace,
  to: AmqpPlace,
  queues: readonly Drained[],
  onMoved: () => void,
): Promise<Report> {
  // No other command speaks AMQP.
  const { Drain } = await import("../queue-drain.ts");
  const results: (readonly [Drained, DrainResult])[] = [];
  for (const vhost of new Set(queues.map((queue) => queue.vhost))) {
    const drain = await Drain.open(from, to, vhost);
    for (const queue of queues.filter((other) => other.vhost === vhost)) {
      results.push([queue, await drain.queue(queue, onMoved)]);
    }
    await drain.close();
  }
  return results;
}

function report({ output }: Context, results: Report): void {
  const rows = results.map(([{ vhost, name, messages }, { moved, before, after }]) => ({
    vhost,
    name,
    messages,
    moved,
    arrived: after - before,
  }));
  output.table({ columns, rows: rows.map((row) => columns.map((column) => plain(row[column]))) });
  const short = rows.filter(({ messages, moved, arrived }) => moved !== messages || arrived !== moved);
  if (short.length === 0) return;
  const names = short.map(({ vhost, name }) => `${name} in ${vhost}`).join(", ");
  const why = "others consumed or published meanwhile, or a limit or time to live of the queue has had its say";
  throw new CommandError(exitCode.software, `the counts of ${names} do not agree: ${why}`);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : plain(value).text;
}
