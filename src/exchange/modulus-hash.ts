import type { Destination } from "./binding.ts";
import { Exchange } from "./exchange.ts";
import { hashText } from "./hashing.ts";
import type { RoutedContent } from "./routed-content.ts";

/** Routes each message to one bound destination: the hash of its routing key modulo their number says which. */
export class ModulusHashExchange<D extends Destination> extends Exchange<D> {
  readonly varies = false;
  /** In the order of their names, so that a restart changes nothing. */
  #ordered: readonly D[] = [];

  route(routingKey: string, _content: RoutedContent, found: Set<D>): void {
    const destination = this.#ordered[hashText(routingKey) % this.#ordered.length];
    if (destination !== undefined) found.add(destination);
  }

  /** One message goes one way, however many keys its sender selected. */
  override routeAll(routingKeys: readonly string[], content: RoutedContent, found: Set<D>): void {
    this.route(routingKeys[0] ?? "", content, found);
  }

  protected added(): void {
    this.#ordered = [...this.boundDestinations()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  protected removed(): void {
    this.added();
  }
}
