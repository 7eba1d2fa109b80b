import { beforeEach, describe, expect, it, vi } from "vitest";
import { type AuthenticationResult, authenticate, isLoopback } from "../../src/authenticator.ts";
import { KnownLogins } from "../../src/known-logins.ts";
import { LoginBackoff } from "../../src/login-backoff.ts";
import { rabbitmqAlgorithm, verifyPassword } from "../../src/passwords.ts";
import { Users } from "../../src/users.ts";
import { RecordingStore } from "../support/recording-store.ts";

vi.mock(import("../../src/passwords.ts"), async (load) => {
  const real = await load();
  return { ...real, verifyPassword: vi.fn(real.verifyPassword) };
});

// The real one is slow, as it must be; test/unit/passwords.test.ts has that.
vi.mock(import("../../src/scrypt.ts"), () => {
  const scryptHash = (password: string) => Promise.resolve(Buffer.from(password).toString("base64"));
  return { scryptHash, scryptMatches: async (password, hash) => hash === (await scryptHash(password)) };
});

let users: Users;

beforeEach(async () => {
  users = new Users(new RecordingStore());
  now = 0;
  vi.mocked(verifyPassword).mockClear();
  loginBackoff = new LoginBackoff({ failuresMax: 3, waitMsMax: 60_000 });
  knownLogins = new KnownLogins();
  await users.putWithPassword("guest", "guest", ["administrator"], rabbitmqAlgorithm);
  await users.putWithPassword("blank", "", [], rabbitmqAlgorithm);
  users.put({ name: "locked", passwordHash: "", hashingAlgorithm: "rabbit_password_hashing_sha256", tags: [] });
});

let now = 0;
let loginBackoff: LoginBackoff;
let knownLogins: KnownLogins;

function login(
  username: string,
  password: string,
  address = "127.0.0.1",
  loopbackUsers: readonly string[] = ["guest"],
): Promise<AuthenticationResult> {
  const host = { users, config: { loopbackUsers }, clock: { now: () => now }, loginBackoff, knownLogins };
  return authenticate(host, { username, password, address });
}

const elsewhere = "192.0.2.1";

function refused(
  reason: string,
  because: "credentials" | "address" | "too many failures" = "credentials",
): AuthenticationResult {
  return { ok: false, because, reason };
}

describe("logging in", () => {
  it("works with the right password", async () => {
    expect(await login("guest", "guest")).toEqual({ ok: true, user: users.get("guest") });
  });

  it("is refused alike for a wrong password and an unknown user", async () => {
    expect(await login("guest", "wrong")).toEqual(refused("user 'guest' - invalid credentials"));
    expect(await login("nobody", "guest")).toEqual(refused("user 'nobody' - invalid credentials"));
    expect(await login("toString", "guest")).toEqual(refused("user 'toString' - invalid credentials"));
  });

  it("is refused with a blank password, even if that is the password", async () => {
    const reason = (name: string) => `user '${name}' attempted to log in with a blank password`;
    for (const name of ["blank", "guest", "locked"]) expect(await login(name, "")).toEqual(refused(reason(name)));
  });

  it("is refused to a user without a password hash", async () => {
    expect(await login("locked", "anything")).toEqual(refused("user 'locked' - invalid credentials"));
  });

  it("is refused to loopback users from elsewhere, once their password is right", async () => {
    expect(await login("guest", "guest", elsewhere)).toEqual(
      refused("user 'guest' can only connect via localhost", "address"),
    );
    expect(await login("guest", "wrong", elsewhere)).toEqual(refused("user 'guest' - invalid credentials"));
    expect((await login("guest", "guest", elsewhere, [])).ok).toBe(true);
  });
});

