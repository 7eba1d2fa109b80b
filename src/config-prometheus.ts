import { options, type Values } from "./config-options.ts";
import { prometheusSslOf, type TlsListenerConfig } from "./config-tls.ts";
import type { MetricsConfig } from "./prometheus-options.ts";

/** How metrics are served to Prometheus: by HTTP, by TLS or both. */
export interface PrometheusConfig extends MetricsConfig {
  /** Undefined for all interfaces. */
  readonly host: string | undefined;
  /** Undefined for none. */
  readonly port: number | undefined;
  /** Whether somebody asked for this port: without it the broker does not start then. */
  readonly isAskedFor: boolean;
  readonly ssl: TlsListenerConfig | undefined;
}

/** Undefined where metrics are not served. */
export function prometheusOf(
  value: Values,
  mainHost: string | undefined,
  isAskedFor: boolean,
): PrometheusConfig | undefined {
  const ssl = prometheusSslOf(value);
  // As in RabbitMQ, TLS takes the place of what nobody asked for.
  const port = ssl === undefined || isAskedFor ? value("prometheusPort", options.prometheusPort) : "none";
  if (port === "none" && ssl === undefined) return undefined;
  const host = value("prometheusHost", options.prometheusHost) ?? mainHost;
  return {
    host,
    port: port === "none" ? undefined : port,
    isAskedFor,
    ssl: ssl && { ...ssl, host: value("prometheusSslHost", options.prometheusSslHost) ?? host },
    path: value("prometheusPath", options.prometheusPath),
    perObject: value("prometheusPerObject", options.prometheusPerObject),
    needsLogin: value("prometheusAuthentication", options.prometheusAuthentication),
  };
}
