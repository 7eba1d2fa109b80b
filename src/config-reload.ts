import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";
import { type LogConfig, levelOf } from "./config-log.ts";
import type { PrometheusConfig } from "./config-prometheus.ts";
import type { TlsListenerConfig } from "./config-tls.ts";

/** What a running broker was built with and cannot change. */
const fixed = [
  "host",
  "port",
  "managementHost",
  "managementPort",
  "dataDir",
  "sslHandshakeTimeoutMs",
  "loginBackoff",
  "queueMemory",
  "resources",
  "defaultVhost",
  "statsIntervalMs",
] as const satisfies readonly (keyof Config)[];

/** What it can change a part of. */
const partlyFixed = ["ssl", "managementSsl", "prometheus", "http", "log"] as const satisfies readonly (keyof Config)[];

/** The settings to go on with when others are given, and the names of those that need a start. */
export function reloaded(now: Config, given: Config): { config: Config; unchanged: readonly string[] } {
  const log = withLevels(now.log, given.log);
  const config: Config = {
    ...given,
    ...Object.fromEntries(fixed.map((name) => [name, now[name]])),
    ssl: withFiles(now.ssl, given.ssl),
    managementSsl: withFiles(now.managementSsl, given.managementSsl),
    prometheus: withFilesOf(now.prometheus, given.prometheus),
    http: { ...given.http, bodyMax: now.http.bodyMax, pathPrefix: now.http.pathPrefix },
    log,
    logLevel: levelOf(log),
  };
  const names = [...fixed, ...partlyFixed];
  return { config, unchanged: names.filter((name) => !isDeepStrictEqual(config[name], given[name])) };
}

/** A listener stays where it is, and asks of its clients what it asked before; what it shows may come from elsewhere. */
function withFiles(
  now: TlsListenerConfig | undefined,
  given: TlsListenerConfig | undefined,
): TlsListenerConfig | undefined {
  if (now === undefined || given === undefined) return now;
  const { verifyPeer, failIfNoPeerCert } = now.tls;
  return { ...now, tls: { ...given.tls, verifyPeer, failIfNoPeerCert } };
}

function withFilesOf(
  now: PrometheusConfig | undefined,
  given: PrometheusConfig | undefined,
): PrometheusConfig | undefined {
  return now && { ...now, ssl: withFiles(now.ssl, given?.ssl) };
}

/** The log goes where it went. */
function withLevels(now: LogConfig, given: LogConfig): LogConfig {
  return {
    console: now.console && { ...now.console, level: given.console?.level ?? now.console.level },
    file: now.file && { ...now.file, level: given.file?.level ?? now.file.level },
  };
}
