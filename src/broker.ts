import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { type Alarm, Alarms } from "./alarms.ts";
import { AreaLogs } from "./area-logs.ts";
import { AuthAttempts } from "./auth-attempts.ts";
import { Churn } from "./churn.ts";
import { type Clock, SystemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { options } from "./config-options.ts";
import { reloaded } from "./config-reload.ts";
import { ConfirmFaults } from "./confirm-faults.ts";
import { ConnectionRegistry } from "./connections.ts";
import { DefinitionFile } from "./definition-file.ts";
import { DefinitionEvents, Events } from "./events.ts";
import { type BrokerPorts, Faces } from "./faces.ts";
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
import { nodeName } from "./node-name.ts";
import { rabbitmqAlgorithm } from "./passwords.ts";
import { Permissions } from "./permissions.ts";
import { Policies } from "./policies.ts";
import { Heartbeats } from "./protocol/amqp/heartbeat.ts";
import type { AmqpHost } from "./protocol/amqp/host.ts";
import { OutputTurns } from "./protocol/amqp/output.ts";
import { serverProperties } from "./protocol/amqp/server-properties.ts";
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
import { PageFiles, pagesFolder } from "./store/page-files.ts";
import type { Pages } from "./store/pages.ts";
import { type Backups, type Damage, type Store, StoreError, type StoreListener } from "./store/store.ts";
import { ThreadedStore } from "./store/threaded-store.ts";
import { Users } from "./users.ts";
import type { VhostTotals } from "./vhost.ts";
import { newVhost, Vhosts, type VhostsHost } from "./vhosts.ts";

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

  storeMended(tables: readonly string[]): void {
    this.log.error({ tables }, "tables in the data file were damaged and are made anew from their copies");
  }

  storeUntidy(): void {
    this.log.error("which pages of the data file are unused had to be forgotten: it can only grow from now on");
  }

  async restore(): Promise<void> {
    const state = await this.store.open();
    if (state.mended.length > 0) this.storeMended(state.mended);
    if (!state.isTidy) this.storeUntidy();
    // The store's lock on the directory is held now: nobody else's pages are there.
    if (this.dataDir !== undefined) {
      this.#pages = new PageFiles(join(this.dataDir, pagesFolder));
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
