import { totalmem } from "node:os";
import { mebibyte, type Option } from "./option-types.ts";

/** A limit on memory or disk: bytes, or a part of the memory that there is. */
export type ResourceLimit = { readonly relative: number } | { readonly absolute: number };

/** When the broker blocks publishers, and how often it looks. */
export interface ResourceConfig {
  readonly memoryHighWatermark: ResourceLimit;
  readonly diskFreeLimit: ResourceLimit;
  /** Instead of what the system tells. */
  readonly totalMemory: number | undefined;
  readonly monitorIntervalMs: number;
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1024,
  m: mebibyte,
  g: 1024 * mebibyte,
  t: mebibyte * mebibyte,
  ki: 1024,
  mi: mebibyte,
  gi: 1024 * mebibyte,
  ti: mebibyte * mebibyte,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: mebibyte,
  gib: 1024 * mebibyte,
  tib: mebibyte * mebibyte,
};

/** Bytes as RabbitMQ reads them here: kB, MB and GB are powers of 1000, KiB, MiB, GiB and bare k, M, G of 1024. */
export function parseAmount(text: string): number | undefined {
  const { number, unit = "" } = /^(?<number>\d{1,15})\s*(?<unit>[a-z]*)$/i.exec(text.trim())?.groups ?? {};
  const factor = units[unit.toLowerCase()];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** `0.4` is a part of the memory, `2GB` or `1000000` are bytes. */
export function parseLimit(text: string): ResourceLimit | undefined {
  if (/^\d{0,6}\.\d+$/.test(text)) return { relative: Number(text) };
  const absolute = parseAmount(text);
  return absolute === undefined ? undefined : { absolute };
}

function limitText(limit: ResourceLimit): string {
  if ("absolute" in limit) return String(limit.absolute);
  return Number.isInteger(limit.relative) ? `${limit.relative}.0` : String(limit.relative);
}

/** The limit in bytes. */
export function bytesOf(limit: ResourceLimit, totalMemory: number): number {
  return "absolute" in limit ? limit.absolute : Math.floor(limit.relative * totalMemory);
}

/** The memory of the container, or else of the machine. */
export function availableMemory(): number {
  const [limit, total] = [process.constrainedMemory(), totalmem()];
  return limit > 0 && limit < total ? limit : total;
}

function limitOption(help: string, key: string, fallback: ResourceLimit, fallbackText: string) {
  return {
    takes: "<limit>",
    help,
    allowed: "a part of the memory such as 0.4, or a size such as 2GB",
    parse: parseLimit,
    fallback: () => fallback,
    fallbackText,
    write: limitText,
    keys: [`${key}.absolute`, `${key}.relative`],
    // As in RabbitMQ a part counts more than a size.
    read: (lines) => {
      const relative = lines.filter(({ key: words }) => words.at(-1) === "relative").at(-1);
      if (relative === undefined) return lines.at(-1)?.value;
      return /^\d+$/.test(relative.value) ? `${relative.value}.0` : relative.value;
    },
  } satisfies Option<ResourceLimit>;
}

/** Settings of memory and disk. */
export const resourceOptions = {
  vmMemoryHighWatermark: limitOption(
    "memory beyond which publishers are blocked",
    "vm_memory_high_watermark",
    { relative: 0.6 },
    "0.6",
  ),
  diskFreeLimit: limitOption(
    "free space on the disk of the data directory below which publishers are blocked",
    "disk_free_limit",
    { absolute: 50_000_000 },
    "50MB",
  ),
  totalMemory: {
    takes: "<bytes>",
    help: "memory that there is, where the system's word is not to be taken",
    allowed: "a size such as 2GB",
    parse: parseAmount,
    fallback: (): number | undefined => undefined,
    fallbackText: "what the container or the machine has",
    keys: ["total_memory_available_override_value"],
  } satisfies Option<number | undefined>,
  memoryMonitorIntervalMs: {
    takes: "<ms>",
    help: "how often memory and disk are looked at",
    allowed: "a whole number from 10 to 600000",
    parse: (given: string) => {
      const value = Number(given);
      return /^\d+$/.test(given) && value >= 10 && value <= 600_000 ? value : undefined;
    },
    fallback: () => 250,
    keys: ["memory_monitor_interval"],
  } satisfies Option<number>,
} as const;
