import { readFileSync } from "node:fs";
import { CommandError, exitCode } from "./command-error.ts";
import type { TlsTrust } from "./tls-trust.ts";

/** Where the broker is, and who asks. */
export interface Login {
  readonly url: string;
  readonly username: string;
  /** The option that names the broker; those of its TLS begin like it. */
  readonly namedBy: "--url" | "--from";
  /** Whom to trust over TLS, and what to show. */
  readonly tls: TlsTrust;
  /** Asks for it when it is not written anywhere. */
  password(): Promise<string>;
}

/** Where the parts of a login may come from. */
export interface LoginSources {
  readonly flags: { readonly url: string | undefined; readonly user: string | undefined };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tls: TlsTrust;
  /** The configuration file; undefined when there is none. */
  readonly file: LoginFile | undefined;
  /** Asks who sits at the terminal; undefined when nobody does. */
  readonly ask: ((prompt: string) => Promise<string>) | undefined;
}

/** A configuration file that was read. */
export interface LoginFile {
  readonly path: string;
  readonly text: string;
  /** Whether others than its owner can read it. */
  readonly isShared: boolean;
}

/**
 * What brokerctl reads from the environment; the last ones are there in the broker's own container. For each there may be a
 * `..._FILE` instead, that names a file with the value.
 */
export const loginEnv = {
  url: ["TSBROKER_URL"],
  user: ["TSBROKER_USER", "TSBROKER_DEFAULT_USER", "RABBITMQ_DEFAULT_USER"],
  password: ["TSBROKER_PASSWORD", "TSBROKER_DEFAULT_PASS", "RABBITMQ_DEFAULT_PASS"],
} as const;

/** Where brokerctl looks unless told otherwise. */
export const defaultUrl = "http://127.0.0.1:15672";

const defaultUser = "guest";

const fileKeys = ["url", "user", "password"] as const;

type FileValues = { readonly [Key in (typeof fileKeys)[number]]?: string };

/** Finds the login: what a flag says counts more than the environment, and that more than the file. */
export function findLogin({ flags, env, tls, file, ask }: LoginSources): Login {
  const values = file === undefined ? {} : readFile(file);
  const inUrl = readUrl(flags.url ?? firstOf(env, loginEnv.url) ?? values.url ?? defaultUrl);
  const username = flags.user ?? inUrl.username ?? firstOf(env, loginEnv.user) ?? values.user ?? defaultUser;
  const known =
    (username === inUrl.username ? inUrl.password : undefined) ??
    firstOf(env, loginEnv.password) ??
    (username === (values.user ?? defaultUser) ? values.password : undefined) ??
    (username === defaultUser ? defaultUser : undefined);
  return { url: inUrl.url, username, namedBy: "--url", tls, password: () => passwordFor(username, known, ask) };
}

async function passwordFor(username: string, known: string | undefined, ask: LoginSources["ask"]): Promise<string> {
  if (known !== undefined) return known;
  if (ask !== undefined) return ask(`Password of ${username}: `);
  const where = `set ${loginEnv.password[0]}, or write it to ~/.config/tsbroker`;
  throw new CommandError(exitCode.dataError, `There is no password for user '${username}': ${where}`);
}

function firstOf(env: LoginSources["env"], names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = env[name];
    if (value) return value;
    const path = env[`${name}_FILE`];
    if (path) return readValue(`${name}_FILE`, path);
  }
  return undefined;
}

function readValue(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw unreadable(variable, error);
  }
}

function unreadable(variable: string, cause: unknown): CommandError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new CommandError(exitCode.configuration, `${variable} cannot be read${why}`, { cause });
}

interface UrlParts {
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

function readUrl(text: string): UrlParts {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new CommandError(exitCode.usage, `'${text}' is no address of the HTTP API; it looks like ${defaultUrl}`);
  }
  const part = (value: string) => (value === "" ? undefined : decodeURIComponent(value));
  const path = url.pathname.replace(/\/(api\/?)?$/, "");
  return { url: `${url.origin}${path}`, username: part(url.username), password: part(url.password) };
}

/** Lines of `key = value`; `#` begins a comment. */
function readFile({ path, text, isShared }: LoginFile): FileValues {
  const values: Record<string, string> = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, key = "", value = ""] = /^\s*([^=\s]*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!fileKeys.some((known) => known === key)) {
      throw broken(`${path} line ${index + 1}: expected ${fileKeys.join(", ")}, as in 'user = admin'`);
    }
    values[key] = value;
  }
  if (values["password"] !== undefined && isShared) {
    throw broken(`${path} has a password in it, and others can read it: chmod 600 ${path}`);
  }
  return values;
}

function broken(message: string): CommandError {
  return new CommandError(exitCode.configuration, message);
}
