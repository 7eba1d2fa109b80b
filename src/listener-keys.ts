import { ConfigError, type ConfigLine, keyText } from "./config-file.ts";

/** `listeners.tcp.NAME` is a port, or an address and a port: `127.0.0.1:5672`, `::1:5672`; `listeners.tcp` is none. */
export function listenerOf(lines: readonly ConfigLine[]): { readonly host: string | undefined; readonly port: string } {
  const last = lines.at(-1);
  const other = lines.find(({ key }) => keyText(key) !== keyText(last?.key ?? []));
  if (last === undefined) return { host: undefined, port: "" };
  if (other !== undefined) {
    throw new ConfigError(`line ${last.number}: one listener is all there can be, and line ${other.number} has one`);
  }
  const colon = last.value.lastIndexOf(":");
  if (colon < 0) return { host: undefined, port: last.value };
  return { host: last.value.slice(0, colon).replaceAll(/[[\]]/g, ""), port: last.value.slice(colon + 1) };
}

/** `management.listener.port` is of TLS where `management.listener.ssl` is true; without a port that is RabbitMQ's. */
export function managementPortOf(lines: readonly ConfigLine[], ofTls: boolean): string | undefined {
  const speaksTls = lines.findLast(({ key }) => key[1] === "listener" && key[2] === "ssl")?.value === "true";
  const ports = lines.filter(
    ({ key: [, face, setting] }) => setting !== "ssl" && (face !== "listener" || speaksTls === ofTls),
  );
  return ports.at(-1)?.value ?? (ofTls && speaksTls ? "15671" : undefined);
}
