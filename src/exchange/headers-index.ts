import type { FieldTable, FieldValue } from "../field-table.ts";
import type { HeadersRule } from "./headers-match.ts";

/** Bindings filed under one value of one header, or under the mere presence of it. */
interface Bucket<B> {
  readonly name: string;
  readonly key: string;
  readonly members: Set<B>;
}

/** The key of a bucket whose members any value may satisfy; no key of a value is empty. */
const anyValue = "";

/**
 * Finds the headers bindings that a message may match without looking at the others. A binding that wants all its
 * fields is filed under one of them, the rarest so far; one that wants any, under each. The candidates still have to
 * be matched; none that would match is missing.
 */
export class HeadersIndex<B> {
  readonly #byName = new Map<string, Map<string, Bucket<B>>>();
  readonly #bucketsOf = new Map<B, readonly Bucket<B>[]>();
  /** Those that want nothing, which every message gives. */
  readonly #always = new Set<B>();

  add(binding: B, rule: HeadersRule): void {
    if (rule.fields.length === 0) {
      if (rule.every) this.#always.add(binding);
      return;
    }
    const fields = rule.fields.map(([name, value]) => this.#bucket(name, valueKey(value) ?? anyValue));
    const buckets = rule.every ? [rarest(fields)] : fields;
    for (const bucket of buckets) this.#file(binding, bucket);
    this.#bucketsOf.set(binding, buckets);
  }

  remove(binding: B): void {
    this.#always.delete(binding);
    for (const bucket of this.#bucketsOf.get(binding) ?? []) this.#takeOut(binding, bucket);
    this.#bucketsOf.delete(binding);
  }

  /** Calls `visit` with every binding that may match these headers; with some of them more than once. */
  candidates(headers: FieldTable, visit: (binding: B) => void): void {
    for (const binding of this.#always) visit(binding);
    for (const [name, value] of headers) {
      const byValue = this.#byName.get(name);
      if (byValue === undefined) continue;
      const key = valueKey(value);
      if (key !== undefined) byValue.get(key)?.members.forEach(visit);
      byValue.get(anyValue)?.members.forEach(visit);
    }
  }

  #bucket(name: string, key: string): Bucket<B> {
    return this.#byName.get(name)?.get(key) ?? { name, key, members: new Set() };
  }

  #file(binding: B, bucket: Bucket<B>): void {
    const byValue = this.#byName.get(bucket.name) ?? new Map<string, Bucket<B>>();
    this.#byName.set(bucket.name, byValue.set(bucket.key, bucket));
    bucket.members.add(binding);
  }

  #takeOut(binding: B, { name, key, members }: Bucket<B>): void {
    members.delete(binding);
    if (members.size > 0) return;
    const byValue = this.#byName.get(name);
    byValue?.delete(key);
    if (byValue?.size === 0) this.#byName.delete(name);
  }
}

function rarest<B>(buckets: readonly Bucket<B>[]): Bucket<B> {
  return buckets.reduce((best, bucket) => (bucket.members.size < best.members.size ? bucket : best));
}

/**
 * The same text for all values that sameValue() calls the same; values that differ may share one. Undefined for those
 * that are compared part by part.
 */
function valueKey(field: FieldValue): string | undefined {
  switch (field.type) {
    case "longstr":
    case "binary":
      return `s${field.value}`;
    case "bool":
      return `b${field.value}`;
    case "void":
    case "decimal":
    case "array":
    case "table":
      return undefined;
    default:
      return `n${Number(field.value)}`;
  }
}
