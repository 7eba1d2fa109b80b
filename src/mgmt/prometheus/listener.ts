import { createServer, type RequestListener, type Server } from "node:http";
import type { PrometheusConfig } from "../../config-prometheus.ts";
import type { TlsIdentity } from "../../tls.ts";
import type { ManagementHost } from "../host.ts";
import { allClosed, httpLimits, listening, loadedLazily, portOf, tlsServer } from "../http-listener.ts";

/** Where metrics are served; without one there is no port. */
export interface MetricsListener {
  readonly port: number | undefined;
  readonly sslPort: number | undefined;
  close(): Promise<void>;
}

/** Connections: a few systems look now and then. */
const connectionsMax = 64;

const nowhere: MetricsListener = { port: undefined, sslPort: undefined, close: () => Promise.resolve() };

/** Listens for Prometheus. Rejects with the error of a port that is not free. */
export async function startMetrics(host: ManagementHost, tls: TlsIdentity | undefined): Promise<MetricsListener> {
  const { prometheus } = host.config;
  if (prometheus === undefined) return nowhere;
  const { ssl } = prometheus;
  const { handle } = loadedLazily(
    async () => (await import("./server.ts")).newMetricsServer(host, prometheus),
    (error) => host.logs.management.error({ err: error }, "metrics cannot be loaded"),
  );
  const plain = await plainServer(host, prometheus, handle);
  const servers = plain === undefined ? [] : [plain];
  try {
    const secure = tls && ssl && (await listening(await tlsServer(tls, handle), { ...ssl, connectionsMax }));
    if (secure !== undefined) servers.push(secure);
    return { port: portOf(plain), sslPort: portOf(secure), close: () => allClosed(servers) };
  } catch (error) {
    await allClosed(servers);
    throw error;
  }
}

/** A port that nobody asked for is done without when it is not free, as another broker of this machine has it. */
async function plainServer(
  host: ManagementHost,
  { host: address, port, isAskedFor }: PrometheusConfig,
  handle: RequestListener,
): Promise<Server | undefined> {
  if (port === undefined) return undefined;
  try {
    return await listening(createServer(httpLimits, handle), { host: address, port, connectionsMax });
  } catch (error) {
    if (isAskedFor || !isInUse(error)) throw error;
    host.logs.management.warn({ port }, "metrics are not served: their port is in use; see --prometheus-port");
    return undefined;
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
