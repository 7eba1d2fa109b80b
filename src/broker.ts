import type { Config } from "./config.ts";
import type { Logger } from "./log.ts";

/** A running broker. */
export interface Broker {
  readonly port: number;
  readonly managementPort: number;
  stop(reason: string): Promise<void>;
}

/** Builds a broker from its settings and starts it. */
export async function startBroker(_config: Config, _log: Logger): Promise<Broker> {
  throw new Error("not composed yet");
}
