import { join } from "node:path";
import type { BrokerLimits } from "./broker-limits.ts";
import { ConfigError, type ConfigLine, hasKey, keyText, parseConfigFile } from "./config-file.ts";
import { type LogConfig, levelOf, logOf } from "./config-log.ts";
import { meaningless } from "./config-meaningless.ts";
import { isOptionName, type OptionName, options, type Values } from "./config-options.ts";
import { type PrometheusConfig, prometheusOf } from "./config-prometheus.ts";
import { managementSslOf, sslOf, type TlsListenerConfig } from "./config-tls.ts";
import type { FirstUserConfig } from "./first-user-options.ts";
import type { HttpConfig } from "./http-options.ts";
import type { AreaLevels, LogLevel } from "./log-levels.ts";
import { logVariable, meaninglessParts } from "./log-options.ts";
import type { BackoffLimits } from "./login-backoff.ts";
import type { CertLogin, Mechanism } from "./login-names.ts";
import { envOf, flagOf, type Option } from "./option-types.ts";
import type { HashingAlgorithm } from "./passwords.ts";
import type { QueueType } from "./queue/arguments.ts";
import type { ResourceConfig } from "./resource-limits.ts";

/** Everything that can be set, decided once at start. */
export interface Config {
  /** Where to listen for AMQP; undefined for all interfaces, IPv6 and IPv4. */
  readonly host: string | undefined;
  /** Undefined for none. */
  readonly port: number | undefined;
  /** Where to listen for the management HTTP API; undefined for all interfaces. */
  readonly managementHost: string | undefined;
  readonly managementPort: number | undefined;
  /** AMQP over TLS; undefined for none. */
  readonly ssl: TlsListenerConfig | undefined;
  readonly managementSsl: TlsListenerConfig | undefined;
  readonly http: HttpConfig;
  /** Metrics; undefined for none. */
  readonly prometheus: PrometheusConfig | undefined;
  readonly resources: ResourceConfig;
  readonly limits: BrokerLimits;
  readonly sslHandshakeTimeoutMs: number;
  readonly certLogin: CertLogin;
  readonly authMechanisms: readonly Mechanism[];
  readonly loginBackoff: BackoffLimits;
  /** How passwords are hashed that are set. */
  readonly passwordHashing: HashingAlgorithm;
  readonly dataDir: string;
  /** The least one that is logged anywhere. */
  readonly logLevel: LogLevel;
  /** Of areas that have another one. */
  readonly logLevels: AreaLevels;
  readonly log: LogConfig;
  /** How often it is looked at what the counters say. */
  readonly statsIntervalMs: number;
  /** Seconds. */
  readonly heartbeat: number;
  readonly frameMax: number;
  /** The same before a client has logged in. */
  readonly initialFrameMax: number;
  readonly channelMax: number;
  readonly handshakeTimeoutMs: number;
  /** How long a delivery may stay unacknowledged where nothing else says; 0 for any time. */
  readonly consumerTimeoutMs: number;
  readonly maxMessageSize: number;
  /** Memory for messages in queues; what is beyond it and not needed soon goes to disk. */
  readonly queueMemory: number;
  readonly defaultUser: string;
  readonly defaultPass: string;
  readonly firstUser: FirstUserConfig;
  /** Of queues in new vhosts that do not say it; undefined for classic. */
  readonly defaultQueueType: QueueType | undefined;
  readonly defaultVhost: string;
  /** A file of definitions that is taken in at every start. */
  readonly definitions: string | undefined;
  readonly loopbackUsers: readonly string[];
  /** Server properties that an operator may change, under the names clients know. */
  readonly serverProperties: {
    readonly product: string;
    readonly version: string;
    readonly cluster_name: string;
  };
  /** The files of configuration that were read. */
  readonly files: readonly string[];
  /** All of it but secrets as text, by the environment variables that would make the same settings. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Where settings come from, first to last: a flag counts more than the environment, and that more than the file. */
export interface ConfigSources {
  /** By the names of the options; `config` names the file. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  /** The names in a directory; undefined when it is none. */
  readonly readDirectory?: (path: string) => readonly string[] | undefined;
  /** Without it every file is taken to be there. */
  readonly exists?: (path: string) => boolean;
}

/** The settings, and what a person should know of how they came about. */
export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Files that hold what others should not know: keys of certificates, and the configuration if it has a password. */
  readonly secretFiles: readonly string[];
}

/** The environment variables that name the configuration file. */
export const configFileEnv = ["TSBROKER_CONFIG", "RABBITMQ_CONFIG_FILE"] as const;

