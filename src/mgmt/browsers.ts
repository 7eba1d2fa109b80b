import type { IncomingHttpHeaders } from "node:http";
import type { HttpConfig } from "../http-options.ts";

/** A request as browsers make it, as far as it matters who made them do that. */
export interface BrowserRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly isSecure: boolean;
}

/** The headers that every answer carries. */
export function guardHeaders(
  config: HttpConfig,
  { method, headers, isSecure }: BrowserRequest,
): Record<string, string> {
  const { hsts } = config;
  return {
    ...present(config.headers),
    ...(isSecure && hsts !== undefined && { "strict-transport-security": hsts }),
    ...corsHeaders(config, method, headers),
  };
}

function present(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : ([[name, value]] as const),
  );
  return Object.fromEntries(entries);
}

/** With any origin allowed, browsers send no credentials of their own, so a page must have been given them. */
function corsHeaders(config: HttpConfig, method: string, headers: IncomingHttpHeaders): Record<string, string> {
  const { origin } = headers;
  if (origin === undefined || !isAllowed(config, origin)) return {};
  const isAnyone = config.corsOrigins.includes("*");
  const asked = headers["access-control-request-headers"];
  return {
    "access-control-allow-origin": isAnyone ? "*" : origin,
    ...(!isAnyone && { "access-control-allow-credentials": "true" }),
    ...(method === "OPTIONS" && {
      "access-control-allow-methods": "HEAD, GET, PUT, POST, DELETE, OPTIONS",
      "access-control-max-age": String(config.corsMaxAge),
      ...(asked !== undefined && { "access-control-allow-headers": asked }),
    }),
  };
}

function isAllowed({ corsOrigins }: HttpConfig, origin: string): boolean {
  return corsOrigins.includes("*") || corsOrigins.includes(origin);
}

/**
 * Whether another site made a browser send this, with the credentials that the browser keeps for us. Such a request has
 * an origin, or tells where it comes from; other programs send neither.
 */
export function isForged(config: HttpConfig, { method, headers }: BrowserRequest): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false;
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  if (origin !== undefined && isAllowed(config, origin)) return false;
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  return origin !== undefined && hostOf(origin) !== headers.host?.toLowerCase();
}

/** The host and port of an origin; of one that is none, such as `null`, nothing that is a host. */
function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : "";
}
