import type { Socket } from "node:net";
import { setTimeout as later } from "node:timers/promises";
import type { Config } from "./config.ts";
import type { TlsListenerConfig } from "./config-tls.ts";
import type { ListenerView } from "./listeners.ts";
import type { Logger } from "./log.ts";
import type { ManagementHost } from "./mgmt/host.ts";
import { type Management, startManagement } from "./mgmt/listener.ts";
import { type MetricsListener, startMetrics } from "./mgmt/prometheus/listener.ts";
import { Connection } from "./protocol/amqp/connection.ts";
import type { AmqpHost } from "./protocol/amqp/host.ts";
import { Listener, type ListenerAddress } from "./protocol/listener.ts";
import type { TlsIdentity } from "./tls.ts";
import type { TlsConfig } from "./tls-config.ts";
import type { TlsPeer } from "./tls-peer.ts";

/** Ports by what is spoken there. */
export interface BrokerPorts {
  readonly amqp: number | undefined;
  readonly amqps: number | undefined;
  readonly http: number | undefined;
  readonly https: number | undefined;
  readonly prometheus: number | undefined;
  readonly prometheusSsl: number | undefined;
}

/** How often it is looked whether clients have settled what they hold. */
const drainLookMs = 20;

/** What the listeners need of the broker. */
export interface FacesHost extends AmqpHost, ManagementHost {
  readonly log: Logger;
  /** What is listened on: kept up to date here. */
  readonly listeners: ListenerView[];
}

/** The listeners of a broker: where clients, people and Prometheus come in. */
export class Faces {
  readonly #host: FacesHost;
  readonly #tls: Identities;
  readonly #listeners: Listener[] = [];
  #management: Management | undefined;
  #metrics: MetricsListener | undefined;
  /** The last connection was turned away. */
  #turnsAway = false;
  /** The ports to listen on again. */
  #drained: BrokerPorts | undefined;

  private constructor(host: FacesHost, tls: Identities) {
    this.#host = host;
    this.#tls = tls;
  }

  static async open(host: FacesHost): Promise<Faces> {
    const faces = new Faces(host, await newIdentities(host.config));
    try {
      await faces.#listen();
      return faces;
    } catch (error) {
      await faces.close();
      throw error;
    }
  }

  get isDrained(): boolean {
    return this.#drained !== undefined;
  }

  async drain(timeoutMs: number): Promise<void> {
    const { connections, listeners, log } = this.#host;
    this.#drained ??= this.ports;
    for (const listener of this.#listeners.splice(0)) listener.close();
    listeners.splice(0, listeners.length, ...listeners.filter(({ protocol }) => !protocol.startsWith("amqp")));
    log.info("drained: no clients are let in");
    connections.cancelConsumers();
    const deadline = performance.now() + timeoutMs;
    while (connections.holdSomething && performance.now() < deadline) await later(drainLookMs);
    await connections.closeAll("broker forced connection closure with reason 'maintenance'");
  }

  async revive(): Promise<void> {
    const ports = this.#drained;
    if (ports === undefined) return;
    await this.#listenForClients(ports.amqp, ports.amqps);
    this.#drained = undefined;
    this.#host.log.info("revived: clients are let in again");
  }

  /** On the ports of the configuration, or those that were found free before. */
  async #listenForClients(port: number | undefined, sslPort: number | undefined): Promise<void> {
    const { host, ssl } = this.#host.config;
    if (port !== undefined) await this.#listenForAmqp("amqp", { host, port });
    if (sslPort !== undefined) await this.#listenForAmqp("amqp/ssl", { host: ssl?.host, port: sslPort }, this.#tls.ssl);
  }

