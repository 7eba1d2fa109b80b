import { parseJson, writeJson } from "../../src/exact-json.ts";
import type { TestBroker } from "./broker.ts";

/** An answer of the HTTP API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body; undefined when there is none. */
  readonly body: unknown;
}

/** What a request sends besides its method and path. */
export interface ApiRequest {
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The HTTP API of a broker, as one user. */
export class ManagementClient {
  readonly #broker: Pick<TestBroker, "managementUrl">;
  readonly #authorization: string | undefined;

  constructor(broker: Pick<TestBroker, "managementUrl">, authorization: string | undefined) {
    this.#broker = broker;
    this.#authorization = authorization;
  }

  /** Paths are below `/api`. */
  async request(method: string, path: string, { body, headers }: ApiRequest = {}): Promise<ApiAnswer> {
    const response = await fetch(`${this.#broker.managementUrl}/api${path}`, {
      method,
      headers: { ...(this.#authorization !== undefined && { authorization: this.#authorization }), ...headers },
      body: body === undefined || typeof body === "string" ? (body ?? null) : writeJson(body),
      redirect: "manual",
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : parseJson(text) };
  }

  get(path: string): Promise<ApiAnswer> {
    return this.request("GET", path);
  }

  put(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.request("PUT", path, { body });
  }

  post(path: string, body?: unknown): Promise<ApiAnswer> {
    return this.request("POST", path, { body });
  }

  delete(path: string): Promise<ApiAnswer> {
    return this.request("DELETE", path);
  }

  /** The body of a GET that must succeed. */
  async read(path: string): Promise<unknown> {
    const { status, body } = await this.get(path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** A request that must succeed. */
  async must(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const answer = await this.request(method, path, { body });
    if (answer.status < 300) return answer;
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}

/** The API as guest, who is an administrator. */
export function asGuest(broker: Pick<TestBroker, "managementUrl">): ManagementClient {
  return as(broker, "guest", "guest");
}

/** The API as a user, right or wrong. */
export function as(broker: Pick<TestBroker, "managementUrl">, username: string, password: string): ManagementClient {
  return new ManagementClient(broker, `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
}

/** Adds a user with these tags and, when given, all permissions on a vhost; returns the API as that user. */
export async function addUser(
  broker: TestBroker,
  name: string,
  tags: readonly string[],
  vhost?: string,
): Promise<ManagementClient> {
  const admin = asGuest(broker);
  await admin.must("PUT", `/users/${name}`, { password: `${name}-pw`, tags });
  if (vhost !== undefined) await admin.must("PUT", `/permissions/${encodeURIComponent(vhost)}/${name}`, everything);
  return as(broker, name, `${name}-pw`);
}

/** Permissions on whatever a vhost has. */
export const everything = { configure: ".*", write: ".*", read: ".*" };

/** RabbitMQ's body for something that does not exist. */
export const notFound = { error: "Object Not Found", reason: "Not Found" };

/** RabbitMQ's body where something was to be put into a vhost that does not exist. */
export const vhostNotFound = { error: "not_found", reason: "vhost_not_found" };

/** RabbitMQ's body for something the user may not do. */
export function notAuthorised(reason: string): { error: string; reason: string } {
  return { error: "not_authorised", reason };
}

/** RabbitMQ's body for a request that makes no sense. */
export function badRequest(reason: unknown): { error: string; reason: unknown } {
  return { error: "bad_request", reason };
}
