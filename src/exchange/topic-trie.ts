/** One word of a pattern, reached from the word before it; destinations stand where their pattern ends. */
class Word<D> {
  readonly isHash: boolean;
  words: Map<string, Word<D>> | undefined;
  star: Word<D> | undefined;
  hash: Word<D> | undefined;
  destinations: Set<D> | undefined;
  /** The last step of a walk that came here; only kept for `#`. */
  seenAt = 0;

  constructor(isHash: boolean) {
    this.isHash = isHash;
  }

  get isLeaf(): boolean {
    return this.words === undefined && this.star === undefined && this.hash === undefined;
  }

  child(word: string): Word<D> | undefined {
    if (word === "*") return this.star;
    return word === "#" ? this.hash : this.words?.get(word);
  }

  addChild(word: string): Word<D> {
    const child = new Word<D>(word === "#");
    if (word === "*") this.star = child;
    else if (word === "#") this.hash = child;
    else {
      this.words ??= new Map();
      this.words.set(word, child);
    }
    return child;
  }

  dropChild(word: string): void {
    if (word === "*") this.star = undefined;
    else if (word === "#") this.hash = undefined;
    else {
      this.words?.delete(word);
      if (this.words?.size === 0) this.words = undefined;
    }
  }
}

/**
 * Patterns of a topic exchange as a trie over words. A key is matched in one pass over its words that carries the set
 * of places in the trie which the words so far lead to, like a regular expression without backtracking: the cost is
 * at most words in the key times words in the trie, however many `#` there are.
 */
export class TopicTrie<D> {
  readonly #root = new Word<D>(false);
  #step = 0;
  #wordCount = 0;

  /** Words held, those that patterns share counted once. */
  get wordCount(): number {
    return this.#wordCount;
  }

  add(pattern: string, destination: D): void {
    let at = this.#root;
    for (const word of wordsOf(pattern)) at = at.child(word) ?? this.#addChild(at, word);
    at.destinations ??= new Set();
    at.destinations.add(destination);
  }

  /** Removes the destination and every word that now leads nowhere. */
  remove(pattern: string, destination: D): void {
    const words = wordsOf(pattern);
    const path = [this.#root];
    for (const word of words) {
      const next = path.at(-1)?.child(word);
      if (next === undefined) return;
      path.push(next);
    }
    const end = path.at(-1);
    end?.destinations?.delete(destination);
    if (end?.destinations?.size === 0) end.destinations = undefined;
    for (let i = words.length; i > 0; i--) {
      const word = path[i];
      if (word === undefined || !word.isLeaf || word.destinations !== undefined) return;
      path[i - 1]?.dropChild(words[i - 1] ?? "");
      this.#wordCount--;
    }
  }

  #addChild(parent: Word<D>, word: string): Word<D> {
    this.#wordCount++;
    return parent.addChild(word);
  }

  /** Adds to `found` the destinations of every pattern that matches the key. */
  match(routingKey: string, found: Set<D>): void {
    let places: Word<D>[] = [];
    this.#step++;
    this.#enter(this.#root, places, found);
    for (const word of wordsOf(routingKey)) {
      const next: Word<D>[] = [];
      this.#step++;
      for (const place of places) this.#follow(place, word, next, found);
      if (next.length === 0) return;
      places = next;
    }
    for (const place of places) addAll(place.destinations, found);
  }

  #follow(place: Word<D>, word: string, next: Word<D>[], found: Set<D>): void {
    if (place.isHash) this.#enter(place, next, found);
    const child = place.words?.get(word);
    if (child !== undefined) this.#enter(child, next, found);
    if (place.star !== undefined) this.#enter(place.star, next, found);
  }

  /** Adds a place, and each `#` behind it, which may match no word at all. */
  #enter(place: Word<D>, places: Word<D>[], found: Set<D>): void {
    for (let at: Word<D> | undefined = place; at !== undefined; at = at.hash) {
      if (at.isHash) {
        // Only a `#` can be come to twice in one step: from its parent and from itself.
        if (at.seenAt === this.#step) return;
        at.seenAt = this.#step;
        if (at.isLeaf) {
          // A `#` at the end takes all words that may follow.
          addAll(at.destinations, found);
          return;
        }
      }
      places.push(at);
    }
  }
}

function addAll<D>(destinations: Set<D> | undefined, found: Set<D>): void {
  if (destinations === undefined) return;
  for (const destination of destinations) found.add(destination);
}

/** Words are what dots separate; they may be empty, but an empty key has none at all (as in RabbitMQ). */
function wordsOf(key: string): string[] {
  return key === "" ? [] : key.split(".");
}
