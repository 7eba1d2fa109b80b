import type { FieldTable } from "../field-table.ts";
import { type Binding, BindingTable, type Destination } from "./binding.ts";
import type { History } from "./history.ts";
import type { RoutedContent } from "./routed-content.ts";

/** What an exchange was declared with. */
export interface ExchangeProperties {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: FieldTable;
  /** The user who declared it; undefined where nobody remembers. */
  readonly declaredBy?: string | undefined;
}

/**
 * Keeps bindings and finds the destinations of a message. The types differ in how they index bindings for routing:
 * each is told of every binding that comes or goes.
 */
export abstract class Exchange<D extends Destination> implements ExchangeProperties, Destination {
  readonly kind = "exchange";
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: FieldTable;
  readonly declaredBy: string | undefined;
  /** True when two messages with one routing key may go different ways. */
  abstract readonly varies: boolean;
  readonly #table = new BindingTable<D>();
  #everBound = false;

  constructor(properties: ExchangeProperties) {
    this.name = properties.name;
    this.type = properties.type;
    this.durable = properties.durable;
    this.autoDelete = properties.autoDelete;
    this.internal = properties.internal;
    this.arguments = properties.arguments;
    this.declaredBy = properties.declaredBy;
  }

  /** Adds to `found` every destination that a message with this key and content is bound to go to directly. */
  abstract route(routingKey: string, content: RoutedContent, found: Set<D>): void;

  /** Routes a message by all the keys it has: its own, then those that its sender selected. */
  routeAll(routingKeys: readonly string[], content: RoutedContent, found: Set<D>): void {
    for (const key of routingKeys) this.route(key, content, found);
  }

  /** What a destination gets when it is bound; undefined when that is nothing. */
  get history(): History | undefined {
    return undefined;
  }

  /** Binds and returns true; false when that very binding exists. Throws PRECONDITION_FAILED when it cannot be. */
  bind(destination: D, routingKey: string, args: FieldTable): boolean {
    this.validate({ destination, routingKey, arguments: args });
    const binding = this.#table.add(destination, routingKey, args);
    if (binding === undefined) return false;
    this.#everBound = true;
    this.added(binding);
    return true;
  }

  /** Removes a binding; false when there was none. */
  unbind(destination: D, routingKey: string, args: FieldTable): boolean {
    const binding = this.#table.find(destination, routingKey, args);
    if (binding === undefined) return false;
    this.#remove(binding);
    return true;
  }

  /** Removes every binding to a destination that goes away and returns what was removed. */
  unbindAll(destination: D): readonly Binding<D>[] {
    const removed = [...this.#table.of(destination)];
    for (const binding of removed) this.#remove(binding);
    return removed;
  }

  bindings(): Iterable<Binding<D>> {
    return this.#table;
  }

  /** The bindings to one destination. */
  bindingsTo(destination: D): Iterable<Binding<D>> {
    return this.#table.of(destination);
  }

  get bindingCount(): number {
    return this.#table.size;
  }

  /** True once anything was bound: an auto-delete exchange goes when it loses its last binding, not before its first. */
  get everBound(): boolean {
    return this.#everBound;
  }

  /** Refuses a binding that means nothing to this type. */
  protected validate(_binding: Binding<D>): void {}

  /** Called once a binding is in the table. */
  protected abstract added(binding: Binding<D>): void;

  /** Called once a binding has left the table. */
  protected abstract removed(binding: Binding<D>): void;

  /** Every bound destination, once. */
  protected boundDestinations(): Iterable<D> {
    return this.#table.destinations();
  }

  /** True while a binding joins the key to the destination: another with the same key may have been removed. */
  protected isBound(destination: D, routingKey: string): boolean {
    return this.#table.has(destination, routingKey);
  }

  #remove(binding: Binding<D>): void {
    this.#table.remove(binding);
    this.removed(binding);
  }
}
