import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { CommandError, exitCode } from "./command-error.ts";

/** As Node.js takes it; empty for the authorities of the system and no certificate of one's own. */
export interface TlsTrust {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized?: boolean;
}

/** What the options of TLS say. */
export interface TlsFlags {
  readonly caCertFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/** Reads the files. Throws when one cannot be read or used; `flag` is how the options begin, such as `--ssl`. */
export function tlsTrust({ caCertFile, certFile, keyFile, insecure }: TlsFlags, flag: string): TlsTrust {
  const trust = {
    ...(caCertFile !== undefined && { ca: readFileSync(caCertFile) }),
    ...(certFile !== undefined && { cert: readFileSync(certFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
    ...(insecure === true && { rejectUnauthorized: false }),
  };
  if (Object.keys(trust).length > 0) checkUsable(trust, flag);
  return trust;
}

function checkUsable(trust: TlsTrust, flag: string): void {
  try {
    createSecureContext(trust);
  } catch (error) {
    throw unusable(error, flag);
  }
}

function unusable(cause: unknown, flag: string): CommandError {
  const files = `what ${flag}-ca-cert-file, ${flag}-cert-file and ${flag}-key-file name`;
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new CommandError(exitCode.dataError, `TLS cannot use ${files}${why}`, { cause });
}
