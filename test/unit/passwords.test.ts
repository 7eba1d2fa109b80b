import { scryptSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestPassword, hashingAlgorithms, hashPassword, isBase64, verifyPassword } from "../../src/passwords.ts";

/** Made by RabbitMQ 3.10 for the empty password of a user it was told to make. */
const hashOfEmpty = "UsRSX5yCEYT7ANY5R3aM0Z9Y/EOnS4SVpWMJw7iGeAt8tLWV";
/** Made by RabbitMQ 3.10 for "guest". */
const hashOfGuest = "w4wHk0Y3apVL7fkggFq5b2FPW5cysKbrgVkNzKa1eHog+uDL";
const sha256 = "rabbit_password_hashing_sha256";

describe("a password hash", () => {
  it("is RabbitMQ's", async () => {
    expect(await verifyPassword("guest", hashOfGuest, sha256)).toBe(true);
    expect(await verifyPassword("", hashOfEmpty, sha256)).toBe(true);
    expect(await verifyPassword("Guest", hashOfGuest, sha256)).toBe(false);
  });

  it.each(hashingAlgorithms)("made with %s verifies its password and no other", async (algorithm) => {
    const hash = await hashPassword("pässword", algorithm);
    expect(await verifyPassword("pässword", hash, algorithm)).toBe(true);
    expect(await verifyPassword("password", hash, algorithm)).toBe(false);
  });

  it("has a salt of its own each time", () => {
    expect(digestPassword("a")).not.toBe(digestPassword("a"));
    expect(Buffer.from(digestPassword("a"), "base64")).toHaveLength(4 + 32);
  });

  it.each(["", "AAAA", "AAAAAAAA", "!", hashOfGuest.slice(0, 20), `${hashOfGuest}AAAA`])(
    "that is not in the right form (%s) matches no password",
    async (hash) => {
      for (const password of ["", "guest"]) expect(await verifyPassword(password, hash, sha256)).toBe(false);
    },
  );

  it("of an algorithm that is not known matches no password", async () => {
    for (const algorithm of ["", "rabbit_password_hashing_none", "toString", "rabbit_password_hashing_sha512"]) {
      expect(await verifyPassword("guest", hashOfGuest, algorithm)).toBe(false);
    }
  });
});

describe("a hash of scrypt", () => {
  const head = (log2N: number, r: number, p: number) => Buffer.of(log2N, r, p);
  const hash = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(48)]).toString("base64");

  it.each([
    ["that costs more memory than it may", hash(head(20, 8, 1))],
    ["that costs more time than it may", hash(head(10, 8, 255))],
    ["that costs nothing", hash(head(0, 0, 0))],
    ["that is too short", head(14, 8, 1).toString("base64")],
  ])("%s matches no password", async (_, bad) => {
    expect(await verifyPassword("guest", bad, "scrypt")).toBe(false);
  });

  it("is verified at the cost it was made with", async () => {
    const salt = Buffer.alloc(16, 1);
    const key = scryptSync("pw", salt, 32, { N: 1024, r: 8, p: 1 });
    const cheap = Buffer.concat([head(10, 8, 1), salt, key]).toString("base64");
    expect(await verifyPassword("pw", cheap, "scrypt")).toBe(true);
    expect(await verifyPassword("pv", cheap, "scrypt")).toBe(false);
  });
});

it("tells base64 from other text", () => {
  for (const text of ["", "AAAA", "AAA=", hashOfGuest]) expect(isBase64(text)).toBe(true);
  for (const text of ["***", "AAA", "AAAA\n", "not base64"]) expect(isBase64(text)).toBe(false);
});
