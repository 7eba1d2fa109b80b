import { createServer, type Server } from "node:http";
import type { ManagementHost } from "../host.ts";
import { closed, httpLimits, listening, loadedLazily, portOf } from "../http-listener.ts";

/** Where metrics are served. */
export interface MetricsListener {
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** Connections: a few systems look now and then. */
const connectionsMax = 64;

/**
 * Listens for Prometheus. Rejects with the error of a port that is not free; one that nobody asked for is done without, as
 * another broker of this machine has it.
 */
export async function startMetrics(host: ManagementHost): Promise<MetricsListener> {
  const { prometheus } = host.config;
  if (prometheus === undefined) return { port: undefined, close: () => Promise.resolve() };
  const handle = loadedLazily(
    async () => (await import("./server.ts")).newMetricsServer(host, prometheus),
    (error) => host.logs.management.error({ err: error }, "metrics cannot be loaded"),
  );
  const server = createServer(httpLimits, handle);
  try {
    const { host: address, port } = prometheus;
    return shown(await listening(server, { host: address, port, connectionsMax }));
  } catch (error) {
    if (prometheus.isAskedFor || !isInUse(error)) throw error;
    host.logs.management.warn(
      { port: prometheus.port },
      "metrics are not served: their port is in use; see --prometheus-port",
    );
    return { port: undefined, close: () => Promise.resolve() };
  }
}

function shown(server: Server): MetricsListener {
  return { port: portOf(server), close: () => closed(server) };
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
