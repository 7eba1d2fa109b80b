import { Measured } from "../measured.ts";
import { type NodeMetric, nodeMetrics } from "../metric-names.ts";
import { SampleHistory } from "../sample-history.ts";
import type { ManagementHost } from "./host.ts";
import { type NodeReadings, readNode } from "./node-readings.ts";

/** What the node uses, and what it used before: samples are taken along with those of the broker. */
export class NodeLevels {
  readonly #host: ManagementHost;
  readonly #httpConnections: () => Promise<number>;
  #samples: SampleHistory;
  #isSampling = false;

  /** `httpConnections` counts those of the HTTP API. */
  constructor(host: ManagementHost, httpConnections: () => Promise<number>) {
    this.#host = host;
    this.#httpConnections = httpConnections;
    this.#samples = this.#newSamples();
    host.metrics.listeners.add(() => {
      this.#sample().catch((error: unknown) => host.logs.management.error({ err: error }, "a sample was not taken"));
    });
  }

  /** Forgets all samples. */
  forget(): void {
    this.#samples = this.#newSamples();
  }

  /** What is used now, as far as the system tells. */
  async read(): Promise<{ readonly readings: NodeReadings; readonly measured: Measured<NodeMetric> }> {
    const { readings, row } = await this.#look();
    return { readings, measured: new Measured(nodeMetrics, row, this.#samples) };
  }

  /** Does nothing while a sample is being taken: a clock that is put forward asks for thousands at once. */
  async #sample(): Promise<void> {
    if (this.#isSampling) return;
    this.#isSampling = true;
    try {
      const { row } = await this.#look();
      this.#samples.add(this.#host.clock.now(), row);
    } finally {
      this.#isSampling = false;
    }
  }

  async #look(): Promise<{ readings: NodeReadings; row: Float64Array }> {
    const readings = await readNode(this.#host.dataDir);
    const { limits, diskFree = 0, contextSwitches } = readings;
    const values: Record<NodeMetric, number> = {
      mem_used: process.memoryUsage.rss(),
      sockets_used: this.#host.connections.size + (await this.#httpConnections()),
      context_switches: contextSwitches,
      disk_free: diskFree,
      fd_used: limits?.files ?? 0,
      proc_used: limits?.threads ?? 0,
    };
    return { readings, row: Float64Array.from(nodeMetrics, (name) => values[name]) };
  }

  #newSamples(): SampleHistory {
    return SampleHistory.of(nodeMetrics.length, this.#host.config.statsIntervalMs);
  }
}
