import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { scryptHash, scryptMatches } from "./scrypt.ts";

/** RabbitMQ's names of its ways to hash a password, with the digest each uses. */
const digests = {
  rabbit_password_hashing_sha256: "sha256",
  rabbit_password_hashing_sha512: "sha512",
  rabbit_password_hashing_md5: "md5",
} as const;

/** One of RabbitMQ's ways: quick to work out, also for who has stolen the hash. */
export type DigestAlgorithm = keyof typeof digests;

/** A way to hash passwords: RabbitMQ's, or one that makes guessing dear and that RabbitMQ does not know. */
export type HashingAlgorithm = DigestAlgorithm | "scrypt";

/** All of them, the best first. */
export const hashingAlgorithms = [
  "scrypt",
  "rabbit_password_hashing_sha256",
  "rabbit_password_hashing_sha512",
  "rabbit_password_hashing_md5",
] as const satisfies readonly HashingAlgorithm[];

/** What a hash is taken for that comes without a word about it, as in RabbitMQ. */
export const rabbitmqAlgorithm: DigestAlgorithm = "rabbit_password_hashing_sha256";

const saltSize = 4;

/** True for the algorithms that passwords can be verified with. */
export function isHashingAlgorithm(name: string): name is HashingAlgorithm {
  return name === "scrypt" || isDigestAlgorithm(name);
}

/** True for those that RabbitMQ knows. */
export function isDigestAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(digests, name);
}

/** Hashes a password with a salt of its own. */
export async function hashPassword(password: string, algorithm: HashingAlgorithm): Promise<string> {
  return algorithm === "scrypt" ? await scryptHash(password) : digestPassword(password, algorithm);
}

/** The hash in RabbitMQ's form: base64 of the salt followed by the digest of salt and password. */
export function digestPassword(password: string, algorithm: DigestAlgorithm = rabbitmqAlgorithm): string {
  const salt = randomBytes(saltSize);
  return Buffer.concat([salt, digest(algorithm, salt, password)]).toString("base64");
}

/**
 * True when the hash was made of this password. A hash that is empty or not in its algorithm's form matches none. What
 * does not match takes as long whatever the hash is, so that the time taken does not tell who exists.
 */
export async function verifyPassword(password: string, passwordHash: string, algorithm: string): Promise<boolean> {
  if (isDigestAlgorithm(algorithm) && digestMatches(password, passwordHash, algorithm)) return true;
  const matches = await scryptMatches(password, passwordHash);
  return matches && algorithm === "scrypt";
}

function digestMatches(password: string, passwordHash: string, algorithm: DigestAlgorithm): boolean {
  const stored = Buffer.from(passwordHash, "base64");
  const expected = digest(algorithm, stored.subarray(0, saltSize), password);
  const actual = stored.subarray(saltSize);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** True for text that decodes from base64 and back to itself. */
export function isBase64(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}

function digest(algorithm: DigestAlgorithm, salt: Buffer, password: string): Buffer {
  return createHash(digests[algorithm]).update(salt).update(password, "utf8").digest();
}
