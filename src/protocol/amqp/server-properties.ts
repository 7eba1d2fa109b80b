import type { Config } from "../../config.ts";
import type { FieldTable, FieldValue } from "../../field-table.ts";

/** What clients may rely on, under the names that RabbitMQ gave it. */
const capabilities = [
  "publisher_confirms",
  "exchange_exchange_bindings",
  "basic.nack",
  "consumer_cancel_notify",
  "connection.blocked",
  "consumer_priorities",
  "authentication_failure_close",
  "per_consumer_qos",
  "direct_reply_to",
];

/** The table that connection.start carries, sorted by key as RabbitMQ's is. */
export function serverProperties(config: Config, clusterName: string): FieldTable {
  const offered = capabilities.map((name): [string, FieldValue] => [name, { type: "bool", value: true }]);
  const { product, version } = config.serverProperties;
  return new Map<string, FieldValue>([
    ["capabilities", { type: "table", value: new Map(offered) }],
    ["cluster_name", longstr(clusterName)],
    ["copyright", longstr("Copyright the tsbroker authors")],
    ["information", longstr("Licensed under the MIT License")],
    ["platform", longstr(`Node.js ${process.versions.node}`)],
    ["product", longstr(product)],
    ["version", longstr(version)],
  ]);
}

function longstr(value: string): FieldValue {
  return { type: "longstr", value };
}
