import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import type { TlsIdentity } from "../tls.ts";
import type { ManagementHost } from "./host.ts";

/** The management listeners. Without one there is no port. */
export interface Management {
  readonly port: number | undefined;
  readonly sslPort: number | undefined;
  close(): Promise<void>;
}

/** Time a client has for a request and for its headers, and that a connection may do nothing between two requests. */
const requestMsMax = 120_000;
const headersMsMax = 20_000;
const idleMsMax = 65_000;
/** Bytes of a request's headers, and connections to one listener. */
const headerBytesMax = 16 * 1024;
const connectionsMax = 2000;

const limits: ServerOptions = {
  requestTimeout: requestMsMax,
  headersTimeout: headersMsMax,
  keepAliveTimeout: idleMsMax,
  maxHeaderSize: headerBytesMax,
};

/**
 * Listens for HTTP, for HTTPS or for both. What answers is loaded when the first request comes: most of a start's time
 * and a fifth of an idle broker's memory would be fastify and the routes. Rejects with the error of a port that is not
 * free.
 */
export async function startManagement(host: ManagementHost, tls: TlsIdentity | undefined): Promise<Management> {
  const servers: Server[] = [];
  const handle = lazyHandler(host, servers);
  const { managementHost, managementPort, managementSsl } = host.config;
  try {
    if (managementPort !== undefined) {
      servers.push(await listening(createServer(limits, handle), managementHost, managementPort));
    }
    const plain = servers[0];
    const secure =
      tls && managementSsl && (await listening(await tlsServer(tls, handle), managementSsl.host, managementSsl.port));
    if (secure !== undefined) servers.push(secure);
    return { port: portOf(plain), sslPort: portOf(secure), close: () => closeAll(servers) };
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
}

function lazyHandler(host: ManagementHost, servers: readonly Server[]): RequestListener {
  let app: Promise<RequestListener> | undefined;
  return (request, response) => {
    app ??= import("./server.ts").then(({ newApp }) => newApp(host, () => connectionsOf(servers)));
    app.then(
      (handle) => handle(request, response),
      (error: unknown) => {
        host.log.error({ err: error }, "management cannot be loaded");
        refuse(response);
      },
    );
  };
}

async function tlsServer(tls: TlsIdentity, handle: RequestListener): Promise<Server> {
  const https = await import("node:https");
  const server = https.createServer({ ...limits, ...tls.serverOptions }, handle);
  server.on("secureConnection", (socket) => {
    if (tls.accept(socket) === undefined) socket.destroy();
  });
  tls.serve(server);
  return server;
}

function listening(server: Server, host: string | undefined, port: number): Promise<Server> {
  server.maxConnections = connectionsMax;
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, host ?? "::", () => resolve(server.off("error", reject)));
  });
}

function portOf(server: Server | undefined): number | undefined {
  const address = server?.address();
  return typeof address === "object" && address !== null ? address.port : undefined;
}

async function connectionsOf(servers: readonly Server[]): Promise<number> {
  const counts = await Promise.all(servers.map((server) => promisify(server.getConnections).bind(server)()));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map(closed));
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function refuse(response: ServerResponse): void {
  response.writeHead(500, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: "internal_server_error", reason: "Internal Server Error" }));
}
