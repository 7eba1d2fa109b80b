import { describe, expect, it } from "vitest";
import { hashPassword, isBase64, verifyPassword } from "../../src/passwords.ts";

/** Made by RabbitMQ 3.10 for the empty password of a user it was told to make. */
const hashOfEmpty = "UsRSX5yCEYT7ANY5R3aM0Z9Y/EOnS4SVpWMJw7iGeAt8tLWV";
/** Made by RabbitMQ 3.10 for "guest". */
const hashOfGuest = "w4wHk0Y3apVL7fkggFq5b2FPW5cysKbrgVkNzKa1eHog+uDL";
const sha256 = "rabbit_password_hashing_sha256";

describe("a password hash", () => {
  it("is RabbitMQ's", () => {
    expect(verifyPassword("guest", hashOfGuest, sha256)).toBe(true);
    expect(verifyPassword("", hashOfEmpty, sha256)).toBe(true);
    expect(verifyPassword("Guest", hashOfGuest, sha256)).toBe(false);
  });

  it.each(["rabbit_password_hashing_sha256", "rabbit_password_hashing_sha512", "rabbit_password_hashing_md5"] as const)(
    "made with %s verifies its password and no other",
    (algorithm) => {
      const hash = hashPassword("pässword", algorithm);
      expect(verifyPassword("pässword", hash, algorithm)).toBe(true);
      expect(verifyPassword("password", hash, algorithm)).toBe(false);
    },
  );

  it("has a salt of its own each time", () => {
    expect(hashPassword("a")).not.toBe(hashPassword("a"));
    expect(Buffer.from(hashPassword("a"), "base64")).toHaveLength(4 + 32);
  });

  it.each(["", "AAAA", "AAAAAAAA", "!", hashOfGuest.slice(0, 20), `${hashOfGuest}AAAA`])(
    "that is not in the right form (%s) matches no password",
    (hash) => {
      for (const password of ["", "guest"]) expect(verifyPassword(password, hash, sha256)).toBe(false);
    },
  );

  it("of an algorithm that is not known matches no password", () => {
    for (const algorithm of ["", "rabbit_password_hashing_none", "toString", "rabbit_password_hashing_sha512"]) {
      expect(verifyPassword("guest", hashOfGuest, algorithm)).toBe(false);
    }
  });
});

it("tells base64 from other text", () => {
  for (const text of ["", "AAAA", "AAA=", hashOfGuest]) expect(isBase64(text)).toBe(true);
  for (const text of ["***", "AAA", "AAAA\n", "not base64"]) expect(isBase64(text)).toBe(false);
});
