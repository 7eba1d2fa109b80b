import { beforeAll, describe, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { asGuest, ManagementClient } from "../support/management.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);

interface Operation {
  readonly summary?: string;
  readonly responses: Readonly<Record<string, { content?: { "application/json": { schema: Schema } } }>>;
}

interface Schema {
  readonly $ref?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let document: Document;

beforeAll(async () => {
  document = Object(await new ManagementClient(broker, undefined).read("/openapi.json"));
});

/** The schema that answers to a GET have, of one row if they are lists. */
function answerSchema(path: string): Schema {
  const schema = document.paths[path]?.["get"]?.responses["200"]?.content?.["application/json"].schema;
  const name = (schema?.items ?? schema)?.$ref?.replace("#/components/schemas/", "") ?? "";
  return document.components.schemas[name] ?? {};
}

describe("the OpenAPI document", () => {
  it("says of every route what it is for", () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { summary }]) => ({ route: `${method} ${path}`, summary })),
    );
    expect(operations.length).toBeGreaterThan(100);
    expect(operations.filter(({ summary }) => summary === undefined)).toEqual([]);
  });

  it("refers to schemas that there are", () => {
    const names = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
    for (const name of new Set(names)) expect(document.components.schemas).toHaveProperty(name ?? "");
  });

  it.each([
    ["/overview", "/api/overview"],
    ["/nodes", "/api/nodes"],
    ["/vhosts", "/api/vhosts"],
    ["/users", "/api/users"],
    ["/permissions", "/api/permissions"],
    ["/exchanges/%2F/amq.topic", "/api/exchanges/{vhost}/{exchange}"],
    ["/queues/%2F/documented", "/api/queues/{vhost}/{queue}"],
    ["/bindings", "/api/bindings"],
    ["/connections", "/api/connections"],
    ["/channels", "/api/channels"],
    ["/consumers", "/api/consumers"],
    ["/policies", "/api/policies"],
    ["/vhost-limits", "/api/vhost-limits"],
    ["/global-parameters", "/api/global-parameters"],
    ["/definitions", "/api/definitions"],
    ["/whoami", "/api/whoami"],
  ])("knows all fields of %s", async (path, documented) => {
    await admin.must("PUT", "/queues/%2F/documented");
    await admin.must("PUT", "/policies/%2F/documented", { pattern: "^documented", definition: { "max-length": 5 } });
    await admin.must("PUT", "/vhost-limits/%2F/max-queues", { value: 100 });
    const channel = await amqp.channel();
    await channel.consume("documented", () => {});
    const answer = await admin.read(path);
    const row = Array.isArray(answer) ? answer[0] : answer;
    const known = Object.keys(answerSchema(documented).properties ?? {});
    expect(Object.keys(Object(row)).filter((name) => !known.includes(name))).toEqual([]);
    expect(Object.keys(Object(row)).length).toBeGreaterThan(1);
  });
});
