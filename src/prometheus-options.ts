import { flag, integer, type Option, text } from "./option-types.ts";

/** How metrics are served to Prometheus. */
export interface PrometheusConfig {
  /** Undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
  /** Whether somebody asked for this port: without it the broker does not start then. */
  readonly isAskedFor: boolean;
  readonly path: string;
  /** Whether the path itself gives every object by itself. */
  readonly perObject: boolean;
}

const port = integer(0, 65_535);

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
    allowed: `${port.allowed}, or 'none'`,
    parse: (given: string) => (given === "none" ? ("none" as const) : port.parse(given)),
    fallback: (): number | "none" => 15_692,
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
} as const;
