import { ConfigError } from "./config-file.ts";
import { options, type Values } from "./config-options.ts";
import { type TlsFace, tlsFaces } from "./ssl-options.ts";
import type { CertificateFiles, TlsConfig } from "./tls-config.ts";

/** Where to listen for TLS, and how. */
export interface TlsListenerConfig {
  readonly host: string | undefined;
  readonly port: number;
  readonly tls: TlsConfig;
}

/** A listener of TLS but for its address; undefined where there is none. */
export type TlsListener = Omit<TlsListenerConfig, "host">;

/** AMQP over TLS. */
export function sslOf(value: Values): TlsListener | undefined {
  return listenerOf(value, tlsFaces.amqp, value("sslPort", options.sslPort));
}

/** The HTTP API over TLS. */
export function managementSslOf(value: Values): TlsListener | undefined {
  return listenerOf(value, tlsFaces.management, value("managementSslPort", options.managementSslPort));
}

/** Metrics over TLS. */
export function prometheusSslOf(value: Values): TlsListener | undefined {
  return listenerOf(value, tlsFaces.prometheus, value("prometheusSslPort", options.prometheusSslPort));
}

function listenerOf(value: Values, face: TlsFace, port: number | "none"): TlsListener | undefined {
  if (port === "none") return undefined;
  const { prefix, settings } = face;
  const tls = {
    ...shownBy(value, face),
    cacertfile: value(`${prefix}Cacertfile`, settings.cacertfile),
    verifyPeer: value(`${prefix}Verify`, settings.verify) === "verify_peer",
    failIfNoPeerCert: value(`${prefix}FailIfNoPeerCert`, settings.failIfNoPeerCert),
    depth: value(`${prefix}Depth`, settings.depth),
    versions: value(`${prefix}Versions`, settings.versions),
    ciphers: value(`${prefix}Ciphers`, settings.ciphers),
    honorCipherOrder: value(`${prefix}HonorCipherOrder`, settings.honorCipherOrder),
    sni: value(`${prefix}Sni`, settings.sni),
  };
  return { port, tls };
}

/** The certificate of AMQP serves everywhere that has no other. */
function shownBy(value: Values, face: TlsFace): Pick<TlsConfig, "certificate" | "password"> {
  const hasOwn = value(`${face.prefix}Certfile`, face.settings.certfile) !== undefined;
  const { prefix, settings } = hasOwn ? face : tlsFaces.amqp;
  const certfile = value(`${prefix}Certfile`, settings.certfile);
  const keyfile = value(`${prefix}Keyfile`, settings.keyfile);
  return {
    certificate: certificateOf(face.key, certfile, keyfile),
    password: value(`${prefix}Password`, settings.password),
  };
}

function certificateOf(key: string, certfile: string | undefined, keyfile: string | undefined): CertificateFiles {
  if (certfile !== undefined && keyfile !== undefined) return { certfile, keyfile };
  throw new ConfigError(`a listener of TLS needs ${key}.certfile and ${key}.keyfile`);
}
