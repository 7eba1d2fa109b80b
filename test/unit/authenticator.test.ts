import { beforeEach, describe, expect, it } from "vitest";
import { type AuthenticationResult, authenticate, isLoopback } from "../../src/authenticator.ts";
import { LoginBackoff } from "../../src/login-backoff.ts";
import { Users } from "../../src/users.ts";
import { RecordingStore } from "../support/recording-store.ts";

let users: Users;

beforeEach(() => {
  users = new Users(new RecordingStore());
  now = 0;
  loginBackoff = new LoginBackoff({ failuresMax: 3, waitMsMax: 60_000 });
  users.putWithPassword("guest", "guest", ["administrator"]);
  users.putWithPassword("blank", "", []);
  users.put({ name: "locked", passwordHash: "", hashingAlgorithm: "rabbit_password_hashing_sha256", tags: [] });
});

let now = 0;
let loginBackoff: LoginBackoff;

function login(
  username: string,
  password: string,
  address = "127.0.0.1",
  loopbackUsers: readonly string[] = ["guest"],
): AuthenticationResult {
  const host = { users, config: { loopbackUsers }, clock: { now: () => now }, loginBackoff };
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
  it("works with the right password", () => {
    expect(login("guest", "guest")).toEqual({ ok: true, user: users.get("guest") });
  });

  it("is refused alike for a wrong password and an unknown user", () => {
    expect(login("guest", "wrong")).toEqual(refused("user 'guest' - invalid credentials"));
    expect(login("nobody", "guest")).toEqual(refused("user 'nobody' - invalid credentials"));
    expect(login("toString", "guest")).toEqual(refused("user 'toString' - invalid credentials"));
  });

  it("is refused with a blank password, even if that is the password", () => {
    const reason = (name: string) => `user '${name}' attempted to log in with a blank password`;
    for (const name of ["blank", "guest", "locked"]) expect(login(name, "")).toEqual(refused(reason(name)));
  });

  it("is refused to a user without a password hash", () => {
    expect(login("locked", "anything")).toEqual(refused("user 'locked' - invalid credentials"));
  });

  it("is refused to loopback users from elsewhere, once their password is right", () => {
    expect(login("guest", "guest", elsewhere)).toEqual(
      refused("user 'guest' can only connect via localhost", "address"),
    );
    expect(login("guest", "wrong", elsewhere)).toEqual(refused("user 'guest' - invalid credentials"));
    expect(login("guest", "guest", elsewhere, []).ok).toBe(true);
  });
});

describe("after too many failures", () => {
  const waits = (seconds: number) =>
    refused(`user 'guest' must wait ${seconds} s after too many failures`, "too many failures");

  function fail(times: number, username = "guest", address?: string): void {
    for (let i = 0; i < times; i++) login(username, "wrong", address);
  }

  it("even the right password must wait, longer with every failure and up to the most", () => {
    fail(3);
    expect(login("guest", "guest")).toEqual(waits(1));
    now += 1000;
    fail(1);
    expect(login("guest", "guest")).toEqual(waits(2));
    for (let i = 0; i < 20; i++) {
      now += 60_000;
      fail(1);
    }
    expect(login("guest", "guest")).toEqual(waits(60));
    now += 60_000;
    expect(login("guest", "guest").ok).toBe(true);
    fail(2);
    expect(login("guest", "guest").ok).toBe(true);
  });

  it("what is refused while it waits makes the wait no longer", () => {
    fail(30);
    expect(login("guest", "guest")).toEqual(waits(1));
  });

  it("other users there and the same user elsewhere need not wait", () => {
    fail(3);
    users.putWithPassword("other", "pw", []);
    expect(login("other", "pw").ok).toBe(true);
    expect(login("guest", "guest", "127.0.0.2").ok).toBe(true);
  });

  it("all of an IPv6 network counts as one source", () => {
    fail(1, "guest", "2001:db8::1");
    fail(1, "guest", "2001:db8:0:0:ffff::2");
    fail(1, "guest", "2001:db8:0:0:1:2:3:4");
    expect(login("guest", "wrong", "2001:db8::5")).toEqual(waits(1));
    expect(login("guest", "wrong", "2001:db8:1::5")).toEqual(refused("user 'guest' - invalid credentials"));
  });

  it("a source that tries many users waits with all but those who logged in from there", () => {
    expect(login("guest", "guest").ok).toBe(true);
    for (let i = 0; i < 30; i++) fail(1, `user-${i}`);
    expect(login("nobody", "x")).toMatchObject({ because: "too many failures" });
    expect(login("guest", "guest").ok).toBe(true);
  });

  it("failures of long ago are forgotten, and those of too many users at once", () => {
    fail(2);
    now += 121_000;
    fail(1);
    expect(login("guest", "guest").ok).toBe(true);
    fail(3);
    for (let i = 0; i < 10_000; i++) loginBackoff.failed(`10.0.${i >> 8}.${i & 255}`, "other", now);
    expect(login("guest", "guest").ok).toBe(true);
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
