import { findLogLevel, logAreas, logLevels } from "../../log-levels.ts";
import { nodeName } from "../../node-name.ts";
import { parseLimit, type ResourceLimit } from "../../resource-limits.ts";
import type { Api } from "../api.ts";
import { answer, type Call, done } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, notFound } from "../refusal.ts";

/** Time that clients have for what they hold when a node is drained, unless the request says. */
const drainMs = 30_000;

/** What operators change of a node while it runs, until the next start. */
export function nodeStateRoutes(api: Api, host: ManagementHost): void {
  api.put("/nodes/:node/vm_memory_high_watermark", "administrator", async (call) => {
    checkNode(call);
    host.resources.memoryWatermark = limitOf(call);
    await host.resources.check();
    return done;
  });
  api.put("/nodes/:node/disk_free_limit", "administrator", async (call) => {
    checkNode(call);
    host.resources.diskLimit = limitOf(call);
    await host.resources.check();
    return done;
  });
  api.put("/nodes/:node/drain", "administrator", async (call) => {
    checkNode(call);
    await host.operations.drain(call.body.findInteger("timeout") ?? drainMs);
    return done;
  });
  api.delete("/nodes/:node/drain", "administrator", async (call) => {
    checkNode(call);
    await host.operations.revive();
    return done;
  });
  api.put("/nodes/:node/reload", "administrator", (call) => {
    checkNode(call);
    reload(host);
    return done;
  });
  api.get("/nodes/:node/log-levels", "administrator", (call) => {
    checkNode(call);
    return answer({ level: host.logs.level, ...host.logs.levels() });
  });
  api.put("/nodes/:node/log-levels", "administrator", (call) => {
    checkNode(call);
    setLogLevel(host, call);
    return done;
  });
}

/** What is wrong with the files is for who changed them; secrets are not in it. */
function reload({ operations, logs: { management: log } }: ManagementHost): void {
  try {
    operations.reload();
  } catch (error) {
    log.error({ err: error }, "configuration and certificates stay as they were");
    throw badRequest(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** `{"level": "debug"}` is for everything, `{"level": "debug", "area": "queue"}` for one area. */
function setLogLevel({ logs }: ManagementHost, call: Call): void {
  const name = call.body.require("level").text("level");
  const level = findLogLevel(name);
  if (level === undefined) throw badRequest(`level ${name} is not supported. Try one of ${logLevels.join(", ")}`);
  const areaName = call.body.findText("area");
  const area = logAreas.find((known) => known === areaName);
  if (areaName !== undefined && area === undefined) {
    throw badRequest(`there is no area ${areaName}. Try one of ${logAreas.join(", ")}`);
  }
  logs.setLevel(level, area);
}

function checkNode(call: Call): void {
  if (call.parameter("node") !== nodeName) throw notFound();
}

/** `{"limit": "0.4"}` is a part of the memory, `{"limit": "2GB"}` a size. */
function limitOf(call: Call): ResourceLimit {
  const text = call.body.require("limit").text("limit");
  const limit = parseLimit(text);
  if (limit === undefined) throw badRequest(`'${text}' is not a part of the memory such as 0.4, or a size such as 2GB`);
  return limit;
}
