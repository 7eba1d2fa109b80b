import { BrokerError } from "../errors.ts";
import { InvalidPatternError } from "../patterns.ts";

/** An answer of the API that is not what was asked for: a status, and RabbitMQ's `{"error", "reason"}`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.status = status;
    this.error = error;
  }
}

/** No such thing. */
export function notFound(): Refusal {
  return new Refusal(404, "Object Not Found", "Not Found");
}

/** No such vhost to put something into. */
export function vhostNotFound(): Refusal {
  return new Refusal(404, "not_found", "vhost_not_found");
}

/** No such thing, and the reason says which. */
export function missing(error: BrokerError): Refusal {
  return new Refusal(404, "not_found", error.detail, { cause: error });
}

/** The thing itself. Throws the refusal for one that there is not. */
export function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw notFound();
  return thing;
}

/** The request makes no sense. */
export function badRequest(reason: string, options?: ErrorOptions): Refusal {
  return new Refusal(400, "bad_request", reason, options);
}

/** Not now. */
export function unavailable(reason: string, options?: ErrorOptions): Refusal {
  return new Refusal(503, "service_unavailable", reason, options);
}

/** The user may not do that; RabbitMQ answers 401 and not 403 to it. */
export function notAuthorised(reason: string): Refusal {
  return new Refusal(401, "not_authorised", reason);
}

/** What the API answers to an error from below; undefined when the fault is ours. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof InvalidPatternError) return badRequest(error.message, { cause: error });
  if (error instanceof BrokerError) return brokerRefusal(error);
  if (isClientError(error)) return badRequest(clientErrorText(error), { cause: error });
  return undefined;
}

function brokerRefusal(error: BrokerError): Refusal | undefined {
  switch (error.replyCode) {
    case "NOT_FOUND":
      return notFound();
    case "ACCESS_REFUSED":
      return notAuthorised("Access refused.");
    case "INTERNAL_ERROR":
      return undefined;
    default:
      return badRequest(error.detail, { cause: error });
  }
}

/** Fastify's own refusals carry a status and a code. */
interface ClientError extends Error {
  readonly statusCode: number;
  readonly code?: string;
}

function isClientError(error: unknown): error is ClientError {
  if (!(error instanceof Error) || !("statusCode" in error)) return false;
  return typeof error.statusCode === "number" && error.statusCode >= 400 && error.statusCode < 500;
}

function clientErrorText(error: ClientError): string {
  return error.code === "FST_ERR_CTP_BODY_TOO_LARGE" ? "Exceeded HTTP request body size limit" : error.message;
}
