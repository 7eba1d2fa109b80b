import { type FieldTable, sameTable } from "../field-table.ts";

/** Anything a binding may point at. An exchange never looks inside it; two are the same when they are one object. */
export interface Destination {
  readonly name: string;
  readonly kind: "queue" | "exchange";
  /** Of queue or exchange. */
  readonly type: string;
}

/** A rule of an exchange: what it means is the exchange type's business. */
export interface Binding<D extends Destination> {
  readonly destination: D;
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

/** The bindings of one exchange, each once: destination, routing key and arguments together name a binding. */
export class BindingTable<D extends Destination> {
  readonly #byDestination = new Map<D, Map<string, Binding<D>[]>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds the binding and returns it; undefined when it was there already. */
  add(destination: D, routingKey: string, args: FieldTable): Binding<D> | undefined {
    if (this.find(destination, routingKey, args) !== undefined) return undefined;
    const binding: Binding<D> = { destination, routingKey, arguments: args };
    const byKey = this.#byDestination.get(destination) ?? new Map<string, Binding<D>[]>();
    this.#byDestination.set(destination, byKey);
    const sameKey = byKey.get(routingKey);
    if (sameKey === undefined) byKey.set(routingKey, [binding]);
    else sameKey.push(binding);
    this.#size++;
    return binding;
  }

  find(destination: D, routingKey: string, args: FieldTable): Binding<D> | undefined {
    const sameKey = this.#byDestination.get(destination)?.get(routingKey);
    return sameKey?.find((binding) => sameTable(binding.arguments, args));
  }

  /** True while any binding joins this key to this destination, whatever its arguments. */
  has(destination: D, routingKey: string): boolean {
    return this.#byDestination.get(destination)?.has(routingKey) ?? false;
  }

  remove(binding: Binding<D>): void {
    const byKey = this.#byDestination.get(binding.destination);
    const sameKey = byKey?.get(binding.routingKey);
    const index = sameKey?.indexOf(binding) ?? -1;
    if (byKey === undefined || sameKey === undefined || index < 0) return;
    sameKey.splice(index, 1);
    this.#size--;
    if (sameKey.length === 0) byKey.delete(binding.routingKey);
    if (byKey.size === 0) this.#byDestination.delete(binding.destination);
  }

  /** Every destination that has a binding, once. */
  destinations(): Iterable<D> {
    return this.#byDestination.keys();
  }

  /** The bindings that point at a destination. */
  *of(destination: D): Iterable<Binding<D>> {
    const byKey = this.#byDestination.get(destination);
    if (byKey === undefined) return;
    for (const sameKey of byKey.values()) yield* sameKey;
  }

  *[Symbol.iterator](): Iterator<Binding<D>> {
    for (const destination of this.#byDestination.keys()) yield* this.of(destination);
  }
}
