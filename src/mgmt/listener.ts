import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { ManagementHost } from "./host.ts";

/** The management listener. */
export interface Management {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens for HTTP. What answers is loaded when the first request comes: most of a start's time and a fifth of an idle
 * broker's memory would be fastify and the routes. Rejects with the error of a port that is not free.
 */
export async function startManagement(host: ManagementHost): Promise<Management> {
  let app: Promise<RequestListener> | undefined;
  const server = createServer((request, response) => {
    app ??= import("./server.ts").then(({ newApp }) => newApp(host, server));
    app.then(
      (handle) => handle(request, response),
      (error: unknown) => {
        host.log.error({ err: error }, "management cannot be loaded");
        refuse(response);
      },
    );
  });
  const { managementHost, managementPort } = host.config;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(managementPort, managementHost ?? "::", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : managementPort;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse(response: ServerResponse): void {
  response.writeHead(500, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: "internal_server_error", reason: "Internal Server Error" }));
}
