import type { Binding, Destination } from "./binding.ts";
import { Exchange } from "./exchange.ts";
import { HeadersIndex } from "./headers-index.ts";
import { type HeadersRule, headersRule, matchesHeaders } from "./headers-match.ts";
import type { RoutedContent } from "./routed-content.ts";

/** A binding with what it asks of a message. */
interface Candidate<D> {
  readonly destination: D;
  readonly rule: HeadersRule;
}

/** Routes by the message's headers; the routing key means nothing. */
export class HeadersExchange<D extends Destination> extends Exchange<D> {
  readonly varies = true;
  readonly #candidates = new Map<Binding<D>, Candidate<D>>();
  readonly #index = new HeadersIndex<Candidate<D>>();

  route(_routingKey: string, content: RoutedContent, found: Set<D>): void {
    if (this.#candidates.size === 0) return;
    const given = content.headers();
    this.#index.candidates(given, ({ destination, rule }) => {
      if (!found.has(destination) && matchesHeaders(rule, given)) found.add(destination);
    });
  }

  protected override validate(binding: Binding<D>): void {
    headersRule(binding.arguments);
  }

  protected added(binding: Binding<D>): void {
    const candidate = { destination: binding.destination, rule: headersRule(binding.arguments) };
    this.#candidates.set(binding, candidate);
    this.#index.add(candidate, candidate.rule);
  }

  protected removed(binding: Binding<D>): void {
    const candidate = this.#candidates.get(binding);
    if (candidate === undefined) return;
    this.#candidates.delete(binding);
    this.#index.remove(candidate);
  }
}
