import { exportDefinitions, exportVhost } from "../../definition-export.ts";
import { importDefinitions } from "../../definition-import.ts";
import { BrokerError } from "../../errors.ts";
import type { JsonObject } from "../../json-object.ts";
import { rabbitmqVersion } from "../../version.ts";
import type { Api } from "../api.ts";
import { type Answer, type Call, done } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, vhostNotFound } from "../refusal.ts";
import type { Row } from "../rows.ts";

/** `/api/definitions`: all that is defined, out and in. */
export function definitionRoutes(api: Api, host: ManagementHost): void {
  for (const path of ["/definitions", "/all-configuration"]) {
    api.get(path, "administrator", (call) => {
      const head = { rabbitmq_definition_format: "cluster", original_cluster_name: host.globalParameters.clusterName };
      return download(call, { ...origin(host), ...head, ...exportDefinitions(host) });
    });
    api.post(path, "administrator", (call) => take(host, call));
  }
  api.get("/definitions/:vhost", "administrator", (call) => {
    const vhost = host.vhosts.find(call.parameter("vhost"));
    if (vhost === undefined) throw badRequest("vhost_not_found");
    const head = { rabbitmq_definition_format: "single_virtual_host", original_vhost_name: vhost.name };
    return download(call, { ...origin(host), ...head, ...exportVhost(host, vhost) });
  });
  api.post("/definitions/:vhost", "administrator", (call) => {
    const vhost = host.vhosts.find(call.parameter("vhost"));
    if (vhost === undefined) throw vhostNotFound();
    return take(host, call, vhost.name);
  });
}

/** Which broker the definitions come from. */
function origin({ config }: ManagementHost): Row {
  const { product, version } = config.serverProperties;
  return {
    rabbit_version: rabbitmqVersion,
    rabbitmq_version: rabbitmqVersion,
    product_name: product,
    product_version: version,
  };
}

function download(call: Call, definitions: Row): Answer {
  const { download: name } = call.query;
  const item = call.item(definitions);
  if (name === undefined) return item;
  // What a header may carry: the name is only a suggestion to who saves the file.
  const filename = name.replaceAll(/[^\w.@-]/g, "_");
  return { ...item, headers: { "content-disposition": `attachment; filename=${filename}` } };
}

async function take(host: ManagementHost, call: Call, vhost?: string): Promise<Answer> {
  const leftOut = await importDefinitions(host, documentIn(call), { user: call.user.name, vhost });
  for (const { vhost: where, source, destination } of leftOut) {
    host.logs.management.warn(
      { vhost: where, source, destination },
      "a binding was not imported: an end of it does not exist",
    );
  }
  host.logs.management.info({ user: call.user.name, vhost }, "definitions imported");
  return done;
}

/** The document in the body; RabbitMQ has words of its own for one that is none. */
function documentIn(call: Call): JsonObject {
  try {
    return call.body;
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    throw badRequest("failed_to_parse_json", { cause: error });
  }
}
