import { firstWord, isLinear, matchesLinear, wordEnd } from "./topic-words.ts";

/** What the words of a pattern lead to so far. Destinations stand where their pattern ends. */
class Place<D> {
  /** The rest of the only pattern that comes here, which then ends here; undefined when none or several go on. */
  tail: string | undefined;
  /** Most patterns have one destination. */
  #destination: D | undefined;
  #others: Set<D> | undefined;
  words: Map<string, Place<D>> | undefined;
  star: Place<D> | undefined;
  hash: Place<D> | undefined;
  readonly isHash: boolean;
  /** The last step of a walk that came here; only kept for `#`. */
  seenAt = 0;

  constructor(isHash: boolean) {
    this.isHash = isHash;
  }

  /** True when no place follows. */
  get isLast(): boolean {
    return this.words === undefined && this.star === undefined && this.hash === undefined;
  }

  /** True when no pattern comes here. */
  get isEmpty(): boolean {
    return this.#destination === undefined && this.isLast;
  }

  /** True for what stands here to be the destinations of this pattern, whose words from an offset on are still to go. */
  isEndOf(pattern: string, from: number): boolean {
    if (from > pattern.length) return this.tail === undefined;
    return this.tail !== undefined && this.tail === pattern.slice(from);
  }

  child(word: string): Place<D> | undefined {
    if (word === "*") return this.star;
    return word === "#" ? this.hash : this.words?.get(word);
  }

  addChild(word: string): Place<D> {
    const child = new Place<D>(word === "#");
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

  addDestination(destination: D): void {
    if (this.#destination === undefined) this.#destination = destination;
    else if (this.#destination !== destination) {
      this.#others ??= new Set();
      this.#others.add(destination);
    }
  }

  removeDestination(destination: D): void {
    if (this.#destination !== destination) this.#others?.delete(destination);
    else {
      [this.#destination] = this.#others ?? [];
      if (this.#destination !== undefined) this.#others?.delete(this.#destination);
    }
    if (this.#others?.size === 0) this.#others = undefined;
    if (this.#destination === undefined) this.tail = undefined;
  }

  moveDestinationsTo(place: Place<D>): void {
    place.#destination = this.#destination;
    place.#others = this.#others;
    this.#destination = undefined;
    this.#others = undefined;
  }

  addDestinationsTo(found: Set<D>): void {
    if (this.#destination === undefined) return;
    found.add(this.#destination);
    if (this.#others === undefined) return;
    for (const destination of this.#others) found.add(destination);
  }
}

/**
 * Patterns of a topic exchange as a trie over words. A key is matched in one pass over its words that carries the set
 * of places in the trie which the words so far lead to, like a regular expression without backtracking: the cost is
 * at most words in the key times words in the patterns, however many `#` there are.
 *
 * From where a single pattern goes on, its rest is kept as text and compared with the key in place: thousands of
 * patterns that part at their first word are one place each, not one for each of their words. Only a rest without a
 * `#` before its end is, for it takes one pass; and none behind a `#`, which is come to again and again.
 */
export class TopicTrie<D> {
  readonly #root = new Place<D>(false);
  #step = 0;
  #placeCount = 0;

  /** Places held, those that patterns share counted once. */
  get placeCount(): number {
    return this.#placeCount;
  }

  add(pattern: string, destination: D): void {
    this.#add(this.#root, pattern, firstWord(pattern), destination);
  }

  /** Removes the destination and every place that no pattern comes to any more. */
  remove(pattern: string, destination: D): void {
    this.#remove(this.#root, pattern, firstWord(pattern), destination);
  }

  /** Adds to `found` the destinations of every pattern that matches the key. */
  match(routingKey: string, found: Set<D>): void {
    let places: Place<D>[] = [];
    let start = firstWord(routingKey);
    this.#step++;
    this.#enter(this.#root, routingKey, start, places, found);
    while (start <= routingKey.length && places.length > 0) {
      const end = wordEnd(routingKey, start);
      const word = routingKey.slice(start, end);
      start = end + 1;
      const next: Place<D>[] = [];
      this.#step++;
      for (const place of places) {
        if (place.isHash) this.#enter(place, routingKey, start, next, found);
        const child = place.words?.get(word);
        if (child !== undefined) this.#enter(child, routingKey, start, next, found);
        if (place.star !== undefined) this.#enter(place.star, routingKey, start, next, found);
      }
      places = next;
    }
    for (const place of places) place.addDestinationsTo(found);
  }

  /** Adds a place, and each `#` behind it, which may match no word at all. Places that lead no further are done with. */
  #enter(place: Place<D>, routingKey: string, from: number, places: Place<D>[], found: Set<D>): void {
    if (place.tail !== undefined) {
      if (matchesLinear(place.tail, routingKey, from)) place.addDestinationsTo(found);
      return;
    }
    for (let at: Place<D> | undefined = place; at !== undefined; at = at.hash) {
      if (at.isHash) {
        // Only a `#` can be come to twice in one step: from its parent and from itself.
        if (at.seenAt === this.#step) return;
        at.seenAt = this.#step;
        if (at.isLast) {
          // A `#` at the end takes all words that may follow.
          at.addDestinationsTo(found);
          return;
        }
      }
      places.push(at);
    }
  }

  #add(place: Place<D>, pattern: string, from: number, destination: D): void {
    if (place.isEmpty && !place.isHash && from <= pattern.length && isLinear(pattern, from)) {
      place.tail = pattern.slice(from);
    }
    if (!place.isEndOf(pattern, from)) this.#unfold(place);
    if (place.isEndOf(pattern, from)) {
      place.addDestination(destination);
      return;
    }
    const end = wordEnd(pattern, from);
    const word = pattern.slice(from, end);
    this.#add(place.child(word) ?? this.#addChild(place, word), pattern, end + 1, destination);
  }

  /** Makes a place of the first word of a tail, for another pattern comes here. */
  #unfold(place: Place<D>): void {
    const { tail } = place;
    if (tail === undefined) return;
    const end = wordEnd(tail, 0);
    const child = this.#addChild(place, tail.slice(0, end));
    if (end < tail.length) child.tail = tail.slice(end + 1);
    place.tail = undefined;
    place.moveDestinationsTo(child);
  }

  #addChild(place: Place<D>, word: string): Place<D> {
    this.#placeCount++;
    return place.addChild(word);
  }

  #remove(place: Place<D>, pattern: string, from: number, destination: D): void {
    if (place.isEndOf(pattern, from)) return place.removeDestination(destination);
    if (from > pattern.length) return;
    const end = wordEnd(pattern, from);
    const word = pattern.slice(from, end);
    const child = place.child(word);
    if (child === undefined) return;
    this.#remove(child, pattern, end + 1, destination);
    if (!child.isEmpty) return;
    place.dropChild(word);
    this.#placeCount--;
  }
}
