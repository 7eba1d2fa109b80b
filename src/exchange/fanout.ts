import type { FieldTable } from "../field-table.ts";
import type { Destination } from "./binding.ts";
import { Exchange } from "./exchange.ts";

/** Routes every message to every bound destination. */
export class FanoutExchange<D extends Destination> extends Exchange<D> {
  readonly needsHeaders = false;

  route(_routingKey: string, _headers: () => FieldTable, found: Set<D>): void {
    for (const destination of this.boundDestinations()) found.add(destination);
  }

  // The table of bindings is all the index there is.
  protected added(): void {}
  protected removed(): void {}
}
