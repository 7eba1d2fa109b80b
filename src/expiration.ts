import { BrokerError } from "./errors.ts";
import { expiryMsMax } from "./queue/arguments.ts";

/** Reads an expiration property: decimal milliseconds. Throws PRECONDITION_FAILED with RabbitMQ's reasons. */
export function parseExpiration(text: string): number {
  const match = /^[+-]?\d+/.exec(text);
  if (match === null) throw invalid(text, "no_integer");
  const rest = text.slice(match[0].length);
  if (rest !== "") throw invalid(text, `{leftover_string,"${rest}"}`);
  const ms = Number(match[0]);
  if (ms < 0) throw invalid(text, `{value_negative,${match[0]}}`);
  if (ms > expiryMsMax) throw invalid(text, `{value_too_large,${match[0]}}`);
  return ms;
}

function invalid(text: string, reason: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", `invalid expiration '${text}': ${reason}`);
}
