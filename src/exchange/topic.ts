import type { Binding, Destination } from "./binding.ts";
import { Exchange } from "./exchange.ts";
import { RouteCache } from "./route-cache.ts";
import type { RoutedContent } from "./routed-content.ts";
import { TopicTrie } from "./topic-trie.ts";

/** Routes by patterns over the dot-separated words of the routing key: `*` is one word, `#` any number of words. */
export class TopicExchange<D extends Destination> extends Exchange<D> {
  readonly varies = false;
  readonly #trie = new TopicTrie<D>();
  readonly #cache = new RouteCache<D>();

  route(routingKey: string, _content: RoutedContent, found: Set<D>): void {
    if (this.#cache.isResting()) return this.#trie.match(routingKey, found);
    for (const destination of this.#destinations(routingKey)) found.add(destination);
  }

  protected added({ destination, routingKey }: Binding<D>): void {
    this.#trie.add(routingKey, destination);
    this.#cache.clear();
  }

  protected removed({ destination, routingKey }: Binding<D>): void {
    if (this.isBound(destination, routingKey)) return;
    this.#trie.remove(routingKey, destination);
    this.#cache.clear();
  }

  #destinations(routingKey: string): readonly D[] {
    const known = this.#cache.get(routingKey);
    if (known !== undefined) return known;
    const matched = new Set<D>();
    this.#trie.match(routingKey, matched);
    const destinations = [...matched];
    this.#cache.set(routingKey, destinations);
    return destinations;
  }
}
