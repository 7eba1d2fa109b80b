import { strict as assert } from "node:assert";
import type { Readable } from "node:stream";
import { JsonObject } from "../json-object.ts";
import type { User } from "../users.ts";
import { itemAnswer, type List, listAnswer, type Query } from "./paging.ts";
import type { Row } from "./rows.ts";

/** What a route answers. Without a body there is none, not even an empty object. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** Instead of a body in JSON: something else, whose headers say what. */
  readonly stream?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Done, and there is nothing more to say. */
export const done: Answer = { status: 204 };

/** What a PUT answers: it made something new, or replaced what was there. */
export function putAnswer(what: "created" | "replaced"): Answer {
  return { status: what === "created" ? 201 : 204 };
}

/** The body as it is. */
export function answer(body: unknown, status = 200): Answer {
  return { status, body };
}

/** One request, by someone who may make it. */
export class Call {
  /** Who asks; on a public route nobody is. */
  readonly user: User;
  /** The address it comes from. */
  readonly address: string;
  /** The body as it came. */
  readonly text: string;
  readonly query: Query;
  #body: JsonObject | undefined;
  readonly #parameters: Readonly<Record<string, string | undefined>>;
  readonly #headers: Readonly<Record<string, string | string[] | undefined>>;

  constructor(parts: {
    readonly user: User;
    readonly address: string;
    readonly text: string;
    readonly query: Query;
    readonly parameters: Readonly<Record<string, string | undefined>>;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  }) {
    this.user = parts.user;
    this.address = parts.address;
    this.text = parts.text;
    this.query = parts.query;
    this.#parameters = parts.parameters;
    this.#headers = parts.headers;
  }

  /** Where it came from, and with which headers. */
  get origin(): {
    readonly address: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  } {
    return { address: this.address, headers: this.#headers };
  }

  /** The JSON of the body. Throws PRECONDITION_FAILED when it is no object. */
  get body(): JsonObject {
    this.#body ??= JsonObject.parse(this.text);
    return this.#body;
  }

  /** A part of the path, decoded. */
  parameter(name: string): string {
    const value = this.findParameter(name);
    assert(value !== undefined, `the path has no :${name}`);
    return value;
  }

  /** The same, on a path that may end before it. */
  findParameter(name: string): string | undefined {
    return this.#parameters[name];
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === "string" ? value : value?.[0];
  }

  /** A list, sorted, paged and narrowed as the query says. */
  list(rows: Iterable<Row>, ...defaultSort: readonly string[]): Promise<Answer> {
    const itself = (row: Row): Row => row;
    return this.listOf({ items: [...rows], keyOf: itself, rowOf: itself, defaultSort });
  }

  /** The same for things that there may be many of: rows are made in slices, and only of what is answered. */
  async listOf<T>(list: List<T>): Promise<Answer> {
    return answer(await listAnswer(list, this.query));
  }

  /** One thing with the columns the query asks for. */
  item(row: Row): Answer {
    return answer(itemAnswer(row, this.query));
  }
}
