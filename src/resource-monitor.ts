import { statfs } from "node:fs/promises";
import type { Alarms } from "./alarms.ts";
import { collectGarbage } from "./garbage.ts";
import { availableMemory, bytesOf, type ResourceConfig, type ResourceLimit } from "./resource-limits.ts";

/** While memory is short garbage is collected at least so often: nobody publishes, so nothing else would set that off. */
const collectMs = 5000;

/** What the monitor looks at; tests bring their own. */
export interface ResourceReadings {
  memoryUsed(): number;
  diskFree(): Promise<number>;
  collectGarbage(): void;
}

/** Sets the alarms of memory and disk, and clears them. */
export class ResourceMonitor {
  readonly #alarms: Alarms;
  readonly #readings: ResourceReadings;
  readonly totalMemory: number;
  memoryWatermark: ResourceLimit;
  diskLimit: ResourceLimit;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #sinceCollectedMs = Number.POSITIVE_INFINITY;

  constructor(config: ResourceConfig, alarms: Alarms, readings: ResourceReadings) {
    this.#alarms = alarms;
    this.#readings = readings;
    this.totalMemory = config.totalMemory ?? availableMemory();
    this.memoryWatermark = config.memoryHighWatermark;
    this.diskLimit = config.diskFreeLimit;
    this.#intervalMs = config.monitorIntervalMs;
  }

  /** Bytes. */
  get memoryLimit(): number {
    return bytesOf(this.memoryWatermark, this.totalMemory);
  }

  /** Bytes. */
  get diskFreeLimit(): number {
    return bytesOf(this.diskLimit, this.totalMemory);
  }

  /** Looks now, and then regularly. */
  async start(): Promise<void> {
    await this.check();
    if (!this.#isStopped) this.#timer = setTimeout(() => this.start(), this.#intervalMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Looks at what is used and what is free. */
  async check(): Promise<void> {
    this.#checkMemory();
    const free = await this.#readings.diskFree();
    this.#alarms.put("low on disk", "limit", free < this.diskFreeLimit);
  }

  #checkMemory(): void {
    this.#sinceCollectedMs += this.#intervalMs;
    const isShort = this.#readings.memoryUsed() > this.memoryLimit;
    if (isShort && this.#sinceCollectedMs >= collectMs) {
      this.#sinceCollectedMs = 0;
      this.#readings.collectGarbage();
    }
    this.#alarms.put("low on memory", "limit", this.#readings.memoryUsed() > this.memoryLimit);
  }
}

/** What the system tells of this process and of the disk that a directory is on. */
export function systemReadings(directory: string, diskUnknown: (error: Error) => void): ResourceReadings {
  let isUnknown = false;
  return {
    memoryUsed: () => process.memoryUsage.rss(),
    diskFree: async () => {
      try {
        const { bavail, bsize } = await statfs(directory);
        isUnknown = false;
        return bavail * bsize;
      } catch (error) {
        // Told once, not at every look.
        if (!isUnknown && error instanceof Error) diskUnknown(error);
        isUnknown = true;
        return Number.POSITIVE_INFINITY;
      }
    },
    collectGarbage,
  };
}
