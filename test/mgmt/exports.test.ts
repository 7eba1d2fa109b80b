import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { parity, type TestBroker, useBroker } from "../support/broker.ts";
import { as, asGuest } from "../support/management.ts";

interface Row {
  readonly [field: string]: unknown;
}

const fileOf = (name: string) => join(import.meta.dirname, "exports", name);

/** An export, part by part. */
function readExport(name: string): (part: string) => readonly Row[] {
  const document = JSON.parse(readFileSync(fileOf(name), "utf8"));
  return (part) => document[part] ?? [];
}

/** What exists in the broker when all of the file does. */
async function expectAll(broker: TestBroker, written: (part: string) => readonly Row[]): Promise<void> {
  const exported = Object(await asGuest(broker).read("/definitions"));
  for (const part of ["users", "permissions", "topic_permissions", "global_parameters", "policies", "bindings"]) {
    for (const row of written(part)) expect(exported[part]).toContainEqual(row);
  }
  for (const row of written("parameters")) expect(exported.parameters).toContainEqual(withoutPairs(row));
  for (const { limits: _, metadata, ...vhost } of written("vhosts")) {
    const row = { ...vhost, ...(metadata !== undefined && { metadata: expect.objectContaining(Object(metadata)) }) };
    expect(exported.vhosts).toContainEqual(expect.objectContaining(row));
  }
  for (const { type: _, ...queue } of written("queues")) expect(exported.queues).toContainEqual(queue);
  for (const exchange of written("exchanges").filter(({ name }) => name !== "amq.rabbitmq.log")) {
    expect(exported.exchanges).toContainEqual({ ...exchange, internal: false });
  }
  expect(await asGuest(broker).read("/exchanges/%2F/amq.rabbitmq.log?columns=type")).toEqual({ type: "topic" });
}

/** A parameter as the HTTP API has it: rabbitmqctl writes what an operator policy says in pairs. */
function withoutPairs(parameter: Row): Row {
  const { definition, ...value } = Object(parameter["value"]);
  return { ...parameter, value: { ...value, definition: Object.fromEntries(definition) } };
}

/** By the passwords they had: guest's for all of these files. */
async function expectLogins(broker: TestBroker, written: (part: string) => readonly Row[]): Promise<void> {
  for (const { name, tags } of written("users")) {
    const { status } = await as(broker, String(name), "guest").get("/whoami");
    expect([name, status]).toEqual([name, Array.from(Object(tags)).length === 0 ? 401 : 200]);
    const vhost = String(written("permissions").find(({ user }) => user === name)?.["vhost"]);
    const address = `${broker.host}:${broker.port}/${encodeURIComponent(vhost)}`;
    const connection = await connect(`amqp://${name}:guest@${address}`);
    await connection.close();
  }
}

describe.skipIf(parity).each(["rabbitmq-4.3.6.json", "rabbitmqctl-4.0.5.json", "rabbitmqctl-4.0.5-policies.json"])(
  "the export %s",
  (name) => {
    const written = readExport(name);

    describe("in an import", () => {
      const broker = useBroker();

      it("is there in full, and its users log in by their passwords", async () => {
        await asGuest(broker).must("POST", "/definitions", JSON.parse(readFileSync(fileOf(name), "utf8")));
        await expectAll(broker, written);
        await expectLogins(broker, written);
      });
    });

    describe("at a first start", () => {
      const broker = useBroker({ args: ["--definitions", fileOf(name)] });

      it("is there in full, and its users log in by their passwords", async () => {
        await expectAll(broker, written);
        await expectLogins(broker, written);
      });
    });
  },
);
