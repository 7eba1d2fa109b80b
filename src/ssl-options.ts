import { listenerOf, managementPortOf } from "./listener-keys.ts";
import type { LoginName, SanType } from "./login-names.ts";
import { integer, type Option, oneOf, portOrNone, text } from "./option-types.ts";
import { tlsOptions } from "./tls-config.ts";

const ssl = tlsOptions("AMQP", (key) => [`ssl_options.${key}`], "RABBITMQ_SSL");
const managementSsl = tlsOptions(
  "the HTTP API",
  (key) => [`management.ssl.${key}`, `management.listener.ssl_opts.${key}`],
  "RABBITMQ_MANAGEMENT_SSL",
);

const prometheusSsl = tlsOptions("metrics", (key) => [`prometheus.ssl.${key}`]);

/** What listens for TLS: how its settings are named, and the key of a configuration file that they have in common. */
export interface TlsFace {
  readonly prefix: "ssl" | "managementSsl" | "prometheusSsl";
  readonly settings: ReturnType<typeof tlsOptions>;
  readonly key: string;
}

/** All that can listen for TLS. */
export const tlsFaces = {
  amqp: { prefix: "ssl", settings: ssl, key: "ssl_options" },
  management: { prefix: "managementSsl", settings: managementSsl, key: "management.ssl" },
  prometheus: { prefix: "prometheusSsl", settings: prometheusSsl, key: "prometheus.ssl" },
} as const satisfies Readonly<Record<string, TlsFace>>;

/** The settings of TLS, of all that can listen for it. */
export const sslOptions = {
  sslHost: {
    takes: "<address>",
    help: "address to listen on for AMQP over TLS",
    ...text("a host name or an address"),
    fallback: (): string | undefined => undefined,
    fallbackText: "same as host",
    keys: ["listeners.ssl.$name"],
    read: (lines) => listenerOf(lines).host,
  } satisfies Option<string | undefined>,
  sslPort: {
    takes: "<number>",
    help: "port for AMQP over TLS, by custom 5671; 0 picks a free one",
    ...portOrNone(),
    fallback: (): number | "none" => "none",
    keys: ["listeners.ssl.$name", "listeners.ssl"],
    read: (lines) => listenerOf(lines).port,
  } satisfies Option<number | "none">,
  sslCertfile: ssl.certfile,
  sslKeyfile: ssl.keyfile,
  sslPassword: ssl.password,
  sslCacertfile: ssl.cacertfile,
  sslVerify: ssl.verify,
  sslFailIfNoPeerCert: ssl.failIfNoPeerCert,
  sslDepth: ssl.depth,
  sslVersions: ssl.versions,
  sslCiphers: ssl.ciphers,
  sslHonorCipherOrder: ssl.honorCipherOrder,
  sslSni: ssl.sni,
  sslHandshakeTimeoutMs: {
    takes: "<ms>",
    help: "time a client has for the handshake of TLS",
    ...integer(1, 2 ** 31 - 1),
    fallback: () => 5000,
    keys: ["ssl_handshake_timeout"],
  } satisfies Option<number>,
  sslCertLoginFrom: {
    takes: "<word>",
    help: "what of a certificate names the user who logs in by EXTERNAL",
    ...oneOf("distinguished_name", "common_name", "subject_alternative_name"),
    fallback: (): LoginName => "distinguished_name",
    keys: ["ssl_cert_login_from"],
  } satisfies Option<LoginName>,
  sslCertLoginSanType: {
    takes: "<word>",
    help: "which kind of subject alternative name that is",
    ...oneOf("dns", "ip", "email", "uri"),
    fallback: (): SanType => "dns",
    keys: ["ssl_cert_login_san_type"],
  } satisfies Option<SanType>,
  sslCertLoginSanIndex: {
    takes: "<number>",
    help: "which one of that kind, from 0",
    ...integer(0, 255),
    fallback: () => 0,
    keys: ["ssl_cert_login_san_index"],
  } satisfies Option<number>,
  managementSslHost: {
    takes: "<address>",
    help: "address to listen on for the HTTP API over TLS",
    ...text("a host name or an address"),
    fallback: (): string | undefined => undefined,
    fallbackText: "same as managementHost",
    keys: ["management.ssl.ip"],
  } satisfies Option<string | undefined>,
  managementSslPort: {
    takes: "<number>",
    help: "port for the HTTP API over TLS, by custom 15671; 0 picks a free one",
    ...portOrNone(),
    fallback: (): number | "none" => "none",
    keys: ["management.ssl.port", "management.listener.port", "management.listener.ssl"],
    read: (lines) => managementPortOf(lines, true),
  } satisfies Option<number | "none">,
  managementSslCertfile: { ...managementSsl.certfile, fallbackText: "that of AMQP" },
  managementSslKeyfile: { ...managementSsl.keyfile, fallbackText: "that of AMQP" },
  managementSslPassword: managementSsl.password,
  managementSslCacertfile: managementSsl.cacertfile,
  managementSslVerify: managementSsl.verify,
  managementSslFailIfNoPeerCert: managementSsl.failIfNoPeerCert,
  managementSslDepth: managementSsl.depth,
  managementSslVersions: managementSsl.versions,
  managementSslCiphers: managementSsl.ciphers,
  managementSslHonorCipherOrder: managementSsl.honorCipherOrder,
  managementSslSni: managementSsl.sni,
  prometheusSslHost: {
    takes: "<address>",
    help: "address to listen on for Prometheus over TLS",
    ...text("a host name or an address"),
    fallback: (): string | undefined => undefined,
    fallbackText: "same as prometheusHost",
    keys: ["prometheus.ssl.ip"],
  } satisfies Option<string | undefined>,
  prometheusSslPort: {
    takes: "<number>",
    help: "port for Prometheus over TLS, by custom 15691; 0 picks a free one",
    ...portOrNone(),
    fallback: (): number | "none" => "none",
    keys: ["prometheus.ssl.port"],
  } satisfies Option<number | "none">,
  prometheusSslCertfile: { ...prometheusSsl.certfile, fallbackText: "that of AMQP" },
  prometheusSslKeyfile: { ...prometheusSsl.keyfile, fallbackText: "that of AMQP" },
  prometheusSslPassword: prometheusSsl.password,
  prometheusSslCacertfile: prometheusSsl.cacertfile,
  prometheusSslVerify: prometheusSsl.verify,
  prometheusSslFailIfNoPeerCert: prometheusSsl.failIfNoPeerCert,
  prometheusSslDepth: prometheusSsl.depth,
  prometheusSslVersions: prometheusSsl.versions,
  prometheusSslCiphers: prometheusSsl.ciphers,
  prometheusSslHonorCipherOrder: prometheusSsl.honorCipherOrder,
  prometheusSslSni: prometheusSsl.sni,
} as const;
