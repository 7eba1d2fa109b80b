import { strict as assert } from "node:assert";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { plainAddress } from "../addresses.ts";
import type { Store } from "../store/store.ts";
import type { User } from "../users.ts";
import type { Guard, Method, Right } from "./auth.ts";
import { type Answer, Call } from "./call.ts";
import { boundaryOf, fileIn } from "./form.ts";
import type { Query } from "./paging.ts";
import { found } from "./refusal.ts";
import { type RouteDoc, routeDocs } from "./route-docs.ts";
import { RouteTable } from "./route-table.ts";
import { sendAnswer } from "./send.ts";
import type { Slices } from "./slices.ts";

/** What a route does: nothing in it is HTTP but the answer's status. */
export type Handler = (call: Call) => Answer | Promise<Answer>;

/** A route as its documentation sees it. */
export interface RouteView {
  readonly method: Method;
  /** Below `/api`, with `:name` for what varies. */
  readonly path: string;
  readonly right: Right;
  readonly doc: RouteDoc;
}

const nobody: User = { name: "", passwordHash: "", hashingAlgorithm: "", tags: [] };

/** The routes of the API. Each has its schemas in {@link routeDocs} and says who may use it; whatever it changed is on disk before it is answered. */
export class Api {
  readonly #app: FastifyInstance;
  readonly #guard: Guard;
  readonly #store: Store;
  readonly #methods = new Map<string, Method[]>();
  readonly #routes: RouteView[] = [];
  readonly #looks = new RouteTable<{ readonly right: Right; readonly handler: Handler }>();

  constructor(app: FastifyInstance, guard: Guard, store: Store) {
    this.#app = app;
    this.#guard = guard;
    this.#store = store;
  }

  /** All routes so far. */
  get routes(): readonly RouteView[] {
    return this.#routes;
  }

  get(path: string, right: Right, handler: Handler): void {
    this.#looks.add(path, { right, handler });
    this.#route("GET", path, right, handler);
  }

  /** What a GET of this path, with its query, answers to a user now; `like` is the request it is looked at within. */
  async look(pathAndQuery: string, user: User, like: Call): Promise<Answer> {
    const { pathname, searchParams } = new URL(pathAndQuery, "http://localhost");
    const { value, parameters } = found(this.#looks.find(pathname));
    this.#guard.check(user, value.right, "GET", parameters["vhost"]);
    const query = Object.fromEntries(searchParams);
    return value.handler(new Call({ ...like.origin, user, text: "", query, parameters }));
  }

  put(path: string, right: Right, handler: Handler): void {
    this.#route("PUT", path, right, handler);
  }

  post(path: string, right: Right, handler: Handler): void {
    this.#route("POST", path, right, handler);
  }

  delete(path: string, right: Right, handler: Handler): void {
    this.#route("DELETE", path, right, handler);
  }

  #route(method: Method, path: string, right: Right, handler: Handler): void {
    const url = `/api${path}`;
    const doc = routeDocs[`${method} ${path}`];
    assert(doc !== undefined, `${method} ${path} has no schemas`);
    this.#routes.push({ method, path, right, doc });
    this.#methods.set(url, [...(this.#methods.get(url) ?? []), method]);
    const users = new WeakMap<FastifyRequest, User>();
    this.#app.route({
      method,
      url,
      // Before the body is read: a stranger's body is not worth the memory.
      onRequest: async (request, reply) => {
        if (right !== "public") users.set(request, await this.#admit(request, method, right));
        if (method === "GET" && !acceptsJson(request.headers.accept)) await reply.code(406).send();
      },
      handler: async (request, reply) => {
        const answer = await handler(callOf(request, users.get(request) ?? nobody));
        if (method !== "GET") await this.#committed();
        return await sendAnswer(request, reply, answer);
      },
    });
  }

  async #admit(request: FastifyRequest, method: Method, right: Right): Promise<User> {
    const user = await this.#guard.logIn(request.headers.authorization, addressOf(request));
    this.#guard.check(user, right, method, parametersOf(request)["vhost"]);
    return user;
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => this.#store.whenCommitted(this.#store.gathering, resolve));
  }

  /** Says of every path which methods it has, to OPTIONS and to those who use another one. Call it last. */
  async close(slices: Slices): Promise<void> {
    for (const [url, methods] of this.#methods) {
      const allowed = [...(methods.includes("GET") ? ["HEAD"] : []), ...methods, "OPTIONS"];
      const allow = allowed.join(", ");
      this.#app.route({ method: "OPTIONS", url, handler: (_request, reply) => reply.header("allow", allow).send() });
      const others = (["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"] as const).filter((m) => !allowed.includes(m));
      this.#app.route({
        method: others,
        url,
        handler: (_request, reply) => reply.code(405).header("allow", allow).send(),
      });
      if (slices.isOver) await slices.next();
    }
  }
}

/** Where a request comes from; empty when who sent it has gone. */
function addressOf({ socket }: FastifyRequest): string {
  return plainAddress(socket.remoteAddress);
}

function callOf(request: FastifyRequest, user: User): Call {
  return new Call({
    user,
    address: addressOf(request),
    text: bodyText(request),
    query: textsOf(request.query),
    parameters: parametersOf(request),
    headers: request.headers,
  });
}

/** The text of the body: as it came, or of the file in a form. */
function bodyText({ body, headers }: FastifyRequest): string {
  if (typeof body !== "string") return "";
  const boundary = boundaryOf(headers["content-type"]);
  return boundary === undefined ? body : fileIn(body, boundary);
}

function parametersOf(request: FastifyRequest): Query {
  return textsOf(request.params);
}

/** The entries that are texts; of a parameter given twice, the first. */
function textsOf(value: unknown): Query {
  if (typeof value !== "object" || value === null) return {};
  const texts = Object.entries(value).flatMap(([name, item]: [string, unknown]) => {
    const text: unknown = Array.isArray(item) ? item[0] : item;
    return typeof text === "string" ? [[name, text] as const] : [];
  });
  return Object.fromEntries(texts);
}

/** Whether an Accept header lets in what nearly all answers are. */
function acceptsJson(header: string | undefined): boolean {
  if (header === undefined || header.trim() === "") return true;
  return header.split(",").some((range) => /^\s*(\*\/\*|application\/(\*|json))\s*(;|$)/i.test(range));
}
