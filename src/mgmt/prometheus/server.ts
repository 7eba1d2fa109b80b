import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { MetricsConfig } from "../../prometheus-options.ts";
import { Guard } from "../auth.ts";
import type { ManagementHost } from "../host.ts";
import { readNode } from "../node-readings.ts";
import { Refusal } from "../refusal.ts";
import type { Endpoint } from "./broker-families.ts";
import { exposition, type Query } from "./exposition.ts";
import { LoopDelayMonitor } from "./loop-delay.ts";

/** Answers Prometheus. The event loop is watched from the first time that it asks. */
export function newMetricsServer(host: ManagementHost, config: MetricsConfig): RequestListener {
  const loop = new LoopDelayMonitor();
  return (request, response) => {
    answer(host, config, loop, request, response).catch((error: unknown) => {
      // Who does not wait for the end is no mistake of ours.
      if (!response.destroyed) host.logs.management.error({ err: error }, "internal error in metrics");
      response.destroy();
    });
  };
}

async function answer(
  host: ManagementHost,
  config: MetricsConfig,
  loop: LoopDelayMonitor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "HEAD, GET" }).end();
    return;
  }
  const query = queryOf(new URL(request.url ?? "", "http://metrics"), config);
  const refusal = config.needsLogin ? await refusalOf(host, request) : undefined;
  if (refusal !== undefined) {
    response.writeHead(refusal.status, { "www-authenticate": 'Basic realm="RabbitMQ Prometheus"' }).end();
    return;
  }
  if (query === undefined) {
    response.writeHead(404, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: "Object Not Found", reason: "Not Found" }));
    return;
  }
  const isGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  response.writeHead(200, {
    "content-type": "text/plain; version=0.0.4",
    "content-encoding": isGzip ? "gzip" : "identity",
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const source = { host, node: await readNode(host.dataDir), delay: loop.take() };
  const text = Readable.from(exposition(source, query));
  await (isGzip ? pipeline(text, createGzip(), response) : pipeline(text, response));
}

/** Undefined for a user who may monitor. */
async function refusalOf(host: ManagementHost, { headers, socket }: IncomingMessage): Promise<Refusal | undefined> {
  const guard = new Guard(host);
  try {
    guard.check(await guard.logIn(headers.authorization, socket.remoteAddress ?? ""), "monitoring", "GET", undefined);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** Undefined for a path that there is not. */
function queryOf({ pathname, searchParams }: URL, { path, perObject }: MetricsConfig): Query | undefined {
  const endpoints = new Map<string, Endpoint>([
    [path, perObject ? "per-object" : "aggregated"],
    [`${path}/per-object`, "per-object"],
    [`${path}/detailed`, "detailed"],
  ]);
  const endpoint = endpoints.get(pathname.length > 1 ? pathname.replace(/\/$/, "") : pathname);
  if (endpoint === undefined) return undefined;
  const vhosts = searchParams.getAll("vhost");
  return {
    endpoint,
    families: new Set(searchParams.getAll("family")),
    vhosts: endpoint === "detailed" && vhosts.length > 0 ? new Set(vhosts) : undefined,
  };
}
