import { readdirSync, readFileSync } from "node:fs";

/** What a process of this machine holds. */
export interface ProcessUse {
  /** Memory that is resident, in bytes. */
  readonly memory: number;
  readonly descriptors: number;
}

/** Looks at a process. */
export function processUse(pid: number): ProcessUse {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { memory: Number(kilobytes) * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** Bytes as MB, for people. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** The value that so many percent of all are below. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
