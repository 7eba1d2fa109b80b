import { nodeName } from "../../node-name.ts";
import type { Api } from "../api.ts";
import { answer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { nodeView } from "../node-views.ts";
import { notFound } from "../refusal.ts";

/** `/api/nodes`: there is one. */
export function nodeRoutes(api: Api, host: ManagementHost): void {
  api.get("/nodes", "monitoring", async (call) => call.list([await nodeView(host)], "name"));
  api.get("/nodes/:node", "monitoring", async (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    return call.item(await nodeView(host));
  });
  api.get("/nodes/:node/memory", "monitoring", (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    return answer({ memory: memoryRow() });
  });
}

/** Bytes by what V8 and the system use them for. */
function memoryRow(): object {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    total: { rss },
    heap_used: heapUsed,
    heap_unused: heapTotal - heapUsed,
    array_buffers: arrayBuffers,
    other_external: external - arrayBuffers,
    other: Math.max(0, rss - heapTotal - external),
    strategy: "rss",
  };
}
