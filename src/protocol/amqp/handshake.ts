import { type AuthenticationResult, authenticate, authenticateExternal } from "../../authenticator.ts";
import type { Config } from "../../config.ts";
import type { ConnectionView } from "../../connections.ts";
import { BrokerError } from "../../errors.ts";
import type { Mechanism } from "../../login-names.ts";
import { nodeName } from "../../node-name.ts";
import type { TlsPeer } from "../../tls-peer.ts";
import type { Vhost } from "../../vhost.ts";
import type { MethodArguments, MethodName } from "./codec/methods.ts";
import type { Tuning } from "./connection-state.ts";
import type { AmqpHost } from "./host.ts";
import { chosenMechanism, offeredMechanisms, readCredentials } from "./sasl.ts";

/** AMQP 0-9-1 as a client asks for it (4.2.2), and the answer to one that asks for something else. */
export const protocolHeader = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");

/** Smallest frame-max that a client may ask for. RabbitMQ's newer floor of 8192 shuts out clients in use. */
const frameMaxMin = 4096;
const channelMaxMin = 1;

/** A connection that is being opened. */
interface OpeningConnection {
  readonly host: AmqpHost;
  readonly name: string;
  /** Where the client is. */
  readonly address: string;
  /** Who is at the other end of TLS; undefined without it. */
  readonly peer: TlsPeer | undefined;
  readonly username: string;
  send<N extends MethodName>(name: N, args: MethodArguments<N>): void;
}

/** A login that failed. The peer hears only that, the log hears why. */
export class LoginRefusedError extends Error {
  override readonly name = "LoginRefusedError";
  readonly refusal: BrokerError;

  constructor(mechanism: string, reason: string) {
    super(reason);
    this.refusal = new BrokerError(
      "ACCESS_REFUSED",
      `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
    );
  }
}

/** Greets a client that speaks our protocol. */
export function start(connection: OpeningConnection): void {
  connection.send("connection.start", {
    versionMajor: 0,
    versionMinor: 9,
    serverProperties: connection.host.serverProperties,
    mechanisms: Buffer.from(offeredTo(connection).join(" ")),
    locales: Buffer.from("en_US"),
  });
}

function offeredTo({ host, peer }: OpeningConnection): readonly Mechanism[] {
  return offeredMechanisms(host.config.authMechanisms, peer);
}

/** Checks the credentials of a start-ok and returns the user's name. Rejects with {@link LoginRefusedError}. */
export async function logIn(connection: OpeningConnection, mechanism: string, response: Buffer): Promise<string> {
  const { logs, events, authAttempts } = connection.host;
  const { username, result } = await checked(connection, chosenMechanism(mechanism, offeredTo(connection)), response);
  authAttempts.note("amqp091", result.ok);
  events.emit(`user.authentication.${result.ok ? "success" : "failure"}`, () => ({
    name: username,
    connection_name: connection.name,
    auth_mechanism: mechanism,
    protocol: "{0,9,1}",
  }));
  if (result.ok) return result.user.name;
  logs.connection.warn({ connection: connection.name, user: username }, `${mechanism} login refused: ${result.reason}`);
  throw new LoginRefusedError(mechanism, result.reason);
}

async function checked(
  { host, peer, address }: OpeningConnection,
  mechanism: Mechanism,
  response: Buffer,
): Promise<{ username: string; result: AuthenticationResult }> {
  if (mechanism !== "EXTERNAL") {
    const { username, password } = readCredentials(mechanism, response);
    return { username, result: await authenticate(host, { username, password, address }) };
  }
  const username = peer?.loginName(host.config.certLogin);
  if (username !== undefined) return { username, result: authenticateExternal(host, username, address) };
  const reason = `a certificate with a ${host.config.certLogin.from} is needed`;
  return { username: "", result: { ok: false, because: "credentials", reason } };
}

/** Checks a tune-ok against what was offered. Throws NOT_ALLOWED. */
export function acceptTuning(args: MethodArguments<"connection.tune-ok">, config: Config): Tuning {
  checkRange("frame_max", args.frameMax, frameMaxMin, config.frameMax);
  checkRange("channel_max", args.channelMax, channelMaxMin, config.channelMax);
  return { channelMax: args.channelMax, frameMax: args.frameMax, heartbeat: args.heartbeat };
}

function checkRange(name: string, value: number, least: number, most: number): void {
  const detail = value === 0 ? " (no limit)" : "";
  if (value !== 0 && value < least) {
    const text = `negotiated ${name} = ${value}${detail} is lower than the minimum allowed value (${least})`;
    throw new BrokerError("NOT_ALLOWED", text);
  }
  if (most !== 0 && (value === 0 || value > most)) {
    const text = `negotiated ${name} = ${value}${detail} is higher than the maximum allowed value (${most})`;
    throw new BrokerError("NOT_ALLOWED", text);
  }
}

/** Finds the vhost of a connection.open and checks that the user may use it. Throws NOT_ALLOWED. */
export function openVhost(connection: OpeningConnection, username: string, name: string): Vhost {
  const { vhosts, permissions } = connection.host;
  const vhost = vhosts.find(name);
  if (vhost === undefined) throw new BrokerError("NOT_ALLOWED", `vhost ${name} not found`);
  if (!permissions.allowsVhost(username, name)) {
    throw new BrokerError("NOT_ALLOWED", `access to vhost '${name}' refused for user '${username}'`);
  }
  checkConnectionLimits(connection, username, name);
  return vhost;
}

/** Counts the connections that have opened a vhost, of which this one is about to be one. */
function checkConnectionLimits(
  { host: { config, limits, connections } }: OpeningConnection,
  username: string,
  vhost: string,
): void {
  if (connections.opened >= config.limits.connections) {
    const text = `connection refused: node connection limit (${config.limits.connections}) is reached`;
    throw new BrokerError("NOT_ALLOWED", text);
  }
  const opened = (fits: (connection: ConnectionView) => boolean): number =>
    [...connections.list()].filter((each) => each.vhost !== undefined && fits(each)).length;
  const mostOfVhost = limits.most("vhost", vhost, "max-connections");
  if (Number.isFinite(mostOfVhost) && opened((each) => each.vhost === vhost) >= mostOfVhost) {
    const text = `access to vhost '${vhost}' refused for user '${username}': connection limit (${mostOfVhost}) is reached`;
    throw new BrokerError("NOT_ALLOWED", text);
  }
  const mostOfUser = limits.most("user", username, "max-connections");
  if (Number.isFinite(mostOfUser) && opened((each) => each.username === username) >= mostOfUser) {
    const text = `connection refused for user '${username}': user connection limit (${mostOfUser}) is reached`;
    throw new BrokerError("NOT_ALLOWED", text);
  }
}

/** Checks that the user may open another channel, on whatever connection. Throws NOT_ALLOWED. */
export function checkChannelLimit({ host: { config, churn, limits, connections }, username }: OpeningConnection): void {
  if (churn.channelsCreated - churn.channelsClosed >= config.limits.channels) {
    const text = `number of channels opened on node '${nodeName}' has reached the maximum allowed limit of (${config.limits.channels})`;
    throw new BrokerError("NOT_ALLOWED", text);
  }
  const most = limits.most("user", username, "max-channels");
  if (!Number.isFinite(most)) return;
  const own = [...connections.list()].filter((connection) => connection.username === username);
  if (own.reduce((sum, { channelCount }) => sum + channelCount, 0) < most) return;
  const text = `number of channels opened for user '${username}' has reached the maximum allowed user limit of ${most}`;
  throw new BrokerError("NOT_ALLOWED", text);
}
