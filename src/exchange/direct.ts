import type { Binding, Destination } from "./binding.ts";
import { Exchange } from "./exchange.ts";
import type { RoutedContent } from "./routed-content.ts";

/** Routes to the destinations bound with exactly the message's routing key. */
export class DirectExchange<D extends Destination> extends Exchange<D> {
  readonly varies = false;
  readonly #byKey = new Map<string, Set<D>>();

  /** Reads with get(): a publish to an unbound key must not create a bucket. */
  route(routingKey: string, _content: RoutedContent, found: Set<D>): void {
    const destinations = this.#byKey.get(routingKey);
    if (destinations === undefined) return;
    for (const destination of destinations) found.add(destination);
  }

  protected added({ destination, routingKey }: Binding<D>): void {
    const destinations = this.#byKey.get(routingKey);
    if (destinations === undefined) this.#byKey.set(routingKey, new Set([destination]));
    else destinations.add(destination);
  }

  protected removed({ destination, routingKey }: Binding<D>): void {
    if (this.isBound(destination, routingKey)) return;
    const destinations = this.#byKey.get(routingKey);
    destinations?.delete(destination);
    if (destinations?.size === 0) this.#byKey.delete(routingKey);
  }
}
