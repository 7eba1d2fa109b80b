import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as later } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { type Alarm, Alarms } from "./alarms.ts";
import { AreaLogs } from "./area-logs.ts";
import { AuthAttempts } from "./auth-attempts.ts";
import { Churn } from "./churn.ts";
import { type Clock, SystemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { options } from "./config-options.ts";
import { reloaded } from "./config-reload.ts";
import type { TlsListenerConfig } from "./config-tls.ts";
import { ConfirmFaults } from "./confirm-faults.ts";
import { ConnectionRegistry } from "./connections.ts";
import { DefinitionFile } from "./definition-file.ts";
import { DefinitionEvents, Events } from "./events.ts";
import type { FieldTable } from "./field-table.ts";
import { GlobalParameters } from "./global-parameters.ts";
import { Histogram, messageSizeBounds } from "./histogram.ts";
import { KnownLogins } from "./known-logins.ts";
import { Limits } from "./limits.ts";
import type { ListenerView } from "./listeners.ts";
import type { Logger, LogLines } from "./log.ts";
import { LogExchange } from "./log-exchange.ts";
import { LoginBackoff } from "./login-backoff.ts";
import { Metrics } from "./metrics.ts";
import type { ManagementHost, Operations } from "./mgmt/host.ts";
import { type Management, startManagement } from "./mgmt/listener.ts";
import { type MetricsListener, startMetrics } from "./mgmt/prometheus/listener.ts";
import { nodeName } from "./node-name.ts";
import { rabbitmqAlgorithm } from "./passwords.ts";
import { Permissions } from "./permissions.ts";
import { Policies } from "./policies.ts";
import { Connection } from "./protocol/amqp/connection.ts";
import { Heartbeats } from "./protocol/amqp/heartbeat.ts";
import type { AmqpHost } from "./protocol/amqp/host.ts";
import { OutputTurns } from "./protocol/amqp/output.ts";
import { serverProperties } from "./protocol/amqp/server-properties.ts";
import { Listener, type ListenerAddress } from "./protocol/listener.ts";
import type { QueueType } from "./queue/arguments.ts";
import { DeathCounts } from "./queue/death-counts.ts";
import { MessageLatency } from "./queue/message-latency.ts";
import { SegmentMemory } from "./queue/segment-memory.ts";
import { RecentLog } from "./recent-log.ts";
import { ResourceMonitor, systemReadings } from "./resource-monitor.ts";
import { Restorer } from "./restore.ts";
import { Damages } from "./store/damages.ts";
import { DataBackups } from "./store/data-backups.ts";
import { DataScan } from "./store/data-scan.ts";
import { MemoryStore } from "./store/memory-store.ts";
import { PageFiles } from "./store/page-files.ts";
import type { Pages } from "./store/pages.ts";
import { type Backups, type Damage, type Store, StoreError, type StoreListener } from "./store/store.ts";
import { ThreadedStore } from "./store/threaded-store.ts";
import type { TlsIdentity } from "./tls.ts";
import type { TlsConfig } from "./tls-config.ts";
import type { TlsPeer } from "./tls-peer.ts";
import { Users } from "./users.ts";
import type { VhostTotals } from "./vhost.ts";
import { newVhost, Vhosts, type VhostsHost } from "./vhosts.ts";

/** Ports by what is spoken there. */
export interface BrokerPorts {
  readonly amqp: number | undefined;
  readonly amqps: number | undefined;
  readonly http: number | undefined;
  readonly https: number | undefined;
  readonly prometheus: number | undefined;
  readonly prometheusSsl: number | undefined;
}

/** What a broker is built with besides its settings. */
export interface BrokerParts {
  readonly log: Logger;
  /** What is logged comes by here too, to be published and kept for management. */
  readonly lines?: LogLines;
  /** The writer of the data directory, when it was started already. */
  readonly writer?: Worker;
  /** Reads the settings again. */
  readonly readAgain?: () => Config;
  /** The wall clock unless given. */
  readonly clock?: Clock;
  /** Whether everything ends with the broker. */
  readonly inMemory?: boolean;
}

/** A running broker. */
export interface Broker {
  readonly core: BrokerCore;
  /** Where it listens; undefined where it does not. */
  readonly ports: BrokerPorts;
  /** Takes in settings and certificates that have changed. Throws when they cannot be used; the broker stays as it was. */
  reload(): void;
  /** Tells clients, and resolves when everything confirmed is on disk. */
  stop(reason: string): Promise<void>;
}

const noOperations: Operations = {
  isDrained: false,
  drain: () => Promise.reject(new Error("the broker is not started")),
  revive: () => Promise.reject(new Error("the broker is not started")),
  reload: () => {
    throw new Error("the broker is not started");
  },
};

/** Everything a broker is made of; the faces see the parts of it that they name. */
export class BrokerCore implements VhostsHost, AmqpHost, ManagementHost, StoreListener {
  config: Config;
  readonly log: Logger;
  readonly logs: AreaLogs;
  readonly recentLog = new RecentLog();
  readonly clock: Clock;
  readonly store: Store;
  readonly backups: Backups;
  readonly dataDir: string | undefined;
  readonly memory: SegmentMemory;
  #pages: Pages | undefined;
  readonly users: Users;
  readonly permissions: Permissions;
  readonly policies: Policies;
  readonly limits: Limits;
  readonly globalParameters: GlobalParameters;
  readonly vhosts: Vhosts;
  readonly events: Events;
  readonly definitions: DefinitionEvents;
  readonly metrics: Metrics;
  readonly connections = new ConnectionRegistry();
  readonly alarms = new Alarms();
  readonly damages = new Damages();
  #scan: DataScan | undefined;
  readonly resources: ResourceMonitor;
  /** Once the listeners are open. */
  operations: Operations = noOperations;
  readonly churn = new Churn();
  readonly deaths = new DeathCounts();
  readonly latency = new MessageLatency();
  readonly messageSizes = new Histogram(messageSizeBounds);
  readonly authAttempts = new AuthAttempts();
  readonly loginBackoff: LoginBackoff;
  readonly knownLogins = new KnownLogins();
  readonly listeners: ListenerView[] = [];
  readonly startedAt: number;
  readonly heartbeats = new Heartbeats();
  readonly turns = new OutputTurns();
  readonly confirmFaults = new ConfirmFaults();
  #topology = 0;
  #lastSegment = 0;
  #lastQueueId = 0;

  constructor(config: Config, { log, lines, writer, clock = new SystemClock(), inMemory = false }: BrokerParts) {
    this.config = config;
    this.log = log;
    this.logs = new AreaLogs(log, config.logLevels, lines);
    this.clock = clock;
    this.startedAt = clock.now();
    this.dataDir = inMemory ? undefined : config.dataDir;
    this.memory = new SegmentMemory(config.queueMemory);
    this.loginBackoff = new LoginBackoff(config.loginBackoff);
    this.store = inMemory ? new MemoryStore({ listener: this }) : this.#storeOnDisk(writer);
    this.events = new Events(
      () => this.vhosts.find(this.defaultVhost),
      () => this.clock.now(),
    );
    this.definitions = new DefinitionEvents(this.store, this.events);
    this.users = new Users(this.definitions);
    this.permissions = new Permissions(this.definitions);
    this.policies = new Policies(this.definitions);
    this.limits = new Limits(this.definitions);
    this.globalParameters = new GlobalParameters(this.definitions, config.serverProperties.cluster_name);
    this.backups = inMemory ? noBackups : new DataBackups(config.dataDir);
    this.vhosts = new Vhosts(this);
    this.metrics = new Metrics(this, config.statsIntervalMs);
    this.alarms.onChange = (alarm, isSet) => this.#alarmChanged(alarm, isSet);
    const diskUnknown = (error: Error) =>
      log.error({ err: error }, "free space of the data directory is unknown and counts as enough");
    this.resources = new ResourceMonitor(
      config.resources,
      this.alarms,
      systemReadings(inMemory ? tmpdir() : config.dataDir, diskUnknown),
    );
  }

  #alarmChanged(alarm: Alarm, isSet: boolean): void {
    if (isSet) this.log.warn({ alarm }, "alarm set: publishers are blocked");
    else this.log.warn({ alarm }, "alarm cleared");
    const source = alarm === "low on disk" ? "disk" : "memory";
    this.events.emit(isSet ? "alarm.set" : "alarm.cleared", () => ({ source, node: nodeName }));
  }

  #storeOnDisk(writer: Worker | undefined): Store {
    return new ThreadedStore({
      directory: this.config.dataDir,
      writer,
      listener: this,
      onCrash: (error) => {
        // Nothing more can be made safe: better no broker than one that loses what it takes.
        this.log.fatal({ err: error }, "the store has failed");
        process.exit(1);
      },
    });
  }

  get totals(): VhostTotals {
    return this.vhosts.totals;
  }

  get defaultVhost(): string {
    return this.config.defaultVhost;
  }

  get defaultQueueType(): QueueType | undefined {
    return this.config.defaultQueueType;
  }

  get serverProperties(): FieldTable {
    return serverProperties(this.config, this.globalParameters.clusterName);
  }

  get topologyVersion(): number {
    return this.#topology + this.permissions.version;
  }

  topologyChanged(): void {
    this.#topology++;
  }

  get pages(): Pages | undefined {
    return this.#pages;
  }

  nextSegment(): number {
    return ++this.#lastSegment;
  }

  nextQueueId(): number {
    return ++this.#lastQueueId;
  }

  storeFailing(error: Error): void {
    this.log.error({ err: error }, "publishers are blocked until data can be written again");
    this.alarms.put("low on disk", "store", true);
  }

  storeRecovered(): void {
    this.log.info("data is written again");
    this.alarms.put("low on disk", "store", false);
  }

  #newScan(directory: string): DataScan {
    return new DataScan(directory, {
      damaged: (damage) => this.storeDamaged(damage),
      failed: (error) => this.log.error({ err: error }, "the data could not be looked through for damage"),
    });
  }

  /** Everything that was started to look after the data ends. */
  async close(): Promise<void> {
    await this.#scan?.stop();
    await this.store.close();
  }

  storeDamaged(damage: Damage): void {
    if (!this.damages.add(damage)) return;
    this.log.error({ ...damage }, "messages of a queue are damaged and left out; the others are served");
  }

  async restore(): Promise<void> {
    const state = await this.store.open();
    // The store's lock on the directory is held now: nobody else's pages are there.
    if (this.dataDir !== undefined) {
      this.#pages = new PageFiles(join(this.dataDir, "pages"));
      if (state.segments.length > 0) this.#scan = this.#newScan(this.dataDir);
    }
    this.#lastSegment = state.lastSegment;
    this.#lastQueueId = state.lastQueueId;
    await new Restorer(this).restore(state);
    for (const definition of state.definitions) this.definitions.restore(definition);
    await this.#define(state.definitions.length === 0);
    await new Promise<void>((resolve) => this.store.whenCommitted(this.store.gathering, resolve));
  }

  /** Takes in the file of definitions; an empty data directory gets what that does not bring. */
  async #define(isFirstStart: boolean): Promise<void> {
    const { definitions, defaultVhost } = this.config;
    const file = definitions === undefined ? undefined : new DefinitionFile(definitions);
    if (isFirstStart && file?.hasVhosts !== true) {
      this.vhosts.put(defaultVhost, { ...newVhost, description: "Default virtual host" });
    }
    for (const { vhost, source, destination } of (await file?.importInto(this)) ?? []) {
      this.log.warn({ vhost, source, destination }, "a binding was not imported: an end of it does not exist");
    }
    if (isFirstStart && this.users.size === 0) await this.#makeFirstUser();
  }

  /** One user, who may do everything everywhere unless the configuration says otherwise. */
  async #makeFirstUser(): Promise<void> {
    const { defaultUser: user, defaultPass, passwordHashing, firstUser } = this.config;
    const { tags, configure, write, read } = firstUser;
    // A password that everyone knows is not worth 150 ms of the start and 16 MB.
    const hashing = defaultPass === publicPassword ? rabbitmqAlgorithm : passwordHashing;
    await this.users.putWithPassword(user, defaultPass, tags, hashing);
    for (const { name: vhost } of this.vhosts.list()) {
      this.permissions.set({ vhost, user, configure, write, read });
    }
  }
}

