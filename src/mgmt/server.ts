import type { AddressInfo } from "node:net";
import { type FastifyInstance, fastify } from "fastify";
import type { Alarms } from "../alarms.ts";
import type { Config } from "../config.ts";

/** What management needs of the broker. */
export interface ManagementHost {
  readonly config: Config;
  readonly alarms: Alarms;
}

/** The management listener. */
export interface Management {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts the HTTP API. Rejects with the error of a port that is not free. */
export async function startManagement(host: ManagementHost): Promise<Management> {
  const app = fastify({ logger: false });
  healthRoutes(app, host.alarms);
  const { managementHost, managementPort: port } = host.config;
  await app.listen({ port, host: managementHost ?? "::" });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}

const okSchema = { type: "object", properties: { status: { type: "string" } } } as const;
const failedSchema = {
  type: "object",
  properties: { status: { type: "string" }, reason: { type: "string" } },
} as const;

/** Whether the broker takes messages, for orchestrators: 200, or 503 with the reason. */
function healthRoutes(app: FastifyInstance, alarms: Alarms): void {
  app.get(
    "/api/health/checks/alarms",
    { schema: { response: { 200: okSchema, 503: failedSchema } } },
    (_request, reply) => {
      if (!alarms.active) return reply.send({ status: "ok" });
      return reply.code(503).send({ status: "failed", reason: alarms.reason });
    },
  );
}
