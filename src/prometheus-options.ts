import { flag, type Option, portOrNone, text } from "./option-types.ts";

/** What Prometheus gets. */
export interface MetricsConfig {
  readonly path: string;
  /** Whether the path itself gives every object by itself. */
  readonly perObject: boolean;
  /** Whether one must log in, as a user who may monitor. */
  readonly needsLogin: boolean;
}

/** The settings of metrics. */
export const prometheusOptions = {
  prometheusHost: {
    takes: "<address>",
    help: "address to listen on for Prometheus",
    ...text("a host name or an address"),
    fallback: (): string | undefined => undefined,
    fallbackText: "same as host",
    keys: ["prometheus.tcp.ip"],
  } satisfies Option<string | undefined>,
  prometheusPort: {
    takes: "<number>",
    help: "port for Prometheus; 0 picks a free one; unless given, one that is in use is done without",
    ...portOrNone(),
    fallback: (): number | "none" => 15_692,
    fallbackText: "15692, or none when there is a port for TLS",
    keys: ["prometheus.tcp.port", "prometheus.tcp.listener", "prometheus.tcp"],
  } satisfies Option<number | "none">,
  prometheusPath: {
    takes: "<path>",
    help: "where the metrics are",
    allowed: "a path such as /metrics",
    parse: (given: string) => (/^\/[^?#\s]*[^/?#\s]$/.test(given) ? given : undefined),
    fallback: () => "/metrics",
    keys: ["prometheus.path"],
  } satisfies Option<string>,
  prometheusPerObject: {
    takes: "<boolean>",
    help: "whether the metrics of every queue, channel and connection are there too, instead of their sums",
    ...flag(),
    fallback: () => false,
    keys: ["prometheus.return_per_object_metrics"],
  } satisfies Option<boolean>,
  prometheusAuthentication: {
    takes: "<boolean>",
    help: "whether Prometheus must log in, as a user with the tag monitoring or administrator",
    ...flag(),
    fallback: () => false,
    keys: ["prometheus.authentication.enabled"],
  } satisfies Option<boolean>,
} as const;
