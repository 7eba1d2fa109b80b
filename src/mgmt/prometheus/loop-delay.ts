import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the loop is looked at. */
const resolutionMs = 20;
const nanoseconds = 1e9;

/** How late the event loop is, in seconds, between two looks at it. */
export interface LoopDelay {
  readonly quantiles: ReadonlyMap<number, number>;
  readonly max: number;
}

const quantiles = [0.5, 0.9, 0.99] as const;

/** Watches the event loop of the process. */
export class LoopDelayMonitor {
  readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor() {
    this.#histogram.enable();
  }

  /** The delay since this was called last. */
  take(): LoopDelay {
    const delay = {
      quantiles: new Map(quantiles.map((quantile) => [quantile, late(this.#histogram.percentile(quantile * 100))])),
      max: late(this.#histogram.max),
    };
    this.#histogram.reset();
    return delay;
  }

  stop(): void {
    this.#histogram.disable();
  }
}

/** What is measured is from look to look; being on time is no delay. Before the first look there is none. */
function late(measured: number): number {
  return Number.isFinite(measured) ? Math.max(0, measured / nanoseconds - resolutionMs / 1000) : 0;
}
