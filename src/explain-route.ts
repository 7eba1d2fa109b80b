import type { Binding } from "./exchange/binding.ts";
import { delayMsOf } from "./exchange/delayed.ts";
import { createExchange } from "./exchange/exchange-types.ts";
import type { RoutedContent } from "./exchange/routed-content.ts";
import type { FieldTable } from "./field-table.ts";
import { senderSelected } from "./sender-selected.ts";
import type { Bindable, Vhost, VhostExchange } from "./vhost.ts";

/** Bindings that are looked at for one answer. */
const bindingsMax = 1000;

/** One leg of the way of a message. Without a binding, nothing was bound for it and the alternate exchange takes over. */
export interface RouteStep {
  readonly source: VhostExchange;
  readonly destination: Bindable;
  readonly binding: Pick<Binding<Bindable>, "routingKey" | "arguments"> | undefined;
}

/** Where a message would go. */
export interface ExplainedRoute {
  readonly queues: readonly string[];
  /** Whether it would wait in the exchange first. */
  readonly delayed: boolean;
  readonly steps: readonly RouteStep[];
}

/**
 * Tells where a message with this key and these headers would go, and by which bindings; no message is made, and no exchange
 * remembers one. Of types that choose by chance, it is one of the ways. Throws NOT_FOUND.
 */
export function explainRoute(vhost: Vhost, exchange: string, routingKey: string, headers: FieldTable): ExplainedRoute {
  const { cc, bcc } = senderSelected(headers);
  const keys = [routingKey, ...cc, ...bcc];
  const first = vhost.getExchange(exchange);
  if (exchange === "") return byName(vhost, first, keys);
  const steps = new Explanation(vhost, keys, contentWith(headers)).from(first);
  const queues = steps.flatMap(({ destination }) => (destination.kind === "queue" ? [destination.name] : []));
  const delayed = vhost.delayed.has(exchange) && delayMsOf(headers) > 0;
  return { queues: [...new Set(queues)], delayed, steps };
}

function byName(vhost: Vhost, source: VhostExchange, keys: readonly string[]): ExplainedRoute {
  const queues = [...new Set(keys)].flatMap((key) => vhost.queues.get(key) ?? []);
  const steps = queues.map((destination) => ({
    source,
    destination,
    binding: { routingKey: destination.name, arguments: new Map() },
  }));
  return { queues: queues.map(({ name }) => name), delayed: false, steps };
}

/** What exchanges look at. The header keeps x-recent-history from keeping what was never sent. */
function contentWith(headers: FieldTable): RoutedContent {
  const given = new Map(headers).set("x-recent-history-no-store", { type: "bool", value: true });
  return { headers: () => given, property: () => undefined, record: () => Buffer.alloc(0) };
}

/** Walks as {@link Vhost.route} does, and keeps how it came to each place. */
class Explanation {
  readonly #vhost: Vhost;
  readonly #keys: readonly string[];
  readonly #content: RoutedContent;
  readonly #steps: RouteStep[] = [];
  #bindingsLeft = bindingsMax;

  constructor(vhost: Vhost, keys: readonly string[], content: RoutedContent) {
    this.#vhost = vhost;
    this.#keys = keys;
    this.#content = content;
  }

  from(first: VhostExchange): readonly RouteStep[] {
    const passed = new Set<VhostExchange>([first]);
    // A set grows while it is walked: each exchange found is passed in its turn, once.
    for (const source of passed) {
      const found = new Set<Bindable>();
      source.routeAll(this.#keys, this.#content, found);
      for (const destination of found) {
        this.#noteBindings(source, destination);
        if (destination.kind === "exchange") passed.add(destination);
      }
      const alternate = found.size === 0 ? this.#vhost.alternateOf(source) : undefined;
      if (alternate === undefined) continue;
      this.#steps.push({ source, destination: alternate, binding: undefined });
      passed.add(alternate);
    }
    return this.#steps;
  }

  /** Of the bindings to a destination, those that lead there by themselves. */
  #noteBindings(source: VhostExchange, destination: Bindable): void {
    for (const binding of source.bindingsTo(destination)) {
      if (this.#bindingsLeft-- <= 0) return;
      if (this.#leads(source, binding)) this.#steps.push({ source, destination, binding });
    }
  }

  #leads(source: VhostExchange, { destination, routingKey, arguments: args }: Binding<Bindable>): boolean {
    const alone = createExchange<Bindable>(source);
    alone.bind(destination, routingKey, args);
    const found = new Set<Bindable>();
    alone.routeAll(this.#keys, this.#content, found);
    return found.size > 0;
  }
}
