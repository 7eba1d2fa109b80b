import { createHash } from "node:crypto";
import { unescape as formDecode } from "node:querystring";
import { type FieldTable, tableToJson } from "../field-table.ts";

/**
 * The name of a binding among those of one source to one destination, as it stands in paths: the routing key, and a
 * hash of the arguments if there are any. Only `~` stands for an empty routing key.
 */
export function propertiesKey(routingKey: string, args: FieldTable): string {
  if (args.size === 0) return routingKey === "" ? "~" : formEncode(routingKey);
  return `${formEncode(routingKey)}~${createHash("sha256").update(tableToJson(args)).digest("base64url").slice(0, 8)}`;
}

/** A name as {@link propertiesKey} spells it, of one that escapes less or more, as tools make it that go by the routing key. */
export function spelledPropertiesKey(given: string): string {
  const [routingKey = "", ...hash] = given.split("~");
  return [formEncode(formDecode(routingKey.replaceAll("+", " "))), ...hash].join("~");
}

/** As HTML forms encode, with `~` encoded too. */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
