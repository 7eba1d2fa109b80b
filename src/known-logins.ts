import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { verifyPassword } from "./passwords.ts";
import type { User } from "./users.ts";

/** Most users whose passwords are remembered; who logged in first is forgotten first. */
const rememberedMax = 10_000;

interface Known {
  /** What it was verified against: another password, or the same one hashed anew, is not known. */
  readonly passwordHash: string;
  readonly digest: Buffer;
}

/**
 * Verifies passwords, and remembers those that were right, so that clients which come back all at once cost next to
 * nothing. What is remembered is keyed by a secret of this process, and never leaves its memory.
 */
export class KnownLogins {
  readonly #secret = randomBytes(32);
  readonly #known = new Map<string, Known>();
  /** Verifications that are under way, by user and password: clients that log in alike wait for the same one. */
  readonly #underWay = new Map<string, Promise<boolean>>();

  /** Whether this is the user's password; of a user who does not exist it is not, which takes as long to find out. */
  async verify(user: User | undefined, password: string): Promise<boolean> {
    const digest = createHmac("sha256", this.#secret).update(password, "utf8").digest();
    if (user !== undefined && this.#isKnown(user, digest)) return true;
    const key = `${digest.toString("base64")} ${user?.passwordHash ?? ""}`;
    const underWay = this.#underWay.get(key) ?? this.#verify(user, password, key);
    const matches = await underWay;
    if (matches && user !== undefined) this.#remember(user, digest);
    return matches;
  }

  #isKnown({ name, passwordHash }: User, digest: Buffer): boolean {
    const known = this.#known.get(name);
    return known?.passwordHash === passwordHash && timingSafeEqual(known.digest, digest);
  }

  #verify(user: User | undefined, password: string, key: string): Promise<boolean> {
    const result = verifyPassword(password, user?.passwordHash ?? "", user?.hashingAlgorithm ?? "").finally(() =>
      this.#underWay.delete(key),
    );
    this.#underWay.set(key, result);
    return result;
  }

  #remember({ name, passwordHash }: User, digest: Buffer): void {
    this.#known.delete(name);
    this.#known.set(name, { passwordHash, digest });
    if (this.#known.size <= rememberedMax) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
