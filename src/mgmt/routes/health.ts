import type { Api } from "../api.ts";
import { answer } from "../call.ts";
import type { ManagementHost } from "../host.ts";

/** `/api/health/checks`: 200 while all is well, or 503 with the reason. */
export function healthRoutes(api: Api, { alarms }: ManagementHost): void {
  for (const path of ["/health/checks/alarms", "/health/checks/local-alarms"]) {
    api.get(path, "management", () =>
      alarms.active ? answer({ status: "failed", reason: alarms.reason }, 503) : answer({ status: "ok" }),
    );
  }
}
