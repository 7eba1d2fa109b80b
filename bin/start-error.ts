import type { Config } from "../src/config.ts";
import { DefinitionFileError } from "../src/definition-file.ts";
import { flagOf } from "../src/option-types.ts";
import { StoreError } from "../src/store/store.ts";

/** Errors that say it all, and are not loaded before they are needed. */
const ownNames = new Set(["TlsError", "LogFileError"]);

/** Why the broker did not start, in one line that says what to do. */
export function startErrorText(error: unknown, config: Config): string {
  if (!(error instanceof Error)) return `cannot start: ${String(error)}`;
  if (error instanceof StoreError || error instanceof DefinitionFileError || ownNames.has(error.name)) {
    return error.message;
  }
  const { code, syscall, port, path } = detailsOf(error);
  if (syscall === "listen" || syscall === "bind" || code === "EADDRINUSE") return listenText(code, port, config);
  if (code === "ENOTFOUND") return `cannot listen on '${config.host}': no such host; choose another with --host`;
  if (code !== undefined && path !== undefined) {
    return `cannot use the data directory: ${code} on '${path}'; choose another with --data-dir`;
  }
  return `cannot start: ${error.message}`;
}

interface Details {
  readonly code: string | undefined;
  readonly syscall: string | undefined;
  readonly port: number | undefined;
  readonly path: string | undefined;
}

/** What Node's system errors carry beside their message. */
function detailsOf(error: Error): Details {
  return {
    code: "code" in error && typeof error.code === "string" ? error.code : undefined,
    syscall: "syscall" in error && typeof error.syscall === "string" ? error.syscall : undefined,
    port: "port" in error && typeof error.port === "number" ? error.port : undefined,
    path: "path" in error && typeof error.path === "string" ? error.path : undefined,
  };
}

function listenText(code: string | undefined, port: number | undefined, config: Config): string {
  const { host, name } = listenerAt(port, config);
  const [portFlag, hostFlag] = [
    flagOf(name.replace(/host$/i, (word) => (word === "host" ? "port" : "Port"))),
    flagOf(name),
  ];
  if (code === "EADDRINUSE") return `port ${port} is in use by another process; choose another with ${portFlag}`;
  if (code === "EACCES") return `not allowed to listen on port ${port}; choose one from 1024 with ${portFlag}`;
  if (code === "EADDRNOTAVAIL") return `'${host}' is no address of this machine; choose another with ${hostFlag}`;
  return `cannot listen on port ${port}: ${code}`;
}

/** The listener that was to be on this port, and the option that names its address. */
function listenerAt(port: number | undefined, config: Config): { host: string | undefined; name: string } {
  const { ssl, managementSsl, managementHost, managementPort, prometheus } = config;
  if (port === config.port) return { host: config.host, name: "host" };
  if (port === managementPort) return { host: managementHost, name: "managementHost" };
  if (port === ssl?.port) return { host: ssl?.host, name: "sslHost" };
  if (port === managementSsl?.port) return { host: managementSsl?.host, name: "managementSslHost" };
  if (port === prometheus?.ssl?.port) return { host: prometheus?.ssl?.host, name: "prometheusSslHost" };
  if (port === prometheus?.port) return { host: prometheus?.host, name: "prometheusHost" };
  return { host: config.host, name: "host" };
}
