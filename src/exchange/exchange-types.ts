import { BrokerError } from "../errors.ts";
import type { Destination } from "./binding.ts";
import { DirectExchange } from "./direct.ts";
import type { Exchange, ExchangeProperties } from "./exchange.ts";
import { FanoutExchange } from "./fanout.ts";
import { HeadersExchange } from "./headers.ts";
import { TopicExchange } from "./topic.ts";

type Constructor = <D extends Destination>(properties: ExchangeProperties) => Exchange<D>;

const constructors: ReadonlyMap<string, Constructor> = new Map<string, Constructor>([
  ["direct", (properties) => new DirectExchange(properties)],
  ["fanout", (properties) => new FanoutExchange(properties)],
  ["headers", (properties) => new HeadersExchange(properties)],
  ["topic", (properties) => new TopicExchange(properties)],
]);

/** The types that can be declared. */
export const exchangeTypes: readonly string[] = [...constructors.keys()];

/** Makes an exchange without bindings. Throws PRECONDITION_FAILED when there is no such type. */
export function createExchange<D extends Destination>(properties: ExchangeProperties): Exchange<D> {
  const construct = constructors.get(properties.type);
  if (construct === undefined)
    throw new BrokerError("PRECONDITION_FAILED", `unknown exchange type '${properties.type}'`);
  return construct(properties);
}
