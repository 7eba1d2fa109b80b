import type { ManagementHost } from "../host.ts";
import type { NodeReadings } from "../node-readings.ts";
import type { LoopDelay } from "./loop-delay.ts";

/** A metric as Prometheus knows it. */
export interface Metric {
  /** Without the prefix of its endpoint. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "untyped" | "summary" | "histogram";
  readonly help: string;
}

/** The values of one thing, one for each metric of its family; NaN where there is none. */
export interface Reading {
  readonly labels: Labels;
  readonly values: readonly number[];
}

export type Labels = Readonly<Record<string, string>>;

/** Metrics that are read of the same things at one time, under RabbitMQ's name for them. */
export interface Family {
  readonly name: string;
  readonly metrics: readonly Metric[];
  /** Whether its readings are summed up where nobody asks for each of them. */
  readonly isPerObject?: boolean;
  /** Whether it is not summed up at all. */
  readonly isOnlyPerObject?: boolean;
  /** Whether its names start with `rabbitmq_cluster_`, and it comes only when asked for. */
  readonly isOfCluster?: boolean;
  /** Things in vhosts can be asked for by vhost; undefined for all of them. */
  readings(from: MetricsSource, vhosts: ReadonlySet<string> | undefined): Iterable<Reading>;
}

/** What metrics are read from. */
export interface MetricsSource {
  readonly host: ManagementHost;
  readonly node: NodeReadings;
  readonly delay: LoopDelay;
}

export function counter(name: string, help: string): Metric {
  return { name, type: "counter", help };
}

export function gauge(name: string, help: string): Metric {
  return { name, type: "gauge", help };
}
