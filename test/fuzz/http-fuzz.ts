import { Agent, request } from "node:http";
import fc from "fast-check";
import { fuzzer } from "./corpus.ts";

/** One operation of the API's own document. */
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly schema: unknown;
}

/** An operation with all that varies decided. */
interface Input {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

const answerMsMax = 20_000;

/** What would take the broker from under the fuzzer, never ends, or copies all of the data. */
const left = [/\/drain$/, /watermark/, /disk_free_limit/, /\/stream$/, /\/backup$/, /\/connections\/\{name\}$/];

const word = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("elsewhere", "q", "x", "h", "app", "amq.topic", "rabbit@localhost", "1", "0", "-1"),
  },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", ".", "..", "%", "\u0000", "a".repeat(300), "__proto__", "[", "(a+)+$", "true"),
  },
);

/** A value of whatever kind. */
const anything = fc.oneof(
  word,
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(2 ** 53, -1, 1e308, 2 ** 31, 0),
  fc.jsonValue({ maxDepth: 3 }),
);

/** The API of a broker, as an administrator. */
export class HttpFuzz {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #authorization: string;
  readonly #operations: readonly Operation[];
  readonly #inputs: fc.Arbitrary<Input>;

  private constructor(url: URL, authorization: string, operations: readonly Operation[], schemas: Schemas) {
    this.#url = url;
    this.#authorization = authorization;
    this.#operations = operations;
    this.#inputs = fc
      .nat(operations.length - 1)
      .chain((index) => inputFor(operations[index] ?? operations[0], schemas))
      .filter(({ path, method }) => isHarmless(method, path));
  }

  /** Reads the document that the broker has of its API. */
  static async of(managementUrl: string, user: string, password: string): Promise<HttpFuzz> {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const response = await fetch(`${managementUrl}/api/openapi.json`, { headers: { authorization } });
    const document = Object(await response.json());
    return new HttpFuzz(
      new URL(managementUrl),
      authorization,
      operationsOf(document.paths),
      document.components.schemas,
    );
  }

  get operations(): number {
    return this.#operations.length;
  }

  /** Sends so many requests. Rejects for an answer that is none of the API's. Returns how many were answered. */
  async fuzz(seed: number, count: number): Promise<number> {
    await Promise.all(fc.sample(this.#inputs, { seed, numRuns: count }).map((input) => this.#send(input)));
    return count;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send({ method, path, body }: Input): Promise<void> {
    const told = `${method} ${path} ${body ?? ""}`;
    return new Promise((resolve, reject) => {
      const headers = { authorization: this.#authorization, "content-type": "application/json" };
      const { hostname, port } = this.#url;
      const sent = request(
        { agent: this.#agent, hostname, port, method, path, headers, timeout: answerMsMax },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("end", () => {
            const text = Buffer.concat(parts).toString();
            const fault = faultIn(response.statusCode ?? 0, response.headers["content-type"], text);
            if (fault === undefined) resolve();
            else reject(new Error(`${told}\nanswered ${fault}`));
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`no answer in ${answerMsMax} ms`)));
      sent.on("error", (error) => reject(new Error(`${told}\n${error.message}`, { cause: error })));
      sent.end(body);
    });
  }
}

function faultIn(status: number, type: string | undefined, text: string): string | undefined {
  if (status >= 500 && status !== 503) return `${status}: ${text.slice(0, 500)}`;
  if (type?.startsWith("application/json") !== true || text === "") return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return `what is no JSON: ${text.slice(0, 500)}`;
  }
}

type Schemas = Readonly<Record<string, unknown>>;

function operationsOf(paths: unknown): Operation[] {
  return Object.entries(Object(paths)).flatMap(([path, methods]) =>
    Object.entries(Object(methods)).flatMap(([method, operation]) => {
      if (left.some((pattern) => pattern.test(path))) return [];
      const { parameters = [], requestBody } = Object(operation);
      const query = parameters
        .filter((each: { in: string }) => each.in === "query")
        .map((each: { name: string }) => each.name);
      const schema = requestBody?.content?.["application/json"]?.schema;
      return [{ method: method.toUpperCase(), path, query, schema }];
    }),
  );
}

/** Who fuzzes, where, and the first vhost must stay. */
function isHarmless(method: string, path: string): boolean {
  if (method === "GET") return true;
  return !/\/(users|permissions|topic-permissions|user-limits)\/?.*(guest|fuzzer)|\/vhosts\/(%2F|fuzzed)($|\?)|\/(vhost-limits|user-limits)\//i.test(
    path,
  );
}

function inputFor(operation: Operation | undefined, schemas: Schemas): fc.Arbitrary<Input> {
  if (operation === undefined) throw new Error("the document has no operations");
  const { method, path, query, schema } = operation;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  return fc
    .record({
      parameters: fc.tuple(
        ...names.map((name) => (name === "vhost" ? fc.oneof(fc.constant(fuzzer.vhost), word) : word)),
      ),
      query: fc.array(fc.tuple(fc.constantFrom("columns", "sort", "page", ...query), word), { maxLength: 2 }),
      body: schema === undefined ? fc.constant(undefined) : bodyOf(schema, schemas),
    })
    .map(({ parameters, query: given, body }) => {
      let filled = path;
      for (const [i, name] of names.entries()) filled = filled.replace(`{${name}}`, () => encoded(parameters[i] ?? ""));
      const search = given.map(([name, value]) => `${name}=${encoded(value)}`).join("&");
      return { method, path: search === "" ? filled : `${filled}?${search}`, body };
    });
}

/** By way of UTF-8: surrogates that stand alone have no encoding. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** A body as its schema has it, with some of it wrong; or none at all that makes sense. */
function bodyOf(schema: unknown, schemas: Schemas): fc.Arbitrary<string> {
  const valid = valueFor(schema, schemas, 0).map((value) => JSON.stringify(value) ?? "");
  const broken = fc.tuple(valid, fc.nat(200), fc.string({ maxLength: 3 })).map(([text, at, inserted]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + inserted + text.slice(place + 1);
  });
  return fc.oneof({ weight: 6, arbitrary: valid }, { weight: 2, arbitrary: broken }, fc.json(), fc.string());
}

function valueFor(schema: unknown, schemas: Schemas, depth: number): fc.Arbitrary<unknown> {
  const { $ref, type, properties, items, enum: words } = Object(schema);
  if (depth > 4) return anything;
  if (typeof $ref === "string") return valueFor(schemas[$ref.split("/").at(-1) ?? ""], schemas, depth + 1);
  const own = ownValueFor(type, properties, items, words, schemas, depth);
  return fc.oneof({ weight: 8, arbitrary: own }, { weight: 1, arbitrary: anything });
}

function ownValueFor(
  type: unknown,
  properties: unknown,
  items: unknown,
  words: unknown,
  schemas: Schemas,
  depth: number,
): fc.Arbitrary<unknown> {
  if (Array.isArray(words)) return fc.constantFrom(...words);
  if (type === "object" || properties !== undefined) {
    const fields = Object.entries(Object(properties)).map(
      ([name, each]) => [name, valueFor(each, schemas, depth + 1)] as const,
    );
    return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
  }
  if (type === "array") return fc.array(valueFor(items, schemas, depth + 1), { maxLength: 3 });
  if (type === "integer" || type === "number") return fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 2 ** 53, 1e308));
  if (type === "boolean") return fc.boolean();
  return word;
}
