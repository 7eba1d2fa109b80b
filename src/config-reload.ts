import { isDeepStrictEqual } from "node:util";
import type { Config, TlsListenerConfig } from "./config.ts";

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
] as const satisfies readonly (keyof Config)[];

/** The settings to go on with when others are given, and the names of those that need a start. */
export function reloaded(now: Config, given: Config): { config: Config; unchanged: readonly string[] } {
  const unchanged: string[] = fixed.filter((name) => !isDeepStrictEqual(now[name], given[name]));
  const kept = Object.fromEntries(fixed.map((name) => [name, now[name]]));
  const ssl = withFiles(now.ssl, given.ssl);
  const managementSsl = withFiles(now.managementSsl, given.managementSsl);
  if (!isDeepStrictEqual(ssl, given.ssl)) unchanged.push("ssl");
  if (!isDeepStrictEqual(managementSsl, given.managementSsl)) unchanged.push("managementSsl");
  return { config: { ...given, ...kept, ssl, managementSsl }, unchanged };
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