/** Those that name a directory of further ones, or one file, which count more. */
export const configFilesEnv = ["TSBROKER_CONFIG_FILES", "RABBITMQ_CONFIG_FILES"] as const;

/** Gathers the settings. Throws {@link ConfigError} at the first that cannot be used. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const files = configFiles(sources);
  const given = (name: OptionName, option: Option<unknown>): Given | undefined =>
    fromFlag(name, sources) ?? fromEnv(name, option, sources) ?? fromFiles(option, files);
  const settings = new Map<string, string>();
  const used = new Set<string>();
  const notes: string[] = [];
  const note = (name: OptionName, why: string) => {
    const found = given(name, options[name]);
    if (found !== undefined) notes.push(`${found.from} (${why})`);
  };
  const value: Values = (name, option) => {
    const found = given(name, option);
    if (found !== undefined) used.add(found.from);
    const chosen = found === undefined ? option.fallback(sources.env) : parsed(option, found);
    if (chosen !== undefined && option.isSecret !== true)
      settings.set(envOf(name), option.write?.(chosen) ?? settingText(chosen));
    return chosen;
  };
  const host = value("host", options.host);
  const managementHost = value("managementHost", options.managementHost) ?? host;
  const ssl = sslOf(value);
  const managementSsl = managementSslOf(value);
  const dataDir = value("dataDir", options.dataDir);
  const log = logOf(value, dataDir, note);
  const hasManagementPort = given("managementPort", options.managementPort) !== undefined;
  const config: Config = {
    host,
    port: portOf(value("port", options.port)),
    managementHost,
    // As in RabbitMQ, TLS takes the place of what nobody asked for.
    managementPort:
      managementSsl === undefined || hasManagementPort
        ? portOf(value("managementPort", options.managementPort))
        : undefined,
    ssl: ssl && { ...ssl, host: value("sslHost", options.sslHost) ?? host },
    managementSsl: managementSsl && {
      ...managementSsl,
      host: value("managementSslHost", options.managementSslHost) ?? managementHost,
    },
    http: httpOf(value),
    prometheus: prometheusOf(value, host, given("prometheusPort", options.prometheusPort) !== undefined),
    resources: {
      memoryHighWatermark: value("vmMemoryHighWatermark", options.vmMemoryHighWatermark),
      diskFreeLimit: value("diskFreeLimit", options.diskFreeLimit),
      totalMemory: value("totalMemory", options.totalMemory),
      monitorIntervalMs: value("memoryMonitorIntervalMs", options.memoryMonitorIntervalMs),
    },
    limits: limitsOf(value),
    sslHandshakeTimeoutMs: value("sslHandshakeTimeoutMs", options.sslHandshakeTimeoutMs),
    certLogin: {
      from: value("sslCertLoginFrom", options.sslCertLoginFrom),
      sanType: value("sslCertLoginSanType", options.sslCertLoginSanType),
      sanIndex: value("sslCertLoginSanIndex", options.sslCertLoginSanIndex),
    },
    authMechanisms: value("authMechanisms", options.authMechanisms),
    loginBackoff: {
      failuresMax: value("loginFailuresMax", options.loginFailuresMax),
      waitMsMax: value("loginWaitMsMax", options.loginWaitMsMax),
    },
    passwordHashing: value("passwordHashing", options.passwordHashing),
    dataDir,
    logLevel: levelOf(log),
    logLevels: value("logLevels", options.logLevels),
    log,
    statsIntervalMs: value("statsIntervalMs", options.statsIntervalMs),
    heartbeat: value("heartbeat", options.heartbeat),
    frameMax: value("frameMax", options.frameMax),
    initialFrameMax: value("initialFrameMax", options.initialFrameMax),
    channelMax: value("channelMax", options.channelMax),
    handshakeTimeoutMs: value("handshakeTimeoutMs", options.handshakeTimeoutMs),
    consumerTimeoutMs: value("consumerTimeoutMs", options.consumerTimeoutMs),
    maxMessageSize: value("maxMessageSize", options.maxMessageSize),
    queueMemory: value("queueMemory", options.queueMemory),
    defaultUser: value("defaultUser", options.defaultUser),
    defaultPass: value("defaultPass", options.defaultPass),
    defaultQueueType: value("defaultQueueType", options.defaultQueueType),
    firstUser: {
      tags: value("defaultUserTags", options.defaultUserTags),
      configure: value("defaultPermissionsConfigure", options.defaultPermissionsConfigure),
      write: value("defaultPermissionsWrite", options.defaultPermissionsWrite),
      read: value("defaultPermissionsRead", options.defaultPermissionsRead),
    },
    definitions: value("definitions", options.definitions),
    defaultVhost: value("defaultVhost", options.defaultVhost),
    loopbackUsers: value("loopbackUsers", options.loopbackUsers),
    serverProperties: {
      product: value("productName", options.productName),
      version: value("productVersion", options.productVersion),
      cluster_name: value("clusterName", options.clusterName),
    },
    files: files.map(({ path }) => path),
    settings,
  };
  notes.push(...meaninglessIn(files, sources.env), ...unused(given, used));
  const warnings = notes.length === 0 ? [] : [`ignored what has no meaning here: ${notes.join("; ")}`];
  return { config, warnings, secretFiles: [...secretConfigs(files), ...keyFiles(config)] };
}

function httpOf(value: Values): HttpConfig {
  return {
    corsOrigins: value("managementCorsOrigins", options.managementCorsOrigins),
    corsMaxAge: value("managementCorsMaxAge", options.managementCorsMaxAge),
    headers: {
      "content-security-policy": value("managementCspPolicy", options.managementCspPolicy),
      "x-content-type-options": value("managementContentTypeOptions", options.managementContentTypeOptions),
      "x-frame-options": value("managementFrameOptions", options.managementFrameOptions),
      "referrer-policy": value("managementReferrerPolicy", options.managementReferrerPolicy),
      "x-xss-protection": value("managementXssProtection", options.managementXssProtection),
    },
    hsts: value("managementHstsPolicy", options.managementHstsPolicy),
    bodyMax: value("managementMaxBodySize", options.managementMaxBodySize),
    pathPrefix: value("managementPathPrefix", options.managementPathPrefix),
  };
}

function limitsOf(value: Values): BrokerLimits {
  return {
    connections: value("connectionMax", options.connectionMax),
    handshakes: value("handshakeMax", options.handshakeMax),
    channels: value("channelMaxPerNode", options.channelMaxPerNode),
    consumersOfChannel: value("consumerMaxPerChannel", options.consumerMaxPerChannel),
    vhosts: value("vhostMax", options.vhostMax),
    queues: value("queueMax", options.queueMax),
    exchanges: value("exchangeMax", options.exchangeMax),
    headerDepth: value("headerDepthMax", options.headerDepthMax),
    headerBytes: value("headerMaxSize", options.headerMaxSize),
    unfinishedBytes: value("unfinishedMaxSize", options.unfinishedMaxSize),
    unsentBytes: value("unsentMaxSize", options.unsentMaxSize),
    unsentReplyBytes: value("unsentReplyMaxSize", options.unsentReplyMaxSize),
  };
}

function portOf(given: number | "none"): number | undefined {
  return given === "none" ? undefined : given;
}

/** The settings of a broker that is told nothing: to embed it, or to test it, change what matters. */
export function defaultConfig(): Config {
  return loadConfig({ flags: {}, env: {}, readFile: () => "" }).config;
}

