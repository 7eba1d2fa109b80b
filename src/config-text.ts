import type { Config } from "./config.ts";
import { options } from "./config-options.ts";
import type { Option } from "./option-types.ts";

/** The settings in the format of the configuration file, but for those of TLS and browsers; no secrets. */
export function configText(config: Config): string {
  const { host, port, loopbackUsers, serverProperties, ...others } = config;
  const { product: productName, version: productVersion, cluster_name: clusterName } = serverProperties;
  const values = new Map<string, unknown>(Object.entries({ ...others, productName, productVersion, clusterName }));
  const address = host === undefined ? port : `${host}:${port}`;
  const lines = [port === undefined ? "listeners.tcp = none" : `listeners.tcp.default = ${address}`];
  for (const [name, option] of Object.entries<Option<unknown>>(options)) {
    const [key] = option.keys;
    const value = values.get(name);
    if (value !== undefined && key !== undefined && option.isSecret !== true) lines.push(`${key} = ${value}`);
  }
  lines.push("loopback_users = none", ...loopbackUsers.map((user) => `loopback_users.${user} = true`));
  return `${lines.join("\n")}\n`;
}
