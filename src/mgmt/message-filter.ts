import { tableToPlain } from "../plain-table.ts";
import type { Message } from "../record.ts";
import { readBody } from "../record-reader.ts";
import { badRequest } from "./refusal.ts";

/** Longest text that is searched for. */
const wantedSizeMax = 4096;

/** Whether a message is one of those that are wanted. */
export type MessageFilter = (message: Message) => boolean;

/**
 * What `header` (a name, or `name=value`) and `body` (a part of it) ask for; undefined when they ask for nothing.
 */
export function messageFilter(header: string | undefined, body: string | undefined): MessageFilter | undefined {
  const ofHeader = header === undefined || header === "" ? undefined : headerFilter(checked("header", header));
  const ofBody = body === undefined || body === "" ? undefined : bodyFilter(checked("body", body));
  if (ofHeader === undefined || ofBody === undefined) return ofHeader ?? ofBody;
  return (message) => ofHeader(message) && ofBody(message);
}

function checked(name: string, text: string): string {
  if (text.length <= wantedSizeMax) return text;
  throw badRequest(`'${name}' may have ${wantedSizeMax} characters`);
}

function headerFilter(wanted: string): MessageFilter {
  const equals = wanted.indexOf("=");
  const name = equals < 0 ? wanted : wanted.slice(0, equals);
  const value = equals < 0 ? undefined : wanted.slice(equals + 1);
  return (message) => {
    if (message.headersAt === 0) return false;
    const headers = tableToPlain(message.headers());
    return Object.hasOwn(headers, name) && (value === undefined || String(headers[name]) === value);
  };
}

function bodyFilter(wanted: string): MessageFilter {
  const bytes = Buffer.from(wanted, "utf8");
  return (message) => message.bodySize >= bytes.length && readBody(message, message.bodySize).includes(bytes);
}
