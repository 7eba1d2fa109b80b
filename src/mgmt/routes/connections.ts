import type { ChannelView, ConnectionView } from "../../connections.ts";
import type { User } from "../../users.ts";
import type { Api } from "../api.ts";
import { isAdministrator, isMonitor } from "../auth.ts";
import { type Answer, type Call, done } from "../call.ts";
import {
  briefConnectionView,
  channelDetails,
  channelName,
  channelRow,
  connectionView,
  consumerRow,
} from "../connection-views.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found, notAuthorised } from "../refusal.ts";
import type { Row } from "../rows.ts";

/** What a client hears whose connection is closed without a reason. */
const closeReason = "Closed via management plugin";

/** `/api/connections`, `/api/channels` and `/api/consumers`. Who is no monitor sees their own. */
export function connectionRoutes(api: Api, host: ManagementHost): void {
  listRoutes(api, host);
  userRoutes(api, host);
  api.get("/connections/:name", "management", (call) =>
    call.item(connectionView(ownOf(host, call), host.metrics, call.query)),
  );
  api.delete("/connections/:name", "management", (call) => {
    const connection = named(host, call);
    if (connection.username !== call.user.name && !isAdministrator(call.user)) throw notTheirs();
    close(host, connection, call);
    return done;
  });
  api.get("/connections/:name/channels", "management", (call) => {
    const connection = ownOf(host, call);
    return listedChannels(host, call, [connection], "number");
  });
  api.get("/connections/:name/sessions", "management", (call) => {
    ownOf(host, call);
    throw badRequest("connection does not use AMQP 1.0");
  });
  api.get("/channels/:name", "management", (call) => channelAnswer(host, call));
}

function listRoutes(api: Api, host: ManagementHost): void {
  const visible = (call: Call) => visibleTo(host, call.user).filter(wantedBy(call));
  api.get("/connections", "management", (call) => listedConnections(host, call, visible(call)));
  api.get("/channels", "management", (call) => listedChannels(host, call, visible(call), "name"));
  api.get("/consumers", "management", (call) => call.list(consumerRows(visible(call)), "consumer_tag", "queue.name"));
  api.get("/vhosts/:vhost/connections", "vhost", (call) => listedConnections(host, call, inVhost(host, call)));
  api.get("/vhosts/:vhost/channels", "vhost", (call) => listedChannels(host, call, inVhost(host, call), "name"));
  api.get("/consumers/:vhost", "vhost", (call) =>
    call.list(consumerRows(inVhost(host, call)), "consumer_tag", "queue.name"),
  );
}

/** All connections of one user. */
function userRoutes(api: Api, host: ManagementHost): void {
  const path = "/connections/username/:user";
  const ofUser = (call: Call) => opened(host).filter(({ username }) => username === call.parameter("user"));
  api.get(path, "management", (call) => {
    if (call.parameter("user") !== call.user.name && !isMonitor(call.user)) throw notTheirs();
    return call.list(ofUser(call).map(briefConnectionView), "name");
  });
  api.delete(path, "management", (call) => {
    if (call.parameter("user") !== call.user.name && !isAdministrator(call.user)) throw notTheirs();
    for (const connection of ofUser(call)) close(host, connection, call);
    return done;
  });
}

function close({ logs: { management: log } }: ManagementHost, connection: ConnectionView, call: Call): void {
  const reason = call.header("x-reason") ?? "";
  log.info({ connection: connection.name, user: call.user.name }, "connection closed through management");
  connection.close(reason === "" ? closeReason : reason);
}

function notTheirs(): Error {
  return notAuthorised("User not authorised to access object");
}

/** The connections that have opened a vhost, and are not about to leave it. */
function opened({ connections }: ManagementHost): ConnectionView[] {
  return [...connections.list()].filter(({ vhost }) => vhost !== undefined);
}

function visibleTo(host: ManagementHost, user: User): ConnectionView[] {
  return opened(host).filter(({ username }) => isMonitor(user) || username === user.name);
}

/** Those in the vhost that X-Vhost names, if it names one. */
function wantedBy(call: Call): (connection: ConnectionView) => boolean {
  const only = call.header("x-vhost") ?? "";
  return ({ vhost }) => only === "" || vhost === only;
}

function inVhost(host: ManagementHost, call: Call): ConnectionView[] {
  return visibleTo(host, call.user).filter(({ vhost }) => vhost === call.parameter("vhost"));
}

function named(host: ManagementHost, call: Call): ConnectionView {
  return found(opened(host).find(({ name }) => name === call.parameter("name")));
}

/** The connection that the path names, for its owner and for monitors. */
function ownOf(host: ManagementHost, call: Call): ConnectionView {
  const connection = named(host, call);
  if (connection.username !== call.user.name && !isMonitor(call.user)) throw notTheirs();
  return connection;
}

function listedConnections({ metrics }: ManagementHost, call: Call, items: readonly ConnectionView[]): Promise<Answer> {
  return call.listOf({
    items,
    keyOf: ({ name }) => ({ name }),
    rowOf: (connection) => connectionView(connection, metrics, call.query),
    defaultSort: ["name"],
  });
}

function listedChannels(
  { metrics }: ManagementHost,
  call: Call,
  connections: readonly ConnectionView[],
  sortedBy: string,
): Promise<Answer> {
  return call.listOf({
    items: connections.flatMap((connection) => [...connection.channels()].map((channel) => ({ connection, channel }))),
    keyOf: ({ connection, channel }) => ({ name: channelName(connection, channel), number: channel.number }),
    rowOf: ({ connection, channel }) => channelRow(connection, channel, metrics, call.query),
    defaultSort: [sortedBy],
  });
}

function consumerRows(connections: readonly ConnectionView[]): Row[] {
  return connections.flatMap((connection) =>
    [...connection.channels()].flatMap((channel) =>
      channel.consumers.map((consumer) => consumerRow(connection, channel, consumer)),
    ),
  );
}

function channelAnswer(host: ManagementHost, call: Call): Answer {
  const { connection, channel } = found(channelNamed(host, call.parameter("name")));
  if (connection.username !== call.user.name && !isMonitor(call.user)) throw notTheirs();
  return call.item(channelDetails(connection, channel, host.metrics, call.query));
}

function channelNamed(
  host: ManagementHost,
  name: string,
): { connection: ConnectionView; channel: ChannelView } | undefined {
  for (const connection of opened(host)) {
    if (!name.startsWith(connection.name)) continue;
    for (const channel of connection.channels()) {
      if (channelName(connection, channel) === name) return { connection, channel };
    }
  }
  return undefined;
}
