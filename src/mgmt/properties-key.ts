import { createHash } from "node:crypto";
import { type FieldTable, tableToJson } from "../field-table.ts";

/**
 * The name of a binding among those of one source to one destination, as it stands in paths: the routing key, and a
 * hash of the arguments if there are any. Only `~` stands for an empty routing key.
 */
export function propertiesKey(routingKey: string, args: FieldTable): string {
  if (args.size === 0) return routingKey === "" ? "~" : formEncode(routingKey);
  return `${formEncode(routingKey)}~${createHash("sha256").update(tableToJson(args)).digest("base64url").slice(0, 8)}`;
}

/**
 * The name that is meant by what stands in a path: tools such as Ansible's put routing keys there as they are, encoded
 * for the path only, so what decodes to the same routing key means the same.
 */
export function canonicalPropertiesKey(given: string): string {
  if (given === "~") return given;
  const [routingKey = "", ...hash] = given.split("~");
  return [formEncode(formDecode(routingKey)), ...hash].join("~");
}

/** Leaves as it is what nothing was encoded to. */
function formDecode(text: string): string {
  const bytesIn = (run: string) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8");
  return text.replaceAll("+", " ").replaceAll(/(?:%[0-9a-f]{2})+/gi, bytesIn);
}

/** As HTML forms encode, with `~` encoded too. */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
