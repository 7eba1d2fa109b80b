import { isRecord } from "./cells.ts";
import type { Context } from "./context.ts";
import { path, type Row } from "./management-client.ts";

/** A port that the broker listens on. */
export interface Listener {
  readonly interface: string;
  readonly node: string;
  readonly port: number;
  readonly protocol: string;
  readonly purpose: string;
}

const purposes: Readonly<Record<string, string>> = {
  amqp: "AMQP 0-9-1",
  "amqp/ssl": "AMQP 0-9-1 over TLS",
  http: "HTTP API",
  https: "HTTP API over TLS",
};

/** Where the broker listens. */
export async function listenersOf({ api }: Context): Promise<readonly Listener[]> {
  const { listeners } = await api.item("/overview");
  const rows = Array.isArray(listeners) ? listeners.filter(isRecord) : [];
  return rows.map((row) => ({
    interface: interfaceText(String(row["ip_address"])),
    node: String(row["node"]),
    port: Number(row["port"]),
    protocol: String(row["protocol"]),
    purpose: purposes[String(row["protocol"])] ?? String(row["protocol"]),
  }));
}

/** `Interface: ..., port: ...` as rabbitmqctl writes it. */
export function listenerText(listener: Listener): string {
  const { port, protocol, purpose } = listener;
  return `Interface: ${listener.interface}, port: ${port}, protocol: ${protocol}, purpose: ${purpose}`;
}

function interfaceText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** The one node. */
export async function nodeOf(context: Context): Promise<Row> {
  return context.api.item(path`/nodes/${await context.node()}`);
}

/** The alarms that are set, as sentences. */
export function alarmTexts(node: Row): string[] {
  const name = String(node["name"]);
  return [
    ...(node["disk_free_alarm"] === true ? [`Free disk space alarm on node ${name}`] : []),
    ...(node["mem_alarm"] === true ? [`Memory alarm on node ${name}`] : []),
  ];
}

/** What memory is used for, the largest part first, in bytes. */
export async function memoryOf(context: Context): Promise<readonly (readonly [part: string, bytes: number])[]> {
  const { memory } = await context.api.item(path`/nodes/${await context.node()}/memory`);
  const parts = Object.entries(isRecord(memory) ? memory : {}).filter(([, bytes]) => typeof bytes === "number");
  return parts.map(([part, bytes]) => [part, Number(bytes)] as const).sort(([, a], [, b]) => b - a);
}

/** Units of memory, and how many bytes make one. */
export const unitBytes: Readonly<Record<string, number>> = {
  bytes: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

/** A number of bytes in a unit, to four places. */
export function inUnit(bytes: number, unit: string): string {
  return `${Math.round((bytes / (unitBytes[unit] ?? 1)) * 1e4) / 1e4} ${unit}`;
}
