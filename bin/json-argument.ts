import { parseJson } from "../src/exact-json.ts";
import { isRecord } from "./cells.ts";
import { CommandError, exitCode } from "./command-error.ts";

/** The value of an argument that is JSON. */
export function jsonArgument(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw undecodable(error instanceof Error ? error.message : String(error), error);
  }
}

/** The object of an argument that is a JSON object. */
export function jsonObjectArgument(text: string): Readonly<Record<string, unknown>> {
  const value = jsonArgument(text);
  if (isRecord(value)) return value;
  throw undecodable("it is no object", undefined);
}

function undecodable(reason: string, cause: unknown): CommandError {
  return new CommandError(exitCode.unavailable, `JSON decoding error. Reason: ${reason}`, { cause });
}
