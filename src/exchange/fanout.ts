import type { Destination } from "./binding.ts";
import { Exchange } from "./exchange.ts";
import type { RoutedContent } from "./routed-content.ts";

/** Routes every message to every bound destination. */
export class FanoutExchange<D extends Destination> extends Exchange<D> {
  readonly varies: boolean = false;

  route(_routingKey: string, _content: RoutedContent, found: Set<D>): void {
    for (const destination of this.boundDestinations()) found.add(destination);
  }

  // The table of bindings is all the index there is.
  protected added(): void {}
  protected removed(): void {}
}
