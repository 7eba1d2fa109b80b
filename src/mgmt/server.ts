import type { RequestListener } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { version } from "../version.ts";
import { Api } from "./api.ts";
import { challenge, Guard, LoginRefusal } from "./auth.ts";
import { type BrowserRequest, guardHeaders, isForged } from "./browsers.ts";
import { answer } from "./call.ts";
import type { ManagementHost } from "./host.ts";
import { NodeLevels } from "./node-levels.ts";
import { openApi } from "./openapi.ts";
import { notFound, Refusal, refusalOf } from "./refusal.ts";
import { backupRoutes } from "./routes/backup.ts";
import { bindingRoutes } from "./routes/bindings.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { definitionRoutes } from "./routes/definitions.ts";
import { exchangeRoutes } from "./routes/exchanges.ts";
import { healthRoutes } from "./routes/health.ts";
import { limitRoutes } from "./routes/limits.ts";
import { messageRoutes } from "./routes/messages.ts";
import { nodeStateRoutes } from "./routes/node-state.ts";
import { nodeRoutes } from "./routes/nodes.ts";
import { oneNodeRoutes } from "./routes/one-node.ts";
import { overviewRoutes } from "./routes/overview.ts";
import { parameterRoutes } from "./routes/parameters.ts";
import { permissionRoutes } from "./routes/permissions.ts";
import { policyRoutes } from "./routes/policies.ts";
import { queueRoutes } from "./routes/queues.ts";
import { quorumQueueRoutes } from "./routes/quorum-queues.ts";
import { streamRoutes } from "./routes/stream.ts";
import { topicPermissionRoutes } from "./routes/topic-permissions.ts";
import { userRoutes } from "./routes/users.ts";
import { vhostRoutes } from "./routes/vhosts.ts";
import { whoamiRoutes } from "./routes/whoami.ts";
import { Slices } from "./slices.ts";
import { serveInterface } from "./static-files.ts";

/** Longest part of a path: a name of 255 bytes with every one of them encoded, twice in a binding's properties key. */
const parameterSizeMax = 4096;

/** What answers requests. `httpConnections` counts those who may make some. */
export async function newApp(host: ManagementHost, httpConnections: () => Promise<number>): Promise<RequestListener> {
  const app = fastify({
    logger: false,
    bodyLimit: host.config.http.bodyMax,
    routerOptions: { maxParamLength: parameterSizeMax, ignoreTrailingSlash: true },
    // A path whose escapes are none fits no route, so it gets neither to the hooks nor to the error handler.
    frameworkErrors: (error, request, reply) => {
      reply.headers(guardHeaders(host.config.http, browserRequest(request)));
      return refuse(reply, refusalOf(error) ?? ownFault(host, error));
    },
  });
  guardBrowsers(app, host);
  takeAnyBody(app);
  app.setErrorHandler<FastifyError>((error, _request, reply) =>
    refuse(reply, refusalOf(error) ?? ownFault(host, error)),
  );
  app.setNotFoundHandler((_request, reply) => refuse(reply, notFound()));
  await nextTurn();
  await routes(app, host, httpConnections);
  serveInterface(app);
  await app.ready();
  return below(host.config.http.pathPrefix, app.routing);
}

/** Takes a prefix off the paths of requests; without it a request is answered as one for what is not there. */
function below(prefix: string, handle: RequestListener): RequestListener {
  if (prefix === "") return handle;
  return (request, response) => {
    const url = request.url ?? "";
    if (url === prefix) {
      response.writeHead(301, { location: `${prefix}/` }).end();
      return;
    }
    request.url = url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : "/no/such/path";
    handle(request, response);
  };
}

/** In slices: together they take long enough for messages to notice. */
async function routes(
  app: FastifyInstance,
  host: ManagementHost,
  httpConnections: () => Promise<number>,
): Promise<void> {
  const guard = new Guard(host);
  const api = new Api(app, guard, host.store);
  const levels = new NodeLevels(host, httpConnections);
  const parts = [
    () => overviewRoutes(api, host, guard),
    () => nodeRoutes(api, host, levels),
    () => nodeStateRoutes(api, host),
    () => whoamiRoutes(api, guard),
    () => vhostRoutes(api, host, guard),
    () => userRoutes(api, host),
    () => permissionRoutes(api, host),
    () => topicPermissionRoutes(api, host),
    () => exchangeRoutes(api, host, guard),
    () => oneNodeRoutes(api, host, levels),
    () => quorumQueueRoutes(api, host),
    () => queueRoutes(api, host, guard),
    () => messageRoutes(api, host, guard),
    () => bindingRoutes(api, host, guard),
    () => connectionRoutes(api, host),
    () => policyRoutes(api, host, guard),
    () => limitRoutes(api, host, guard),
    () => parameterRoutes(api, host, guard),
    () => definitionRoutes(api, host),
    () => backupRoutes(api, host),
    () => healthRoutes(api, host),
    () => streamRoutes(api, host, guard),
  ];
  const slices = new Slices();
  for (const add of parts) {
    add();
    if (slices.isOver) await slices.next();
  }
  api.get("/openapi.json", "public", () => answer(openApi(api.routes, version)));
  await api.close(slices);
}

/** Ahead of everything else: what another site makes a browser send is not even looked at. */
function guardBrowsers(app: FastifyInstance, host: ManagementHost): void {
  app.addHook("onRequest", async (request, reply) => {
    const { http } = host.config;
    const asked = browserRequest(request);
    reply.headers(guardHeaders(http, asked));
    if (isForged(http, asked)) throw new Refusal(403, "forbidden", "cross-site request");
  });
}

function browserRequest({ raw, method, headers }: FastifyRequest): BrowserRequest {
  return { method, headers, isSecure: "encrypted" in raw.socket };
}

/** Content-Type is not asked for and not believed: every body is JSON. */
function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, next) => next(null, body));
}

function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal instanceof LoginRefusal) reply.header("www-authenticate", challenge);
  reply.code(refusal.status);
  if (refusal.error === "") return reply.send();
  return reply.send({ error: refusal.error, reason: refusal.message });
}

function ownFault(host: ManagementHost, error: Error): Refusal {
  host.logs.management.error({ err: error }, "internal error in management");
  return new Refusal(500, "internal_server_error", "Internal Server Error", { cause: error });
}
