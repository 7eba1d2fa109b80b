import { beforeEach, describe, expect, it } from "vitest";
import { verifyPassword } from "../../src/passwords.ts";
import { Users } from "../../src/users.ts";
import { RecordingStore } from "../support/recording-store.ts";

let store: RecordingStore;
let users: Users;

beforeEach(() => {
  store = new RecordingStore();
  users = new Users(store);
});

const ann = { name: "ann", passwordHash: "", hashingAlgorithm: "rabbit_password_hashing_md5", tags: ["management"] };

describe("users", () => {
  it("are found by name once added", () => {
    users.put(ann);
    expect(users.find("ann")).toEqual(ann);
    expect(users.get("ann")).toEqual(ann);
    expect([...users.list()]).toEqual([ann]);
    expect(users.find("bob")).toBeUndefined();
    expect(() => users.get("bob")).toThrow("NOT_FOUND - no user 'bob'");
  });

  it("are stored, replaced and removed with what is stored", () => {
    users.put(ann);
    users.put({ ...ann, tags: [] });
    expect(store.definitions).toEqual([{ kind: "user", ...ann, tags: [] }]);
    expect([users.delete("ann"), users.delete("ann")]).toEqual([true, false]);
    expect([store.definitions, [...users.list()]]).toEqual([[], []]);
  });

  it("come back from what is stored without being stored again", () => {
    users.restore({ kind: "user", ...ann });
    expect(users.get("ann")).toEqual(ann);
    expect(store.definitions).toEqual([]);
  });

  it("can be added by password, which is only kept hashed", async () => {
    await users.putWithPassword("bob", "secret", ["administrator"], "scrypt");
    const { passwordHash, hashingAlgorithm, tags } = users.get("bob");
    expect(await verifyPassword("secret", passwordHash, hashingAlgorithm)).toBe(true);
    expect(tags).toEqual(["administrator"]);
    expect(JSON.stringify(store.definitions)).not.toContain("secret");
  });

  it.each([
    [{ ...ann, name: "" }, "a user needs a name"],
    [{ ...ann, hashingAlgorithm: "crc32" }, "unknown password hashing algorithm 'crc32'"],
    [{ ...ann, passwordHash: "***" }, "the password hash of user 'ann' is not base64"],
  ])("are refused when they could never log in: %j", (user, reason) => {
    expect(() => users.put(user)).toThrow(`PRECONDITION_FAILED - ${reason}`);
    expect([store.definitions, [...users.list()]]).toEqual([[], []]);
  });
});
