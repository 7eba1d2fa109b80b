import { BrokerError } from "./errors.ts";
import { parseJson } from "./exact-json.ts";
import type { FieldTable } from "./field-table.ts";
import { tableFromPlain } from "./plain-table.ts";

/**
 * A JSON object that someone sent, read field by field. Each read checks what it finds and throws PRECONDITION_FAILED;
 * a field that is null counts as absent.
 */
export class JsonObject {
  static readonly empty = new JsonObject(new Map());

  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(fields: ReadonlyMap<string, unknown>) {
    this.#fields = fields;
  }

  /** Parses a text. As in RabbitMQ none at all, and the words null and undefined, stand for an empty object. */
  static parse(text: string): JsonObject {
    const trimmed = text.trim();
    if (trimmed === "" || trimmed === "null" || trimmed === "undefined") return JsonObject.empty;
    const value = parse(trimmed);
    if (typeof value === "string") {
      throw invalid("invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?");
    }
    return JsonObject.from(value) ?? fail("not_json");
  }

  /** The value as an object; undefined when it is anything else. */
  static from(value: unknown): JsonObject | undefined {
    if (!isObject(value)) return undefined;
    return new JsonObject(new Map(Object.entries(value)));
  }

  get names(): readonly string[] {
    return [...this.#fields.keys()];
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  /** The field whatever it is; undefined when absent. */
  value(name: string): unknown {
    return this.#fields.get(name) ?? undefined;
  }

  /** Checks that all of these are there. */
  require(...names: readonly string[]): this {
    const missing = names.filter((name) => !this.has(name));
    if (missing.length > 0) throw invalid(`[${missing.map((name) => `{key_missing,${name}}`).join(",")}]`);
    return this;
  }

  findText(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === "string") return value;
    throw invalid(`'${name}' should be a string`);
  }

  text(name: string): string {
    return this.findText(name) ?? fail(`[{key_missing,${name}}]`);
  }

  /** False when absent. The words true and false count as well. */
  flag(name: string): boolean {
    const value = this.value(name);
    if (value === true || value === "true") return true;
    if (value === undefined || value === false || value === "false") return false;
    throw invalid(`'${name}' should be a boolean`);
  }

  /** A whole number, or one written as a string; undefined when absent. */
  findInteger(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number)) return number;
    throw invalid(`'${name}' should be an integer`);
  }

  findObject(name: string): JsonObject | undefined {
    const value = this.value(name);
    // Erlang's empty property list is an empty array in RabbitMQ's JSON.
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
    return JsonObject.from(value) ?? fail(`'${name}' should be an object`);
  }

  /**
   * The same with a field as an object where it is one of Erlang's property lists, of names and values in pairs: that is
   * how rabbitmqctl writes some objects.
   */
  withoutPairs(name: string): JsonObject {
    const list = this.value(name);
    if (!Array.isArray(list) || !list.every(isPair)) return this;
    return new JsonObject(new Map([...this.#fields, [name, Object.fromEntries(list)]]));
  }

  /** A list of objects; empty when absent. */
  objects(name: string): readonly JsonObject[] {
    return this.#list(name).map((item) => JsonObject.from(item) ?? fail(`'${name}' should be a list of objects`));
  }

  /** A list of strings, or one string of them with commas between; undefined when absent. */
  findWords(name: string): readonly string[] | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const words = typeof value === "string" ? value.split(",") : this.#list(name);
    return words
      .map((word) => (typeof word === "string" ? word.trim() : fail(`'${name}' should be a list of strings`)))
      .filter((word) => word !== "");
  }

  #list(name: string): readonly unknown[] {
    const value = this.value(name) ?? [];
    return Array.isArray(value) ? value : fail(`'${name}' should be a list`);
  }

  /** An object as a field table; empty when absent. */
  table(name: string): FieldTable {
    return tableFromPlain(this.findObject(name)?.plain() ?? {});
  }

  /** The object as it was parsed; whole numbers that a number cannot hold are bigints. */
  plain(): Record<string, unknown> {
    return Object.fromEntries(this.#fields);
  }
}

function isPair(item: unknown): item is [string, unknown] {
  return Array.isArray(item) && item.length === 2 && typeof item[0] === "string";
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw invalid("not_json", { cause });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(detail: string, options?: ErrorOptions): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", detail, options);
}

function fail(detail: string): never {
  throw invalid(detail);
}
