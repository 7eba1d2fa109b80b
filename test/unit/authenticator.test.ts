import { beforeEach, describe, expect, it } from "vitest";
import { type AuthenticationResult, authenticate, isLoopback } from "../../src/authenticator.ts";
import { Users } from "../../src/users.ts";
import { RecordingStore } from "../support/recording-store.ts";

let users: Users;

beforeEach(() => {
  users = new Users(new RecordingStore());
  users.putWithPassword("guest", "guest", ["administrator"]);
  users.putWithPassword("blank", "", []);
  users.put({ name: "locked", passwordHash: "", hashingAlgorithm: "rabbit_password_hashing_sha256", tags: [] });
});

function login(username: string, password: string, fromLoopback = true): AuthenticationResult {
  return authenticate(users, { username, password, fromLoopback }, ["guest"]);
}

function refused(reason: string, because: "credentials" | "address" = "credentials"): AuthenticationResult {
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
    expect(login("guest", "guest", false)).toEqual(refused("user 'guest' can only connect via localhost", "address"));
    expect(login("guest", "wrong", false)).toEqual(refused("user 'guest' - invalid credentials"));
    expect(authenticate(users, { username: "guest", password: "guest", fromLoopback: false }, []).ok).toBe(true);
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