interface ConfigFile {
  readonly path: string;
  readonly lines: readonly ConfigLine[];
}

interface Given {
  readonly from: string;
  readonly text: string;
}

/** A value as it may be given: of a list its parts with commas between, or that there are none. */
function settingText(value: unknown): string {
  return Array.isArray(value) && value.length === 0 ? "none" : String(value);
}

function parsed<T>(option: Option<T>, { from, text }: Given): T {
  const value = option.parse(text);
  if (value !== undefined) return value;
  throw new ConfigError(`${from}: ${option.isSecret === true ? "the value" : `'${text}'`} is not ${option.allowed}`);
}

function fromFlag(name: string, { flags }: ConfigSources): Given | undefined {
  const text = flags[name];
  return text === undefined ? undefined : { from: flagOf(name), text };
}

/** A variable that is set but empty says nothing, as compose files pass on what is not set. */
function fromEnv(name: string, option: Option<unknown>, { env, readFile }: ConfigSources): Given | undefined {
  for (const variable of [envOf(name), ...(option.otherEnv ?? [])]) {
    const text = saidOf(name, option, variable, env[variable]);
    const path = option.mayBeInFile === true ? env[`${variable}_FILE`] : undefined;
    if (text && path) throw new ConfigError(`${variable} and ${variable}_FILE are both set: one of them is enough`);
    if (text) return { from: variable, text };
    if (path) return { from: `${variable}_FILE`, text: read(`${variable}_FILE`, path, readFile).replace(/\r?\n$/, "") };
  }
  return undefined;
}