describe("after too many failures", () => {
  const waits = (seconds: number) =>
    refused(`user 'guest' must wait ${seconds} s after too many failures`, "too many failures");

  async function fail(times: number, username = "guest", address?: string): Promise<void> {
    for (let i = 0; i < times; i++) await login(username, "wrong", address);
  }

  it("even the right password must wait, longer with every failure and up to the most", async () => {
    await fail(3);
    expect(await login("guest", "guest")).toEqual(waits(1));
    now += 1000;
    await fail(1);
    expect(await login("guest", "guest")).toEqual(waits(2));
    for (let i = 0; i < 20; i++) {
      now += 60_000;
      await fail(1);
    }
    expect(await login("guest", "guest")).toEqual(waits(60));
    now += 60_000;
    expect((await login("guest", "guest")).ok).toBe(true);
    await fail(2);
    expect((await login("guest", "guest")).ok).toBe(true);
  });

  it("what is refused while it waits makes the wait no longer", async () => {
    await fail(30);
    expect(await login("guest", "guest")).toEqual(waits(1));
  });

  it("other users there and the same user elsewhere need not wait", async () => {
    await fail(3);
    await users.putWithPassword("other", "pw", [], rabbitmqAlgorithm);
    expect((await login("other", "pw")).ok).toBe(true);
    expect((await login("guest", "guest", "127.0.0.2")).ok).toBe(true);
  });

  it("all of an IPv6 network counts as one source", async () => {
    await fail(1, "guest", "2001:db8::1");
    await fail(1, "guest", "2001:db8:0:0:ffff::2");
    await fail(1, "guest", "2001:db8:0:0:1:2:3:4");
    expect(await login("guest", "wrong", "2001:db8::5")).toEqual(waits(1));
    expect(await login("guest", "wrong", "2001:db8:1::5")).toEqual(refused("user 'guest' - invalid credentials"));
  });

  it("a source that tries many users waits with all but those who logged in from there", async () => {
    expect((await login("guest", "guest")).ok).toBe(true);
    for (let i = 0; i < 30; i++) await fail(1, `user-${i}`);
    expect(await login("nobody", "x")).toMatchObject({ because: "too many failures" });
    expect((await login("guest", "guest")).ok).toBe(true);
  });

  it("failures of long ago are forgotten, and those of too many users at once", async () => {
    await fail(2);
    now += 121_000;
    await fail(1);
    expect((await login("guest", "guest")).ok).toBe(true);
    await fail(3);
    for (let i = 0; i < 10_000; i++) loginBackoff.failed(`10.0.${i >> 8}.${i & 255}`, "other", now);
    expect((await login("guest", "guest")).ok).toBe(true);
  });
});

describe("guesses at once", () => {
  it("are told no more than guesses one after the other", async () => {
    await users.putWithPassword("app", "right", [], "scrypt");
    const guesses = Array.from({ length: 20 }, (_, i) => login("app", i === 19 ? "right" : `wrong ${i}`));
    const results = await Promise.all(guesses);
    expect(results.filter((result) => !result.ok && result.because === "credentials")).toHaveLength(3);
    expect(results.some(({ ok }) => ok)).toBe(false);
  });
});

describe("a password that is known", () => {
  it("is verified once, however often and however many at once log in with it", async () => {
    await users.putWithPassword("app", "pw", [], "scrypt");
    await Promise.all(Array.from({ length: 100 }, () => login("app", "pw")));
    for (let i = 0; i < 100; i++) expect((await login("app", "pw")).ok).toBe(true);
    expect(verifyPassword).toHaveBeenCalledTimes(1);
  });

  it("is not known any more once it has changed, or the user is gone", async () => {
    expect((await login("guest", "guest")).ok).toBe(true);
    await users.putWithPassword("guest", "other", [], rabbitmqAlgorithm);
    expect((await login("guest", "guest")).ok).toBe(false);
    expect((await login("guest", "other")).ok).toBe(true);
    users.delete("guest");
    expect((await login("guest", "other")).ok).toBe(false);
  });
});

describe("an address", () => {
  it.each(["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])("%s is this machine's", (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(["", "10.0.0.1", "128.0.0.1", "::ffff:10.0.0.1", "fe80::1", "::"])("%j is not this machine's", (address) => {
    expect(isLoopback(address)).toBe(false);
  });
});