  async #listen(): Promise<void> {
    const host = this.#host;
    const { port, ssl, managementHost, managementSsl, prometheus } = host.config;
    await this.#listenForClients(port, ssl?.port);
    this.#management = await startManagement(host, this.#tls.managementSsl);
    this.#show("http", managementHost, this.#management.port);
    this.#show("https", managementSsl?.host, this.#management.sslPort, this.#tls.managementSsl);
    this.#metrics = await startMetrics(host, this.#tls.prometheusSsl);
    this.#show("http/prometheus", prometheus?.host, this.#metrics.port);
    this.#show("https/prometheus", prometheus?.ssl?.host, this.#metrics.sslPort, this.#tls.prometheusSsl);
  }

  async #listenForAmqp(protocol: string, address: ListenerAddress, tls?: TlsIdentity): Promise<void> {
    const { logs, connections } = this.#host;
    const events = {
      accept: (socket: Socket, peer: TlsPeer | undefined) => this.#accept(socket, peer),
      acceptFailed: (error: Error) => logs.connection.error({ err: error }, "a connection could not be accepted"),
      handshakeBegins: () => this.#beginsHandshake(),
      handshakeEnded: () => connections.noteSecured(),
      handshakeFailed: (client: string, reason: string) =>
        logs.connection.warn({ address: client, reason }, "TLS handshake failed"),
    };
    const listener = await Listener.open(address, events, tls);
    this.#listeners.push(listener);
    this.#show(protocol, address.host, listener.port, tls);
  }

  #accept(socket: Socket, peer: TlsPeer | undefined): void {
    if (this.#hasTooMany()) socket.destroy();
    else new Connection(socket, this.#host, peer);
  }

  #beginsHandshake(): boolean {
    if (this.#hasTooMany()) return false;
    this.#host.connections.noteSecuring();
    return true;
  }

  /** Whether too many have not logged in. */
  #hasTooMany(): boolean {
    const { config, connections, log } = this.#host;
    const isTooMany = connections.handshakes >= config.limits.handshakes;
    // Who floods the broker with connections shall not flood the log as well.
    if (isTooMany && !this.#turnsAway) {
      log.warn({ most: config.limits.handshakes }, "connections are closed at once: too many have not logged in");
    }
    this.#turnsAway = isTooMany;
    return isTooMany;
  }

  #show(protocol: string, host: string | undefined, port: number | undefined, tls?: TlsIdentity): void {
    if (port !== undefined) this.#host.listeners.push({ protocol, host, port, ...(tls !== undefined && { tls }) });
  }

  get ports(): BrokerPorts {
    const portOf = (name: string) => this.#host.listeners.find(({ protocol }) => protocol === name)?.port;
    return {
      amqp: portOf("amqp"),
      amqps: portOf("amqp/ssl"),
      http: portOf("http"),
      https: portOf("https"),
      prometheus: portOf("http/prometheus"),
      prometheusSsl: portOf("https/prometheus"),
    };
  }

  /** Takes in certificates. Throws TlsError. */
  reload({ ssl, managementSsl, prometheus }: Config): void {
    if (ssl !== undefined) this.#tls.ssl?.reload(ssl.tls);
    if (managementSsl !== undefined) this.#tls.managementSsl?.reload(managementSsl.tls);
    if (prometheus?.ssl !== undefined) this.#tls.prometheusSsl?.reload(prometheus.ssl.tls);
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await this.#management?.close();
    await this.#metrics?.close();
  }
}

/** The certificates of what listens for TLS. */
interface Identities {
  readonly ssl: TlsIdentity | undefined;
  readonly managementSsl: TlsIdentity | undefined;
  readonly prometheusSsl: TlsIdentity | undefined;
}

async function newIdentities(config: Config): Promise<Identities> {
  const { ssl, managementSsl, prometheus, sslHandshakeTimeoutMs } = config;
  const identity = (listener: TlsListenerConfig | undefined) =>
    listener && newIdentity(listener.tls, sslHandshakeTimeoutMs);
  return {
    ssl: await identity(ssl),
    managementSsl: await identity(managementSsl),
    prometheusSsl: await identity(prometheus?.ssl),
  };
}

/** TLS is loaded only where it is spoken. */
async function newIdentity(config: TlsConfig, handshakeTimeoutMs: number): Promise<TlsIdentity> {
  const { TlsIdentity } = await import("./tls.ts");
  return new TlsIdentity(config, handshakeTimeoutMs);
}
