/** Something at a path, with what stands at the places of its parameters. */
interface Match<T> {
  readonly value: T;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Finds what was put at a path like `/queues/:vhost/:queue`. A segment that is spelled out goes before a parameter. */
export class RouteTable<T> {
  readonly #routes: { readonly segments: readonly string[]; readonly value: T }[] = [];

  add(path: string, value: T): void {
    this.#routes.push({ segments: path.split("/"), value });
    this.#routes.sort((a, b) => parametersIn(a.segments) - parametersIn(b.segments));
  }

  /** Undefined also for a path whose escapes are none. */
  find(path: string): Match<T> | undefined {
    const given = path.split("/").map(decoded);
    for (const { segments, value } of this.#routes) {
      const parameters = matched(segments, given);
      if (parameters !== undefined) return { value, parameters };
    }
    return undefined;
  }
}

function parametersIn(segments: readonly string[]): number {
  return segments.filter((segment) => segment.startsWith(":")).length;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function matched(
  segments: readonly string[],
  given: readonly (string | undefined)[],
): Readonly<Record<string, string>> | undefined {
  if (segments.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const text = given[index];
    if (text === undefined) return undefined;
    if (segment.startsWith(":")) parameters[segment.slice(1)] = text;
    else if (segment !== text) return undefined;
  }
  return parameters;
}
