import { BrokerError } from "../errors.ts";
import type { FieldTable } from "../field-table.ts";
import type { Destination } from "./binding.ts";
import { erlangTerm } from "./erlang-term.ts";
import type { ExchangeProperties } from "./exchange.ts";
import { FanoutExchange } from "./fanout.ts";
import { History } from "./history.ts";
import type { RoutedContent } from "./routed-content.ts";

/** Messages that are kept unless x-recent-history-length says otherwise. */
const lengthDefault = 20;
const lengthTypes: readonly string[] = ["byte", "short", "signedint", "long"];

/** A fanout that keeps the last messages, and gives them to each queue or exchange that is bound to it. */
export class RecentHistoryExchange<D extends Destination> extends FanoutExchange<D> {
  override readonly varies = true;
  readonly #history: History;

  /** Throws PRECONDITION_FAILED when the length is no positive integer. */
  constructor(properties: ExchangeProperties) {
    super(properties);
    this.#history = new History(lengthOf(properties.arguments));
  }

  override get history(): History {
    return this.#history;
  }

  override routeAll(routingKeys: readonly string[], content: RoutedContent, found: Set<D>): void {
    const noStore = content.headers().get("x-recent-history-no-store");
    if (noStore?.type !== "bool" || !noStore.value) this.#history.add(content.record());
    super.routeAll(routingKeys, content, found);
  }
}

function lengthOf(args: FieldTable): number {
  const field = args.get("x-recent-history-length");
  if (field === undefined) return lengthDefault;
  if (lengthTypes.includes(field.type) && "value" in field && Number(field.value) > 0) return Number(field.value);
  const text = `Invalid argument ${erlangTerm(field)}, 'x-recent-history-length' must be a positive integer`;
  throw new BrokerError("PRECONDITION_FAILED", text);
}
