import { type Broker, openBroker } from "../../src/broker.ts";
import { loadConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";

/** A broker in this process and in memory, with the lines of a configuration file. */
export interface LimitedBroker {
  readonly host: string;
  readonly port: number;
  readonly managementUrl: string;
  readonly broker: Broker;
}

const onFreePorts = "listeners.tcp.test = 127.0.0.1:0\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = 0\n";

/** Starts one; the caller stops it. */
export async function startLimited(lines: string): Promise<LimitedBroker> {
  const { config } = loadConfig({ flags: { config: "file" }, env: {}, readFile: () => onFreePorts + lines });
  const broker = await openBroker(config, { log: createLog("silent"), inMemory: true });
  const { amqp = 0, http = 0 } = broker.ports;
  return { host: "127.0.0.1", port: amqp, managementUrl: `http://127.0.0.1:${http}`, broker };
}
