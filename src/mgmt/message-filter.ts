import type { JsonObject } from "../json-object.ts";
import { type PlainTable, tableToPlain } from "../plain-table.ts";
import type { Message } from "../record.ts";
import { readBody, readProperties } from "../record-reader.ts";
import type { Query } from "./paging.ts";
import { badRequest } from "./refusal.ts";

/** Longest text that is searched for. */
const wantedSizeMax = 4096;

/** Whether a message is one of those that are wanted. */
export type MessageFilter = (message: Message) => boolean;

/** What a request says of the messages that it means. */
export interface Wanted {
  /** A name, or `name=value`. */
  readonly header: string | undefined;
  /** The same of a property, or of `routing_key` or `exchange`. */
  readonly property: string | undefined;
  /** A part of the body. */
  readonly body: string | undefined;
}

/** What a query asks for. */
export function wantedIn(query: Query): Wanted {
  return { header: query["header"], property: query["property"], body: query["body"] };
}

/** What a body asks for. */
export function wantedBy(body: JsonObject): Wanted {
  return { header: body.findText("header"), property: body.findText("property"), body: body.findText("body") };
}

/** What is asked for; undefined when that is nothing. */
export function messageFilter(wanted: Wanted): MessageFilter | undefined {
  const filters = [
    filterFor("header", wanted.header, headerFilter),
    filterFor("property", wanted.property, propertyFilter),
    filterFor("body", wanted.body, bodyFilter),
  ].filter((filter) => filter !== undefined);
  return filters.length === 0 ? undefined : (message) => filters.every((filter) => filter(message));
}

function filterFor(
  name: string,
  text: string | undefined,
  make: (wanted: string) => MessageFilter,
): MessageFilter | undefined {
  return text === undefined || text === "" ? undefined : make(checked(name, text));
}

function checked(name: string, text: string): string {
  if (text.length <= wantedSizeMax) return text;
  throw badRequest(`'${name}' may have ${wantedSizeMax} characters`);
}

function headerFilter(wanted: string): MessageFilter {
  const isMatch = fieldMatch(wanted);
  return (message) => message.headersAt !== 0 && isMatch(tableToPlain(message.headers()));
}

function propertyFilter(wanted: string): MessageFilter {
  const isMatch = fieldMatch(wanted);
  return (message) => {
    const { exchange, routingKey } = message;
    return isMatch({ ...readProperties(message), exchange, routing_key: routingKey });
  };
}

/** Whether fields have the one of `name` or `name=value`. */
function fieldMatch(wanted: string): (fields: PlainTable) => boolean {
  const equals = wanted.indexOf("=");
  const name = equals < 0 ? wanted : wanted.slice(0, equals);
  const value = equals < 0 ? undefined : wanted.slice(equals + 1);
  return (fields) => Object.hasOwn(fields, name) && (value === undefined || String(fields[name]) === value);
}

function bodyFilter(wanted: string): MessageFilter {
  const bytes = Buffer.from(wanted, "utf8");
  return (message) => message.bodySize >= bytes.length && readBody(message, message.bodySize).includes(bytes);
}
