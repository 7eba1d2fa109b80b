import { isRow, text } from "./row.ts";
import { credentials, logOut } from "./session.ts";

/** What the broker refused, in its own words. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  /** Status 0 is for a broker that did not answer at all. */
  constructor(reason: string, { status, ...options }: ErrorOptions & { readonly status: number }) {
    super(reason, options);
    this.status = status;
  }
}

/** A path of the API with its parts encoded. */
export function path(parts: TemplateStringsArray, ...names: readonly string[]): string {
  return parts.reduce((built, part, index) => built + encodeURIComponent(names[index - 1] ?? "") + part);
}

type Method = "GET" | "PUT" | "POST" | "DELETE";

/** Sends a request as who is logged in. Paths are below `/api`. Throws {@link ApiError}. */
export async function request(
  method: Method,
  at: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await reached(
    fetch(`api${at}`, {
      method,
      credentials: "omit",
      headers: { ...authorization(), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  const answer = await bodyOf(response);
  if (response.ok) return answer;
  if (response.status === 401 && isLoggedOut(answer)) logOut("Your login is no longer valid.");
  throw new ApiError(reasonOf(response.status, answer), { status: response.status });
}

/** The header that says who asks. */
export function authorization(): Readonly<Record<string, string>> {
  const value = credentials();
  return value === undefined ? {} : { authorization: `Basic ${value}` };
}

async function reached(response: Promise<Response>): Promise<Response> {
  try {
    return await response;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError(`The broker cannot be reached: ${reason}`, { status: 0, cause: error });
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const content = await response.text();
  if (content === "") return undefined;
  try {
    return JSON.parse(content);
  } catch {
    // A proxy in between answers with a page of its own.
    return content;
  }
}

/** Whether an answer with 401 says that the login is no good; RabbitMQ's API says "you may not" by 401 too. */
export function isLoggedOut(answer: unknown): boolean {
  return !isRow(answer) || text(answer, "error") === "not_authorized";
}

/** A sentence from what an answer says. */
export function reasonOf(status: number, answer: unknown): string {
  const reason = text(answer, "reason") || text(answer, "error");
  if (status === 404 && reason === "Not Found") return "It does not exist, or no longer.";
  return reason || `The broker answered ${status}.`;
}
