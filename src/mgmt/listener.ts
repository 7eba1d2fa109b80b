import { createServer, type RequestListener, type Server } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import type { TlsIdentity } from "../tls.ts";
import type { ManagementHost } from "./host.ts";
import { allClosed, httpLimits, listening, loadedLazily, portOf, tlsServer, whenQuiet } from "./http-listener.ts";

/** The management listeners. Without one there is no port. */
export interface Management {
  readonly port: number | undefined;
  readonly sslPort: number | undefined;
  close(): Promise<void>;
}

/** Connections to one listener. */
const connectionsMax = 2000;

/** Listens for HTTP, for HTTPS or for both. Rejects with the error of a port that is not free. */
export async function startManagement(host: ManagementHost, tls: TlsIdentity | undefined): Promise<Management> {
  const servers: Server[] = [];
  const { handle, load } = loadedLazily(
    () => loadApp(host, () => connectionsOf(servers)),
    (error) => host.logs.management.error({ err: error }, "management cannot be loaded"),
  );
  const { managementHost, managementPort, managementSsl } = host.config;
  try {
    if (managementPort !== undefined) {
      const address = { host: managementHost, port: managementPort, connectionsMax };
      servers.push(await listening(createServer(httpLimits, handle), address));
    }
    const plain = servers[0];
    const secure =
      tls && managementSsl && (await listening(await tlsServer(tls, handle), { ...managementSsl, connectionsMax }));
    if (secure !== undefined) servers.push(secure);
    const giveUp = servers.length === 0 ? undefined : whenQuiet(load);
    return {
      port: portOf(plain),
      sslPort: portOf(secure),
      close: () => {
        giveUp?.();
        return allClosed(servers);
      },
    };
  } catch (error) {
    await allClosed(servers);
    throw error;
  }
}

/** In steps, as messages wait for each of them. */
async function loadApp(host: ManagementHost, httpConnections: () => Promise<number>): Promise<RequestListener> {
  const startedAt = performance.now();
  await import("fastify");
  await nextTurn();
  const { newApp } = await import("./server.ts");
  await nextTurn();
  const app = await newApp(host, httpConnections);
  host.logs.management.debug({ ms: Math.round(performance.now() - startedAt) }, "management is loaded");
  return app;
}

async function connectionsOf(servers: readonly Server[]): Promise<number> {
  const counts = await Promise.all(servers.map((server) => promisify(server.getConnections).bind(server)()));
  return counts.reduce((sum, count) => sum + count, 0);
}
