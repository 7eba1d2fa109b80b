import { plainAddress } from "./addresses.ts";

/** Most sources and users that are remembered; those that failed longest ago are forgotten first. */
const rememberedMax = 10_000;

/** So many times as often as one user a source may fail with any users: a proxy stands for many clients. */
const sourceFactor = 10;

/** The first wait; each further failure doubles it. */
const firstWaitMs = 1000;

interface Failures {
  readonly count: number;
  readonly at: number;
}

/** How often clients may try, and how long they wait at most after that. */
export interface BackoffLimits {
  /** Failures that cost nothing. */
  readonly failuresMax: number;
  /** The longest wait, which is also how long failures are remembered; 0 for no back-off at all. */
  readonly waitMsMax: number;
}

/**
 * Keeps passwords from being guessed: a user who fails from one source, and a source that fails with many users, must
 * wait longer and longer. A user who logged in from a source does not suffer for what others do there, and nobody can
 * lock a user out of other sources.
 */
export class LoginBackoff {
  readonly #limits: BackoffLimits;
  readonly #users = new Map<string, Failures>();
  readonly #sources = new Map<string, Failures>();
  readonly #known = new Set<string>();

  constructor(limits: BackoffLimits) {
    this.#limits = limits;
  }

  /** How long the user must wait before trying again from this address; 0 for not at all. */
  waitMs(address: string, username: string, now: number): number {
    const source = sourceOf(address);
    const pair = pairOf(source, username);
    const { failuresMax } = this.#limits;
    const own = this.#waitOf(this.#users.get(pair), failuresMax, now);
    if (this.#known.has(pair)) return own;
    return Math.max(own, this.#waitOf(this.#sources.get(source), failuresMax * sourceFactor, now));
  }

  failed(address: string, username: string, now: number): void {
    if (this.#limits.waitMsMax === 0) return;
    const source = sourceOf(address);
    this.#count(this.#users, pairOf(source, username), now);
    this.#count(this.#sources, source, now);
  }

  succeeded(address: string, username: string): void {
    const pair = pairOf(sourceOf(address), username);
    this.#users.delete(pair);
    if (this.#known.has(pair)) return;
    this.#known.add(pair);
    forgetOldest(this.#known);
  }

  #waitOf(failures: Failures | undefined, free: number, now: number): number {
    if (failures === undefined || failures.count < free) return 0;
    const wait = Math.min(firstWaitMs * 2 ** (failures.count - free), this.#limits.waitMsMax);
    return Math.max(0, failures.at + wait - now);
  }

  #count(map: Map<string, Failures>, key: string, now: number): void {
    const before = map.get(key);
    const isOld = before === undefined || now - before.at > 2 * this.#limits.waitMsMax;
    map.delete(key);
    map.set(key, { count: isOld ? 1 : before.count + 1, at: now });
    forgetOldest(map);
  }
}

function forgetOldest(keys: Map<string, Failures> | Set<string>): void {
  if (keys.size <= rememberedMax) return;
  for (const oldest of keys.keys()) {
    keys.delete(oldest);
    return;
  }
}

function pairOf(source: string, username: string): string {
  return `${source} ${username}`;
}

/** An IPv4 address, or the network of an IPv6 one: whoever has one address of that has all. */
function sourceOf(address: string): string {
  const plain = plainAddress(address);
  return plain.includes(":") ? networkOf(plain) : plain;
}

/** The first 64 bits. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const words = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - words.length - (tail === "" ? 0 : tail.split(":").length);
  return [...words, ...Array<string>(Math.max(0, missing)).fill("0")].slice(0, 4).join(":");
}
