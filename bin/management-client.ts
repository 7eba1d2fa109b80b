import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { parseJson, writeJson } from "../src/exact-json.ts";
import { isRecord } from "./cells.ts";
import { CommandError, exitCode } from "./command-error.ts";
import type { Login } from "./login.ts";
import type { TlsTrust } from "./tls-trust.ts";

/** An object as the HTTP API gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** The broker refused: the status and its reason. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

/** What else a request may have. */
export interface RequestOptions {
  /** Sent as JSON; a buffer goes as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Told how many bytes of the body have been sent. */
  readonly onSent?: (bytes: number) => void;
  /** Gets the body of the answer bit by bit, instead of its JSON being returned. */
  readonly sink?: AnswerSink;
  /** For what everybody may ask: no password is looked for. */
  readonly anonymous?: boolean;
}

/** Where an answer goes that is not kept in memory. */
export interface AnswerSink {
  /** The answer begins; `size` is undefined when the broker does not say it. */
  start(size: number | undefined): void;
  write(chunk: Buffer): void;
}

/** No answer is larger, short of a backup, which is not kept in memory. */
const maxAnswerBytes = 512 * 1024 * 1024;
const sendChunkBytes = 64 * 1024;

/** The HTTP API of the broker, as one user. Refusals throw {@link ApiError}, everything else {@link CommandError}. */
export class ManagementClient {
  readonly #login: Login;
  readonly #deadline: AbortSignal;
  #authorization: string | undefined;

  constructor(login: Login, deadline: AbortSignal) {
    this.#login = login;
    this.#deadline = deadline;
  }

  get url(): string {
    return this.#login.url;
  }

  get username(): string {
    return this.#login.username;
  }

  /** Asks for it if need be. */
  password(): Promise<string> {
    return this.#login.password();
  }

  /** Whom to trust over TLS, and what to show. */
  get tls(): TlsTrust {
    return this.#login.tls;
  }

  /** The same API as somebody else. */
  as(username: string, password: string): ManagementClient {
    return new ManagementClient({ ...this.#login, username, password: async () => password }, this.#deadline);
  }

  /** The answer's JSON; undefined when there is none. Paths are below `/api`. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    const authorization = options.anonymous === true ? undefined : await this.#authorize();
    const response = await this.#send(method, path, authorization, options);
    const status = response.statusCode ?? 0;
    if (status < 300 && options.sink !== undefined) {
      await this.#pour(response, options.sink);
      return undefined;
    }
    const text = await this.#read(response);
    if (status >= 400) throw new ApiError(status, reasonIn(text, status));
    if (status >= 300) throw this.#noApi(`it answered ${status} and not as a broker does`);
    return this.#parse(text);
  }

  get(path: string): Promise<unknown> {
    return this.request("GET", path);
  }

  put(path: string, body: unknown): Promise<unknown> {
    return this.request("PUT", path, { body });
  }

  post(path: string, body: unknown): Promise<unknown> {
    return this.request("POST", path, { body });
  }

  delete(path: string, body?: unknown): Promise<unknown> {
    return this.request("DELETE", path, body === undefined ? {} : { body });
  }

  /** One object. */
  async item(path: string): Promise<Row> {
    const answer = await this.get(path);
    if (!isRecord(answer)) throw this.#noApi(`${path} is not what it was expected to be`);
    return answer;
  }

  /** A list of objects. */
  async list(path: string): Promise<readonly Row[]> {
    const answer = await this.get(path);
    if (!Array.isArray(answer)) throw this.#noApi(`${path} is not the list it was expected to be`);
    return answer.filter(isRecord);
  }

  async #authorize(): Promise<string> {
    if (this.#authorization === undefined) {
      const credentials = `${this.#login.username}:${await this.#login.password()}`;
      this.#authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
    }
    return this.#authorization;
  }

  #send(
    method: string,
    path: string,
    authorization: string | undefined,
    { body, onSent, headers: given }: RequestOptions,
  ): Promise<IncomingMessage> {
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(writeJson(body));
    const headers = {
      ...given,
      ...(authorization !== undefined && { authorization }),
      ...(bytes !== undefined && { "content-type": "application/json", "content-length": bytes.length }),
    };
    const url = `${this.url}/api${path}`;
    const start = url.startsWith("https:") ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = start(url, { ...this.#login.tls, method, headers, signal: this.#deadline }, resolve);
      request.on("error", (error) => reject(this.#deadline.aborted ? error : this.#unreachable(error)));
      sendBody(request, bytes ?? Buffer.alloc(0), onSent);
    });
  }

  async #pour(response: IncomingMessage, sink: AnswerSink): Promise<void> {
    const length = response.headers["content-length"];
    sink.start(length === undefined ? undefined : Number(length));
    try {
      for await (const chunk of response) sink.write(chunk);
    } catch (error) {
      throw this.#deadline.aborted || !isReset(error) ? error : this.#unreachable(error);
    }
  }

  async #read(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response) {
      size += chunk.length;
      if (size > maxAnswerBytes) throw this.#noApi(`its answer is larger than ${maxAnswerBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #parse(text: string): unknown {
    if (text === "") return undefined;
    try {
      return parseJson(text);
    } catch (error) {
      throw this.#noApi("its answer is no JSON", error);
    }
  }

