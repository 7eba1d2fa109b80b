import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { parity, type TestBroker, useBroker } from "../support/broker.ts";
import { as, asGuest } from "../support/management.ts";

const file = join(import.meta.dirname, "exports/rabbitmq-4.3.6.json");
const written: Record<string, { name: string; tags?: string[] }[]> = JSON.parse(readFileSync(file, "utf8"));

/** What exists in the broker when all of the file does. */
async function expectAll(broker: TestBroker): Promise<void> {
  const exported = Object(await asGuest(broker).read("/definitions"));
  for (const part of ["users", "permissions", "topic_permissions", "parameters", "global_parameters", "policies"]) {
    for (const row of written[part] ?? []) expect(exported[part]).toContainEqual(row);
  }
  for (const { limits: _, ...vhost } of written["vhosts"]?.map((row) => ({ limits: {}, ...row })) ?? []) {
    expect(exported.vhosts).toContainEqual(expect.objectContaining(vhost));
  }
  for (const { type: _, ...queue } of written["queues"]?.map((row) => ({ type: "", ...row })) ?? []) {
    expect(exported.queues).toContainEqual(queue);
  }
  for (const exchange of written["exchanges"]?.filter(({ name }) => name !== "amq.rabbitmq.log") ?? []) {
    expect(exported.exchanges).toContainEqual({ ...exchange, internal: false });
  }
  for (const binding of written["bindings"] ?? []) expect(exported.bindings).toContainEqual(binding);
  expect(await asGuest(broker).read("/exchanges/%2F/amq.rabbitmq.log?columns=type")).toEqual({ type: "topic" });
}

/** By the passwords they had: guest's for all of this file. */
async function expectLogins(broker: TestBroker): Promise<void> {
  for (const { name, tags } of written["users"] ?? []) {
    const { status } = await as(broker, name, "guest").get("/whoami");
    expect([name, status]).toEqual([name, tags?.length === 0 ? 401 : 200]);
    const connection = await connect(`amqp://${name}:guest@${broker.host}:${broker.port}/%2Ffoc`);
    await connection.close();
  }
}

describe.skipIf(parity)("an export of RabbitMQ 4.3.6", () => {
  describe("in an import", () => {
    const broker = useBroker();

    it("is there in full, and its users log in by their passwords", async () => {
      await asGuest(broker).must("POST", "/definitions", written);
      await expectAll(broker);
      await expectLogins(broker);
    });
  });

  describe("at a first start", () => {
    const broker = useBroker({ args: ["--definitions", file] });

    it("is there in full, and its users log in by their passwords", async () => {
      await expectAll(broker);
      await expectLogins(broker);
    });
  });
});
