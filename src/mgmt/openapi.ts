import type { RouteView } from "./api.ts";
import type { Right } from "./auth.ts";
import type { RouteDoc } from "./route-docs.ts";
import type { Row } from "./rows.ts";
import { schemas } from "./schemas.ts";

const rightTexts: Record<Right, string> = {
  public: "Open to anyone.",
  management: "For users with any tag of management.",
  monitoring: "For users with the tag monitoring or administrator.",
  vhost: "For users with permissions on the virtual host, and administrators.",
  policymaker: "For users with the tag policymaker and permissions on the virtual host, and administrators.",
  "global-policymaker": "For users with the tag policymaker or administrator.",
  administrator: "For users with the tag administrator.",
};

const refusal = { description: "Refused", content: { "application/json": { schema: ref("Refusal") } } };

/** The OpenAPI 3.1 document of these routes. */
export function openApi(routes: readonly RouteView[], version: string): Row {
  const paths = new Map<string, Record<string, Row>>();
  for (const route of routes) {
    const path = `/api${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    const operations = paths.get(path) ?? {};
    operations[route.method.toLowerCase()] = operation(route);
    paths.set(path, operations);
  }
  return {
    openapi: "3.1.0",
    info: { title: "tsbroker", description: "RabbitMQ's management HTTP API, as tsbroker has it.", version },
    security: [{ basic: [] }],
    paths: Object.fromEntries(paths),
    components: { securitySchemes: { basic: { type: "http", scheme: "basic" } }, schemas },
  };
}

function operation(route: RouteView): Row {
  const { doc } = route;
  return {
    summary: doc.summary,
    description: rightTexts[route.right],
    tags: [route.path.split("/")[1]],
    ...(route.right === "public" && { security: [] }),
    parameters: [...pathParameters(route.path), ...(doc.list === true ? listParameters : []), ...queryParameters(doc)],
    ...(doc.body !== undefined && {
      requestBody: { content: { "application/json": { schema: ref(doc.body) } } },
    }),
    responses: responses(route),
  };
}

function queryParameters(doc: RouteDoc): Row[] {
  return (doc.query ?? []).map((name) => ({ name, in: "query", schema: { type: "string" } }));
}

function pathParameters(path: string): Row[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

const listParameters: readonly Row[] = [
  { name: "page", in: "query", schema: { type: "integer", minimum: 1 } },
  { name: "page_size", in: "query", schema: { type: "integer", minimum: 1, maximum: 500 } },
  { name: "name", in: "query", description: "Filters by name, with page only", schema: { type: "string" } },
  { name: "use_regex", in: "query", schema: { type: "boolean" } },
  { name: "sort", in: "query", description: "Dotted path of a field", schema: { type: "string" } },
  { name: "sort_reverse", in: "query", schema: { type: "boolean" } },
  { name: "columns", in: "query", description: "Dotted paths with commas between", schema: { type: "string" } },
];

function responses({ method, doc }: RouteView): Row {
  const refusals = { "400": refusal, "401": refusal, "404": refusal };
  if (doc.answer !== undefined) {
    const schema = doc.list === true ? { type: "array", items: ref(doc.answer) } : ref(doc.answer);
    return { "200": { description: "Done", content: { "application/json": { schema } } }, ...refusals };
  }
  const done = { "204": { description: "Done" }, ...refusals };
  return method === "PUT" ? { "201": { description: "Created" }, ...done } : done;
}

function ref(name: string): Row {
  return { $ref: `#/components/schemas/${name}` };
}
