import { BrokerError } from "../errors.ts";
import type { FieldTable } from "../field-table.ts";
import type { Binding, Destination } from "./binding.ts";
import { Exchange, type ExchangeProperties } from "./exchange.ts";
import type { History } from "./history.ts";
import type { RoutedContent } from "./routed-content.ts";

/** The name of the type. */
export const delayedType = "x-delayed-message";

/** A hundred years; longer delays are cut to it. */
const delayMsMax = 100 * 365 * 86_400_000;

/**
 * Routes as the exchange of its x-delayed-type would. That messages wait for as long as their x-delay says before they
 * are routed is the business of who routes.
 */
export class DelayedExchange<D extends Destination> extends Exchange<D> {
  readonly varies = true;
  readonly #inner: Exchange<D>;

  /** `create` makes the exchange that it routes as. Throws PRECONDITION_FAILED when the arguments name none. */
  constructor(properties: ExchangeProperties, create: (properties: ExchangeProperties) => Exchange<D>) {
    super(properties);
    const type = properties.arguments.get("x-delayed-type");
    if (type?.type !== "longstr" || type.value.toString() === delayedType) {
      throw new BrokerError(
        "PRECONDITION_FAILED",
        "Invalid argument, 'x-delayed-type' must be an existing exchange type",
      );
    }
    this.#inner = create({ ...properties, type: type.value.toString() });
  }

  override get history(): History | undefined {
    return this.#inner.history;
  }

  route(routingKey: string, content: RoutedContent, found: Set<D>): void {
    this.#inner.route(routingKey, content, found);
  }

  override routeAll(routingKeys: readonly string[], content: RoutedContent, found: Set<D>): void {
    this.#inner.routeAll(routingKeys, content, found);
  }

  /** The inner exchange says what it refuses when it is bound, and binding it twice is no harm. */
  protected override validate({ destination, routingKey, arguments: args }: Binding<D>): void {
    this.#inner.bind(destination, routingKey, args);
  }

  // The inner exchange has it already.
  protected added(): void {}

  protected removed({ destination, routingKey, arguments: args }: Binding<D>): void {
    this.#inner.unbind(destination, routingKey, args);
  }
}

/** How long a message with these headers is to wait; 0 when it is not to wait at all. */
export function delayMsOf(headers: FieldTable): number {
  const field = headers.get("x-delay");
  switch (field?.type) {
    case "byte":
    case "short":
    case "signedint":
    case "long":
    case "unsignedbyte":
    case "unsignedshort":
    case "unsignedint":
    case "float":
    case "double":
      return bounded(Number(field.value));
    case "longstr":
      return /^[0-9]+$/.test(field.value.toString()) ? bounded(Number(field.value)) : 0;
    default:
      return 0;
  }
}

function bounded(ms: number): number {
  return ms > 0 ? Math.min(Math.floor(ms), delayMsMax) : 0;
}
