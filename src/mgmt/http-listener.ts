import type { RequestListener, Server, ServerOptions, ServerResponse } from "node:http";
import type { TlsIdentity } from "../tls.ts";

/** Time a client has for a request and for its headers, and that a connection may do nothing between two requests. */
const requestMsMax = 120_000;
const headersMsMax = 20_000;
const idleMsMax = 65_000;
/** Bytes of a request's headers. */
const headerBytesMax = 16 * 1024;

/** What clients of HTTP may take. */
export const httpLimits: ServerOptions = {
  requestTimeout: requestMsMax,
  headersTimeout: headersMsMax,
  keepAliveTimeout: idleMsMax,
  maxHeaderSize: headerBytesMax,
};

/** Where to listen for HTTP, and how many may connect. */
export interface HttpAddress {
  readonly host: string | undefined;
  readonly port: number;
  readonly connectionsMax: number;
}

/** Rejects with the error of a port that is not free. */
export function listening(server: Server, { host, port, connectionsMax }: HttpAddress): Promise<Server> {
  server.maxConnections = connectionsMax;
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, host ?? "::", () => resolve(server.off("error", reject)));
  });
}

/** A server of HTTP over TLS, which turns away those whose certificate is no good. */
export async function tlsServer(tls: TlsIdentity, handle: RequestListener): Promise<Server> {
  const https = await import("node:https");
  const server = https.createServer({ ...httpLimits, ...tls.serverOptions }, handle);
  server.on("secureConnection", (socket) => {
    if (tls.accept(socket) === undefined) socket.destroy();
  });
  tls.serve(server);
  return server;
}

/** Undefined where nobody listens. */
export function portOf(server: Server | undefined): number | undefined {
  const address = server?.address();
  return typeof address === "object" && address !== null ? address.port : undefined;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Closes servers and their connections. */
export async function allClosed(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map(closed));
}

/** What answers requests, once it is loaded. */
export interface Lazy {
  readonly handle: RequestListener;
  /** Loads it ahead of the first request. */
  load(): Promise<void>;
}

/**
 * What answers is loaded when the first request comes, or before when somebody asks for that: fastify and the routes would
 * be most of a start's time. `failed` is told when it can't be loaded.
 */
export function loadedLazily(load: () => Promise<RequestListener>, failed: (error: unknown) => void): Lazy {
  let loaded: Promise<RequestListener> | undefined;
  const ready = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    handle: (request, response) => {
      ready().then(
        (handle) => handle(request, response),
        (error: unknown) => {
          failed(error);
          refuse(response);
        },
      );
    },
    load: () => ready().then(() => undefined, failed),
  };
}

/** How long the process has to be quiet, and which part of that time it may be busy. */
const quietMs = 2000;
const busyMax = 0.05;

/** Does something once when the process has had little to do for a while; what is returned gives that up. */
export function whenQuiet(act: () => Promise<void>): () => void {
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > busyMax) return;
    clearInterval(timer);
    void act();
  }, quietMs).unref();
  return () => clearInterval(timer);
}

function refuse(response: ServerResponse): void {
  response.writeHead(500, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: "internal_server_error", reason: "Internal Server Error" }));
}