/** What the first user's password is unless the operator says otherwise. */
const publicPassword = options.defaultPass.fallback();

const noBackups: Backups = {
  make: () => Promise.reject(new StoreError("a broker in memory has nothing to back up")),
};

/**
 * Builds a broker from its settings and starts it. Rejects with StoreError, DefinitionFileError or the error of a port that is
 * not free.
 */
export async function openBroker(config: Config, parts: BrokerParts): Promise<Broker> {
  const { log, lines, readAgain } = parts;
  const core = new BrokerCore(config, parts);
  await core.restore();
  const logExchange = new LogExchange(
    () => core.vhosts.find(core.defaultVhost),
    () => core.clock.now(),
  );
  if (lines !== undefined) {
    lines.listener = (line) => {
      core.recentLog.add(line);
      logExchange.write(line);
    };
  }
  try {
    const faces = await Faces.open(core);
    const reload = (given: Config) => {
      const { config: taken, unchanged } = reloaded(core.config, given);
      faces.reload(taken);
      core.config = taken;
      core.logs.setLevels(taken.logLevel, taken.logLevels, taken.log);
      log.info("configuration and certificates were read again");
      if (unchanged.length > 0) log.warn({ settings: unchanged }, "some settings change only at the next start");
    };
    core.operations = {
      get isDrained() {
        return faces.isDrained;
      },
      drain: (timeoutMs) => faces.drain(timeoutMs),
      revive: () => faces.revive(),
      reload: () => {
        reopenLog(core);
        reload(readAgain?.() ?? core.config);
      },
    };
    core.metrics.start();
    await core.resources.start();
    return {
      core,
      ports: faces.ports,
      reload: () => core.operations.reload(),
      stop: async (reason) => {
        core.metrics.stop();
        core.resources.stop();
        await faces.close();
        await core.connections.closeAll(`broker forced connection closure with reason '${reason}'`);
        await core.close();
      },
    };
  } catch (error) {
    await core.close();
    throw error;
  }
}

