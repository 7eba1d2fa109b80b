import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";

/** Where the build puts the web interface, beside the compiled sources. */
const directory = join(import.meta.dirname, "../../ui");

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing inline and nothing from elsewhere; nobody may frame the page. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Sent with every file. */
const securityHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
} as const;

/**
 * Serves the web interface: the files that the build made, each at its own path, and nothing else of the disk.
 *
 * There is nothing to forge a request with: the API takes no cookies, and browsers send an Authorization header only where
 * the page itself sets it.
 */
export function serveInterface(app: FastifyInstance): void {
  for (const name of builtFiles()) {
    const url = name === "index.html" ? "/" : `/${name}`;
    app.get(url, (request, reply) => sendFile(reply, name, String(request.headers["accept-encoding"] ?? "")));
  }
  // Where RabbitMQ has its pages: links and bookmarks of old lead somewhere.
  app.get("/mgmt", (_request, reply) => reply.redirect("/", 301));
  for (const url of ["/api", "/api/index.html", "/doc/stats.html", "/stats"]) {
    app.get(url, (_request, reply) => reply.redirect("/#/api", 302));
  }
}

/** None when the interface was not built. */
function builtFiles(): string[] {
  try {
    const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
    return names.filter((name) => Object.hasOwn(types, extname(name))).map((name) => name.replaceAll("\\", "/"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

function sendFile(reply: FastifyReply, name: string, acceptEncoding: string): FastifyReply {
  const zipped = /\bgzip\b/.test(acceptEncoding);
  if (zipped) reply.header("content-encoding", "gzip");
  // The names of assets change with what is in them.
  const cached = name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  return reply
    .headers(securityHeaders)
    .header("vary", "accept-encoding")
    .header("cache-control", cached)
    .type(types[extname(name)] ?? "application/octet-stream")
    .send(readFileSync(join(directory, zipped ? `${name}.gz` : name)));
}
