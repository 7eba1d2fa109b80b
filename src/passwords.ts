import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** RabbitMQ's names of the ways to hash a password, with the digest each uses. */
const digests = {
  rabbit_password_hashing_sha256: "sha256",
  rabbit_password_hashing_sha512: "sha512",
  rabbit_password_hashing_md5: "md5",
} as const;

export type HashingAlgorithm = keyof typeof digests;

/** How new passwords are hashed. */
export const defaultHashingAlgorithm = "rabbit_password_hashing_sha256" satisfies HashingAlgorithm;

const saltSize = 4;

/** True for the algorithms that passwords can be verified with. */
export function isHashingAlgorithm(name: string): name is HashingAlgorithm {
  return Object.hasOwn(digests, name);
}

/** The hash in RabbitMQ's form: base64 of the salt followed by the digest of salt and password. */
export function hashPassword(password: string, algorithm: HashingAlgorithm = defaultHashingAlgorithm): string {
  const salt = randomBytes(saltSize);
  return Buffer.concat([salt, digest(algorithm, salt, password)]).toString("base64");
}

/** True when the hash was made of this password. A hash that is empty or not in RabbitMQ's form matches none. */
export function verifyPassword(password: string, passwordHash: string, algorithm: string): boolean {
  const stored = Buffer.from(passwordHash, "base64");
  // Works as hard for a hash that cannot match, so that the time taken does not tell who exists.
  const known = isHashingAlgorithm(algorithm) ? algorithm : defaultHashingAlgorithm;
  const expected = digest(known, stored.subarray(0, saltSize), password);
  const actual = stored.subarray(saltSize);
  return known === algorithm && actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** True for text that decodes from base64 and back to itself. */
export function isBase64(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}

function digest(algorithm: HashingAlgorithm, salt: Buffer, password: string): Buffer {
  return createHash(digests[algorithm]).update(salt).update(password, "utf8").digest();
}
