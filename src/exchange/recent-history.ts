import { BrokerError } from "../errors.ts";
import type { FieldTable } from "../field-table.ts";
import type { Destination } from "./binding.ts";
import { erlangTerm } from "./erlang-term.ts";
import type { ExchangeProperties } from "./exchange.ts";
import { FanoutExchange } from "./fanout.ts";
import type { RoutedContent } from "./routed-content.ts";

/** Messages that are kept unless x-recent-history-length says otherwise. */
const lengthDefault = 20;
/** Of larger histories the oldest go, whatever length was asked for. */
const historyBytesMax = 64 * 1024 * 1024;
const lengthTypes: readonly string[] = ["byte", "short", "signedint", "long"];

/** A fanout that keeps the last messages, in memory, and gives them to each queue or exchange that is bound to it. */
export class RecentHistoryExchange<D extends Destination> extends FanoutExchange<D> {
  override readonly varies = true;
  readonly #length: number;
  readonly #records: Buffer[] = [];
  #bytes = 0;

  /** Throws PRECONDITION_FAILED when the length is no positive integer. */
  constructor(properties: ExchangeProperties) {
    super(properties);
    this.#length = lengthOf(properties.arguments);
  }

  override get history(): readonly Buffer[] {
    return this.#records;
  }

  override routeAll(routingKeys: readonly string[], content: RoutedContent, found: Set<D>): void {
    const noStore = content.headers().get("x-recent-history-no-store");
    if (noStore?.type !== "bool" || !noStore.value) this.#keep(content.record());
    super.routeAll(routingKeys, content, found);
  }

  #keep(record: Buffer): void {
    this.#records.push(record);
    this.#bytes += record.length;
    while (this.#records.length > this.#length || this.#bytes > historyBytesMax) {
      this.#bytes -= this.#records.shift()?.length ?? 0;
    }
  }
}

function lengthOf(args: FieldTable): number {
  const field = args.get("x-recent-history-length");
  if (field === undefined) return lengthDefault;
  if (lengthTypes.includes(field.type) && "value" in field && Number(field.value) > 0) return Number(field.value);
  const text = `Invalid argument ${erlangTerm(field)}, 'x-recent-history-length' must be a positive integer`;
  throw new BrokerError("PRECONDITION_FAILED", text);
}
