import { nodeName } from "../../node-name.ts";
import type { Api } from "../api.ts";
import { answer, type Call } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import type { NodeLevels } from "../node-levels.ts";
import { nodeView } from "../node-views.ts";
import { notFound } from "../refusal.ts";
import type { Row } from "../rows.ts";

/** `/api/nodes`: there is one. */
export function nodeRoutes(api: Api, host: ManagementHost, levels: NodeLevels): void {
  const view = ({ query }: Call): Promise<Row> => nodeView(host, levels, query);
  api.get("/nodes", "monitoring", async (call) => call.list([await view(call)], "name"));
  api.get("/nodes/:node", "monitoring", async (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    const row = await view(call);
    return call.item(call.query["memory"] === "true" ? { ...row, memory: memoryRow() } : row);
  });
  api.get("/nodes/:node/memory/relative", "monitoring", (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    return answer({ memory: relativeMemoryRow() });
  });
  api.get("/nodes/:node/memory", "monitoring", (call) => {
    if (call.parameter("node") !== nodeName) throw notFound();
    return answer({ memory: memoryRow() });
  });
  for (const tables of ["", "/relative", "/:filter", "/:filter/relative"]) {
    api.get(`/nodes/:node/memory/ets${tables}`, "monitoring", (call) => {
      if (call.parameter("node") !== nodeName) throw notFound();
      return answer(noTables);
    });
  }
}

/** What RabbitMQ says where no table has the name that is asked for: tables of Erlang's there are none here. */
const noTables = { ets_tables_memory: "no_tables" };

/** Bytes by what V8 and the system use them for. */
function memoryRow() {
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

/** The same in percent of all. */
function relativeMemoryRow(): Row {
  const { total, strategy: _, ...parts } = memoryRow();
  const percents = Object.entries(parts).map(([name, bytes]) => [name, Math.round((bytes / total.rss) * 100)]);
  return { ...Object.fromEntries(percents), total: 100 };
}