  #noApi(what: string, cause?: unknown): CommandError {
    return new CommandError(exitCode.unavailable, `There is no broker's HTTP API at ${this.url}: ${what}`, { cause });
  }

  #unreachable(cause: Error): CommandError {
    const isSource = this.#login.namedBy === "--from";
    const lines = [
      `Cannot reach the broker at ${this.url}: ${reachText(cause, isSource ? "--from-ssl" : "--ssl")}`,
      "",
      isSource ? " * Is it running?" : " * Is it running? Start it with: tsbroker start",
      ` * Is its management address another? Give it with ${isSource ? "--from" : "--url or TSBROKER_URL"}`,
      ...(isReset(cause) && this.url.startsWith("http:")
        ? [` * Does it speak TLS only? Then give ${isSource ? "" : "--ssl, or "}an address with https:`]
        : []),
    ];
    return new CommandError(exitCode.unavailable, lines.join("\n"), { cause });
  }
}

/** A path with its values encoded. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

/** For catch: throws what is made for a refusal of this status, and everything else as it is. */
export function on(status: number, make: (error: ApiError) => Error): (error: unknown) => never {
  return (error) => {
    throw error instanceof ApiError && error.status === status ? make(error) : error;
  };
}

/** Sends a body in pieces, so that progress can be seen and it need not be buffered twice. */
function sendBody(
  request: ReturnType<typeof httpRequest>,
  bytes: Buffer,
  onSent: RequestOptions["onSent"],
  offset = 0,
): void {
  onSent?.(offset);
  if (offset >= bytes.length) {
    request.end();
    return;
  }
  const end = Math.min(bytes.length, offset + sendChunkBytes);
  request.write(bytes.subarray(offset, end), (error) => {
    // An error is emitted by the request as well, and handled there.
    if (!error) sendBody(request, bytes, onSent, end);
  });
}

function reasonIn(text: string, status: number): string {
  try {
    const body = parseJson(text);
    if (isRecord(body) && typeof body["reason"] === "string" && body["reason"] !== "") return body["reason"];
    if (isRecord(body) && typeof body["error"] === "string") return body["error"];
  } catch {
    // Whatever stands between may answer in HTML; then the status has to do.
  }
  return `HTTP status ${status}`;
}

/** Whether the connection ended before the answer did. */
function isReset(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}

/** Why a broker cannot be reached; `flag` is how the options of its TLS begin. */
export function reachText(error: Error, flag: string): string {
  const code = "code" in error ? String(error.code) : "";
  if (code.startsWith("HPE_")) return "what listens there does not speak HTTP; AMQP has another port";
  switch (code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "no such host";
    case "ECONNRESET":
      return "it closed the connection";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return `its certificate is of no authority known here; ${flag}-ca-cert-file can name a file with it`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "its certificate is not of this host; give the address as the certificate has it";
    case "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED":
      return `it asks for a certificate; ${flag}-cert-file and ${flag}-key-file name one`;
    case "EPROTO":
      return "what listens there does not speak TLS; try http:";
    default:
      return error.message || code;
  }
}
