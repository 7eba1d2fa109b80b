import { BrokerError } from "../errors.ts";
import type { Destination } from "./binding.ts";
import { ConsistentHashExchange } from "./consistent-hash.ts";
import { DelayedExchange, delayedType } from "./delayed.ts";
import { DirectExchange } from "./direct.ts";
import type { Exchange, ExchangeProperties } from "./exchange.ts";
import { FanoutExchange } from "./fanout.ts";
import { HeadersExchange } from "./headers.ts";
import { ModulusHashExchange } from "./modulus-hash.ts";
import { LocalRandomExchange, RandomExchange } from "./random.ts";
import { RecentHistoryExchange } from "./recent-history.ts";
import { TopicExchange } from "./topic.ts";

type Constructor = <D extends Destination>(properties: ExchangeProperties) => Exchange<D>;

const constructors: ReadonlyMap<string, Constructor> = new Map<string, Constructor>([
  ["direct", (properties) => new DirectExchange(properties)],
  ["fanout", (properties) => new FanoutExchange(properties)],
  ["headers", (properties) => new HeadersExchange(properties)],
  ["topic", (properties) => new TopicExchange(properties)],
  ["x-consistent-hash", (properties) => new ConsistentHashExchange(properties)],
  [delayedType, (properties) => new DelayedExchange(properties, (inner) => createExchange(inner))],
  ["x-local-random", (properties) => new LocalRandomExchange(properties)],
  ["x-modulus-hash", (properties) => new ModulusHashExchange(properties)],
  ["x-random", (properties) => new RandomExchange(properties)],
  ["x-recent-history", (properties) => new RecentHistoryExchange(properties)],
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
