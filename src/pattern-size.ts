/** What is quoted, an escape, a class, a counted repetition, or one character. */
const tokens = /\\Q.*?(?:\\E|$)|\\(?:[pPx]\{[^}]*\}|.)|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|./gsu;

/** The terms of a regular expression as they stand there, with parentheses and repetitions by themselves. */
export function patternTokens(pattern: string): Iterable<RegExpExecArray> {
  return pattern.matchAll(tokens);
}

/**
 * How many terms a regular expression has once its counted repetitions are written out, which is what it costs to
 * compile it and, for each character of a name, to match it. Stops counting beyond `max`.
 */
export function patternSize(pattern: string, max: number): number {
  const terms = new Terms();
  for (const [token] of patternTokens(pattern)) {
    terms.add(token);
    if (terms.total > max) break;
  }
  return terms.total;
}

/** Counts terms as they are read. */
class Terms {
  total = 0;
  /** The last term, which a repetition multiplies. */
  #last = 0;
  /** How many there were before each group that is open. */
  readonly #before: number[] = [];

  add(token: string): void {
    if (token === "(") this.#before.push(this.total++);
    else if (token === ")") this.#last = this.total - (this.#before.pop() ?? 0);
    else if (/^\{\d/.test(token)) this.#repeat(timesOf(token));
    else {
      this.#last = token.length > 1 && token.startsWith("\\Q") ? token.length : 1;
      this.total += this.#last;
    }
  }

  #repeat(times: number): void {
    this.total += this.#last * (times - 1);
    this.#last *= times;
  }
}

/** The most that `{n}`, `{n,}` or `{n,m}` stands for; at least one, as the term is there whatever becomes of it. */
function timesOf(token: string): number {
  return Math.max(1, ...token.slice(1, -1).split(",").map(Number));
}