/** What a variable says of a setting; some of RabbitMQ's say it of several. */
function saidOf(name: string, option: Option<unknown>, variable: string, text: string | undefined): string | undefined {
  return text && variable !== envOf(name) && option.readOther ? option.readOther(text, variable) : text;
}

/** The last file that says something of it counts. */
function fromFiles(option: Option<unknown>, files: readonly ConfigFile[]): Given | undefined {
  for (const file of files.toReversed()) {
    const given = fromFile(option, file);
    if (given !== undefined) return given;
  }
  return undefined;
}

function fromFile(option: Option<unknown>, file: ConfigFile): Given | undefined {
  const lines = file.lines.filter(({ key }) => option.keys.some((pattern) => hasKey(pattern, key)));
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const text = inFile(file.path, () => (option.read === undefined ? last.value : option.read(lines)));
  return text === undefined ? undefined : { from: `${file.path} line ${last.number}: ${keyText(last.key)}`, text };
}

/** The main file, and then the others in the order of their names. */
function configFiles({ flags, env, readFile, readDirectory, exists }: ConfigSources): readonly ConfigFile[] {
  const open = (from: string, path: string): ConfigFile => {
    const content = read(from, path, readFile);
    return { path, lines: inFile(path, () => parseConfigFile(content, env)) };
  };
  const variable = configFileEnv.find((name) => env[name]);
  const given = flags["config"] ?? (variable === undefined ? undefined : env[variable]);
  const main = given === undefined ? undefined : withEnding(given, exists);
  const more = configFilesEnv.find((name) => env[name]);
  const place = more === undefined ? undefined : env[more];
  return [
    ...(main === undefined ? [] : [open(flags["config"] === undefined ? (variable ?? "") : "--config", main)]),
    ...(place === undefined ? [] : filesIn(place, readDirectory).map((path) => open(more ?? "", path))),
  ];
}

/** The name of the main file may lack its `.conf`, as in RABBITMQ_CONFIG_FILE=/etc/rabbitmq/rabbitmq. */
function withEnding(path: string, exists: ConfigSources["exists"]): string {
  const whole = `${path}.conf`;
  return exists?.(path) === false && exists(whole) ? whole : path;
}

function filesIn(place: string, readDirectory: ConfigSources["readDirectory"]): readonly string[] {
  const names = readDirectory?.(place);
  if (names === undefined) return [place];
  return names
    .filter((name) => name.endsWith(".conf"))
    .sort()
    .map((name) => join(place, name));
}

function read(from: string, path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${from}: cannot read '${path}': ${reason}`, { cause });
  }
}

/** Puts the file's name in front of what is wrong in it. */
function inFile<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${path} ${error.message}`, { cause: error });
  }
}

function secretConfigs(files: readonly ConfigFile[]): string[] {
  const secrets = Object.values<Option<unknown>>(options).filter(({ isSecret }) => isSecret === true);
  const patterns = secrets.flatMap(({ keys }) => keys);
  const holdsOne = ({ lines }: ConfigFile) => lines.some(({ key }) => patterns.some((pattern) => hasKey(pattern, key)));
  return files.filter(holdsOne).map(({ path }) => path);
}

function keyFiles({ ssl, managementSsl, prometheus }: Config): string[] {
  const found = [ssl, managementSsl, prometheus?.ssl].flatMap((listener) =>
    listener === undefined ? [] : [listener.tls.certificate, ...listener.tls.sni.values()],
  );
  return [...new Set(found.map(({ keyfile }) => keyfile))];
}

function meaninglessIn(files: readonly ConfigFile[], env: ConfigSources["env"]): string[] {
  const known = Object.values<Option<unknown>>(options).flatMap(({ keys }) => keys);
  const found = files.flatMap(({ path, lines }) => {
    const text = inFile(path, () => meaningless(lines, known));
    return text === undefined ? [] : [`${path}: ${text}`];
  });
  const parts = meaninglessParts(env[logVariable] ?? "");
  return parts.length === 0 ? found : [...found, `${logVariable}: ${parts.join(", ")}`];
}

/** What was set of something that is off, such as the certificate of a listener that there is not. */
function unused(given: (name: OptionName, option: Option<unknown>) => Given | undefined, used: ReadonlySet<string>) {
  const names = Object.keys(options).filter(isOptionName);
  const sources = names.flatMap((name) => given(name, options[name])?.from ?? []).filter((from) => !used.has(from));
  return [...new Set(sources)].map((from) => `${from} (it is of something that is off)`);
}
