import { BrokerError } from "../errors.ts";
import type { FieldTable } from "../field-table.ts";
import type { Binding, Destination } from "./binding.ts";
import { erlangTerm } from "./erlang-term.ts";
import { Exchange, type ExchangeProperties } from "./exchange.ts";
import { hashText, jumpHash } from "./hashing.ts";
import type { HashedProperty, RoutedContent } from "./routed-content.ts";

/** The most that a binding may weigh. */
const weightMax = 10_000;

const properties: ReadonlyMap<string, HashedProperty> = new Map([
  ["message_id", "messageId"],
  ["correlation_id", "correlationId"],
  ["timestamp", "timestamp"],
]);

/** A run of buckets that belong to one binding; the next run starts at `end`. It is empty for a second one of a destination. */
interface Run<D extends Destination> {
  readonly binding: Binding<D>;
  readonly weight: number;
  end: number;
}

/**
 * Routes each message to one destination by the hash of its routing key, a header or a property: equal ones go the same
 * way, and when bindings come or go few others change theirs. A binding's key is its weight; of several to one destination
 * the oldest counts, as in RabbitMQ.
 */
export class ConsistentHashExchange<D extends Destination> extends Exchange<D> {
  readonly varies: boolean;
  readonly #header: string | undefined;
  readonly #property: HashedProperty | undefined;
  readonly #runs: Run<D>[] = [];

  /** Throws PRECONDITION_FAILED when the arguments say no or two things to hash. */
  constructor(declaration: ExchangeProperties) {
    super(declaration);
    this.#header = textOf(declaration.arguments, "hash-header");
    const property = textOf(declaration.arguments, "hash-property");
    this.#property = property === undefined ? undefined : properties.get(property);
    if (property !== undefined && this.#header !== undefined) {
      throw new BrokerError("PRECONDITION_FAILED", "hash-header and hash-property are mutually exclusive");
    }
    if (property !== undefined && this.#property === undefined) {
      throw new BrokerError("PRECONDITION_FAILED", `Unsupported property: ${property}`);
    }
    this.varies = this.#header !== undefined || property !== undefined;
  }

  route(routingKey: string, content: RoutedContent, found: Set<D>): void {
    const buckets = this.#runs[this.#runs.length - 1]?.end ?? 0;
    if (buckets === 0) return;
    const bucket = jumpHash(hashText(this.#hashed(routingKey, content)), buckets);
    const run = this.#runs.find(({ end }) => bucket < end);
    if (run !== undefined) found.add(run.binding.destination);
  }

  /** One message goes one way, however many keys its sender selected. */
  override routeAll(routingKeys: readonly string[], content: RoutedContent, found: Set<D>): void {
    this.route(routingKeys[0] ?? "", content, found);
  }

  #hashed(routingKey: string, content: RoutedContent): string {
    if (this.#header !== undefined) {
      const value = content.headers().get(this.#header);
      return value === undefined ? "undefined" : erlangTerm(value);
    }
    if (this.#property !== undefined) return content.property(this.#property) ?? "undefined";
    return routingKey;
  }

  protected override validate({ routingKey }: Binding<D>): void {
    if (!/^[+-]?[0-9]+$/.test(routingKey)) {
      const key = erlangTerm({ type: "longstr", value: routingKey });
      throw new BrokerError("PRECONDITION_FAILED", `The binding key must be an integer: ${key}`);
    }
    const weight = Number(routingKey);
    if (weight < 1) throw new BrokerError("PRECONDITION_FAILED", "The binding key must be greater than 0");
    if (weight > weightMax) {
      throw new BrokerError("PRECONDITION_FAILED", `The binding key must not exceed ${weightMax}`);
    }
  }

  protected added(binding: Binding<D>): void {
    this.#runs.push({ binding, weight: Number(binding.routingKey), end: 0 });
    this.#number();
  }

  protected removed(binding: Binding<D>): void {
    this.#runs.splice(
      this.#runs.findIndex((run) => run.binding === binding),
      1,
    );
    this.#number();
  }

  #number(): void {
    const counted = new Set<D>();
    let end = 0;
    for (const run of this.#runs) {
      const { destination } = run.binding;
      if (!counted.has(destination)) end += run.weight;
      counted.add(destination);
      run.end = end;
    }
  }
}

function textOf(args: FieldTable, name: string): string | undefined {
  const field = args.get(name);
  if (field === undefined) return undefined;
  if (field.type === "longstr") return field.value.toString();
  throw new BrokerError("PRECONDITION_FAILED", `invalid arg '${name}': {unacceptable_type,${field.type}}`);
}
