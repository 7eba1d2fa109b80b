import { bytes, integer, joined, mebibyte, type Option, text } from "./option-types.ts";

/** How the HTTP API guards itself, and the browsers of those who use it. */
export interface HttpConfig {
  /** Origins whose pages may use the API; `*` for all of them. */
  readonly corsOrigins: readonly string[];
  /** Seconds that a browser may remember the answer to that. */
  readonly corsMaxAge: number;
  /** Values of headers by their names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Sent over TLS. */
  readonly hsts: string | undefined;
  /** Bytes. */
  readonly bodyMax: number;
  /** What paths begin with; empty for nothing. */
  readonly pathPrefix: string;
}

/** What a page of ours may load and do: nothing from elsewhere, and no script that is not in a file. */
const contentPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'";

function header(name: string, key: string, value: string | undefined) {
  return {
    takes: "<text>",
    help: `header ${name} of the HTTP API`,
    ...text("the value of a header"),
    fallback: (): string | undefined => value,
    fallbackText: value ?? "none",
    keys: [`management.${key}`],
  } satisfies Option<string | undefined>;
}

/** The settings of the HTTP API besides where it listens. */
export const httpOptions = {
  managementCorsOrigins: {
    takes: "<origins>",
    help: "origins whose pages may use the HTTP API, '*' for all; separated by commas, 'none' for no others",
    allowed: "origins such as https://example.org separated by commas, '*' or 'none'",
    parse: origins,
    fallback: (): readonly string[] => [],
    fallbackText: "none",
    keys: ["management.cors.allow_origins.$number", "management.cors.allow_origins"],
    read: joined(","),
  } satisfies Option<readonly string[]>,
  managementCorsMaxAge: {
    takes: "<seconds>",
    help: "how long browsers may remember that",
    ...integer(0, 2 ** 31 - 1),
    fallback: () => 1800,
    keys: ["management.cors.max_age"],
  } satisfies Option<number>,
  managementCspPolicy: header("content-security-policy", "csp.policy", contentPolicy),
  managementContentTypeOptions: header("x-content-type-options", "headers.content_type_options", "nosniff"),
  managementFrameOptions: header("x-frame-options", "headers.frame_options", "DENY"),
  managementReferrerPolicy: header("referrer-policy", "headers.referrer_policy", "no-referrer"),
  managementXssProtection: header("x-xss-protection", "headers.xss_protection", undefined),
  managementHstsPolicy: header("strict-transport-security over TLS", "hsts.policy", undefined),
  managementPathPrefix: {
    takes: "<path>",
    help: "what the paths of the HTTP API and of the page begin with, for a proxy that passes them on so; 'none' for nothing",
    allowed: "a path such as /rabbit, or 'none'",
    parse: pathPrefix,
    fallback: () => "",
    fallbackText: "none",
    write: (prefix) => prefix || "none",
    keys: ["management.path_prefix"],
  } satisfies Option<string>,
  managementMaxBodySize: {
    takes: "<bytes>",
    help: "largest body of a request to the HTTP API",
    ...bytes(1024, 512 * mebibyte),
    fallback: () => 10_000_000,
    keys: ["management.http.max_body_size"],
  } satisfies Option<number>,
} as const;

function origins(given: string): readonly string[] | undefined {
  if (given === "none") return [];
  const found = given.split(",").map((origin) => origin.trim());
  return found.every((origin) => origin === "*" || isOrigin(origin)) ? found : undefined;
}

/** With or without slashes around it, as in RabbitMQ. */
function pathPrefix(given: string): string | undefined {
  if (given === "none" || given === "/") return "";
  const path = `/${given.replace(/^\/+|\/+$/g, "")}`;
  return /^(\/[\w.~-]+)+$/.test(path) ? path : undefined;
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
