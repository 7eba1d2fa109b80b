import { BrokerError } from "../errors.ts";
import type { Binding, Destination } from "./binding.ts";
import { Exchange } from "./exchange.ts";
import type { RoutedContent } from "./routed-content.ts";

/** Routes each message to one bound destination, any of them; keys mean nothing. */
export class RandomExchange<D extends Destination> extends Exchange<D> {
  readonly varies = true;
  #bound: readonly D[] = [];

  route(_routingKey: string, _content: RoutedContent, found: Set<D>): void {
    const destination = this.#bound[Math.floor(Math.random() * this.#bound.length)];
    if (destination !== undefined) found.add(destination);
  }

  /** One message goes one way, however many keys its sender selected. */
  override routeAll(routingKeys: readonly string[], content: RoutedContent, found: Set<D>): void {
    this.route(routingKeys[0] ?? "", content, found);
  }

  protected added(): void {
    this.#bound = [...this.boundDestinations()];
  }

  protected removed(): void {
    this.added();
  }
}

/** A random exchange for classic queues on the publisher's node, which here is where all of them are. */
export class LocalRandomExchange<D extends Destination> extends RandomExchange<D> {
  protected override validate({ destination, routingKey }: Binding<D>): void {
    if (destination.kind === "queue" && destination.type !== "classic") {
      const text = `Queue type rabbit_${destination.type}_queue not valid for this exchange type`;
      throw new BrokerError("PRECONDITION_FAILED", text);
    }
    if (routingKey !== "") {
      throw new BrokerError("PRECONDITION_FAILED", `Non empty binding '${routingKey}' key not permitted`);
    }
  }
}