/** What is wrong with a file of the log keeps nothing else from being read again. */
function reopenLog({ log, logs }: BrokerCore): void {
  try {
    logs.reopen();
  } catch (error) {
    log.error({ err: error }, "the log goes on in the file that was opened before");
  }
}

/** How often it is looked whether clients have settled what they hold. */
const drainLookMs = 20;

/** The listeners of a broker. */
class Faces {
  readonly #core: BrokerCore;
  readonly #tls: Identities;
  readonly #listeners: Listener[] = [];
  #management: Management | undefined;
  #metrics: MetricsListener | undefined;
  /** The last connection was turned away. */
  #turnsAway = false;
  /** The ports to listen on again. */
  #drained: BrokerPorts | undefined;

  private constructor(core: BrokerCore, tls: Identities) {
    this.#core = core;
    this.#tls = tls;
  }

  static async open(core: BrokerCore): Promise<Faces> {
    const faces = new Faces(core, await newIdentities(core.config));
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
    const { connections, listeners, log } = this.#core;
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
    this.#core.log.info("revived: clients are let in again");
  }

  /** On the ports of the configuration, or those that were found free before. */
  async #listenForClients(port: number | undefined, sslPort: number | undefined): Promise<void> {
    const { host, ssl } = this.#core.config;
    if (port !== undefined) await this.#listenForAmqp("amqp", { host, port });
    if (sslPort !== undefined) await this.#listenForAmqp("amqp/ssl", { host: ssl?.host, port: sslPort }, this.#tls.ssl);
  }

  async #listen(): Promise<void> {
    const core = this.#core;
    const { port, ssl, managementHost, managementSsl, prometheus } = core.config;
    await this.#listenForClients(port, ssl?.port);
    this.#management = await startManagement(core, this.#tls.managementSsl);
    this.#show("http", managementHost, this.#management.port);
    this.#show("https", managementSsl?.host, this.#management.sslPort, this.#tls.managementSsl);
    this.#metrics = await startMetrics(core, this.#tls.prometheusSsl);
    this.#show("http/prometheus", prometheus?.host, this.#metrics.port);
    this.#show("https/prometheus", prometheus?.ssl?.host, this.#metrics.sslPort, this.#tls.prometheusSsl);
  }

  async #listenForAmqp(protocol: string, address: ListenerAddress, tls?: TlsIdentity): Promise<void> {
    const core = this.#core;
    const events = {
      accept: (socket: Socket, peer: TlsPeer | undefined) => this.#accept(socket, peer),
      acceptFailed: (error: Error) => core.logs.connection.error({ err: error }, "a connection could not be accepted"),
      handshakeBegins: () => this.#beginsHandshake(),
      handshakeEnded: () => core.connections.noteSecured(),
      handshakeFailed: (client: string, reason: string) =>
        core.logs.connection.warn({ address: client, reason }, "TLS handshake failed"),
    };
    const listener = await Listener.open(address, events, tls);
    this.#listeners.push(listener);
    this.#show(protocol, address.host, listener.port, tls);
  }

  #accept(socket: Socket, peer: TlsPeer | undefined): void {
    if (this.#hasTooMany()) socket.destroy();
    else new Connection(socket, this.#core, peer);
  }

  #beginsHandshake(): boolean {
    if (this.#hasTooMany()) return false;
    this.#core.connections.noteSecuring();
    return true;
  }

  /** Whether too many have not logged in. */
  #hasTooMany(): boolean {
    const { config, connections, log } = this.#core;
    const isTooMany = connections.handshakes >= config.limits.handshakes;
    // Who floods the broker with connections shall not flood the log as well.
    if (isTooMany && !this.#turnsAway) {
      log.warn({ most: config.limits.handshakes }, "connections are closed at once: too many have not logged in");
    }
    this.#turnsAway = isTooMany;
    return isTooMany;
  }

  #show(protocol: string, host: string | undefined, port: number | undefined, tls?: TlsIdentity): void {
    if (port !== undefined) this.#core.listeners.push({ protocol, host, port, ...(tls !== undefined && { tls }) });
  }

  get ports(): BrokerPorts {
    const portOf = (name: string) => this.#core.listeners.find(({ protocol }) => protocol === name)?.port;
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
