import { connect } from "amqplib";
import { beforeAll, describe, expect, it } from "vitest";
import { forcedClose } from "../support/amqp-client.ts";
import { needsOwnBroker, parity, useBroker } from "../support/broker.ts";
import {
  addUser,
  as,
  asGuest,
  badRequest,
  type ManagementClient,
  notAuthorised,
  notFound,
} from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);
let manager: ManagementClient;

beforeAll(async () => {
  manager = await addUser(broker, "manager", ["management", "policymaker", "monitoring"], "/");
});

/** The hash of `alice-pw` that RabbitMQ made. */
const hashOfAlice = "TW1mAKBe6TDZ5VIvxxEBkTwMMrZk50mfD/hBWUXHssghOxsC";
const sha256 = "rabbit_password_hashing_sha256";

describe("/api/users", () => {
  it("adds a user by password, who may then log in", async () => {
    expect((await admin.put("/users/ann", { password: "secret", tags: "management, other" })).status).toBe(201);
    expect(await admin.read("/users/ann")).toEqual({
      name: "ann",
      password_hash: expect.stringMatching(/^[A-Za-z0-9+/]{48,}$/),
      hashing_algorithm: parity ? sha256 : "scrypt",
      tags: ["management", "other"],
      limits: {},
    });
    expect((await as(broker, "ann", "secret").get("/whoami")).status).toBe(200);
  });

  it.skipIf(parity)("hashes a password as it is asked to, so that an export loads into RabbitMQ", async () => {
    const user = { password: "secret", tags: "management", hashing_algorithm: sha256 };
    expect((await admin.put("/users/portable", user)).status).toBe(201);
    expect(await admin.read("/users/portable")).toMatchObject({
      password_hash: expect.stringMatching(/^[A-Za-z0-9+/]{48}$/),
      hashing_algorithm: sha256,
    });
    expect((await as(broker, "portable", "secret").get("/whoami")).status).toBe(200);
    await admin.must("DELETE", "/users/portable");
  });

  it("adds a user by the hash of the password", async () => {
    const hash = { password_hash: hashOfAlice, hashing_algorithm: sha256 };
    expect((await admin.put("/users/alice", { ...hash, tags: ["administrator"] })).status).toBe(201);
    expect(await admin.read("/users/alice")).toMatchObject({ ...hash, tags: ["administrator"] });
    expect((await as(broker, "alice", "alice-pw").get("/whoami")).status).toBe(200);
  });

  it("replaces a user, whose old password works no more", async () => {
    await admin.must("PUT", "/users/ben", { password: "old", tags: "management" });
    expect((await admin.put("/users/ben", { password: "new", tags: "monitoring" })).status).toBe(204);
    expect((await as(broker, "ben", "old").get("/whoami")).status).toBe(401);
    expect((await as(broker, "ben", "new").get("/whoami")).body).toMatchObject({ tags: ["monitoring"] });
  });

  it("adds users who cannot log in by password", async () => {
    expect((await admin.put("/users/locked", { password_hash: "", tags: "management" })).status).toBe(201);
    expect((await admin.put("/users/none", { tags: "management" })).status).toBe(201);
    for (const name of ["locked", "none"]) expect((await as(broker, name, "").get("/whoami")).status).toBe(401);
  });

  it("deletes a user with their permissions and sends their clients away", async () => {
    await addUser(broker, "victim", [], "/");
    await admin.must("PUT", "/topic-permissions/%2F/victim", { exchange: "amq.topic", write: "a", read: "b" });
    const connection = await connect(`amqp://victim:victim-pw@${broker.host}:${broker.port}`);
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    const closed = forcedClose(connection);
    expect((await admin.delete("/users/victim")).status).toBe(204);
    expect(await closed).toContain("CONNECTION_FORCED - user 'victim' is deleted");
    expect((await admin.get("/users/victim")).body).toEqual(notFound);
    expect((await admin.delete("/users/victim")).status).toBe(404);
    for (const list of ["/permissions", "/topic-permissions"]) {
      expect(await admin.read(list)).not.toContainEqual(expect.objectContaining({ user: "victim" }));
    }
  });

  it("deletes several users, or none of them when one is unknown", async () => {
    for (const name of ["one", "two"]) await addUser(broker, name, []);
    const { status, body } = await admin.post("/users/bulk-delete", { users: ["one", "never-was"] });
    expect({ status, body }).toEqual({ status: 400, body: badRequest("no user 'never-was'") });
    expect((await admin.get("/users/one")).status).toBe(200);
    expect((await admin.post("/users/bulk-delete", { users: ["one", "two"] })).status).toBe(204);
    for (const name of ["one", "two"]) expect((await admin.get(`/users/${name}`)).status).toBe(404);
  });

  it("lists users, and those who may do nothing", async () => {
    await addUser(broker, "idle", []);
    const all = await admin.read("/users?columns=name");
    for (const name of ["guest", "idle", "manager"]) expect(all).toContainEqual({ name });
    const idle = await admin.read("/users/without-permissions?columns=name");
    expect(idle).toContainEqual({ name: "idle" });
    expect(idle).not.toContainEqual({ name: "guest" });
  });

  it("is for administrators only", async () => {
    for (const [method, path] of [
      ["GET", "/users"],
      ["GET", "/users/without-permissions"],
      ["GET", "/users/guest"],
      ["GET", "/users/guest/permissions"],
      ["GET", "/users/guest/topic-permissions"],
      ["PUT", "/users/manager"],
      ["DELETE", "/users/guest"],
      ["POST", "/users/bulk-delete"],
      ["GET", "/auth/hash_password/secret"],
    ] as const) {
      const { status, body } = await manager.request(method, path);
      expect({ method, path, status, body }).toEqual({
        method,
        path,
        status: 401,
        body: notAuthorised("Not administrator user"),
      });
    }
    expect((await admin.get("/users/guest")).status).toBe(200);
  });

  it("remembers users over a crash", async (context) => {
    needsOwnBroker(context);
    await addUser(broker, "durable", ["monitoring"]);
    await broker.kill9();
    await broker.restart();
    expect((await as(broker, "durable", "durable-pw").get("/whoami")).body).toMatchObject({ tags: ["monitoring"] });
  });

  it("hashes a password for those who write definitions", async () => {
    const { body } = await admin.get("/auth/hash_password/pass%2Fword");
    expect(body).toEqual({ ok: expect.any(String) });
    await admin.must("PUT", "/users/hashed", { password_hash: Object(body).ok, tags: "management" });
    expect((await as(broker, "hashed", "pass/word").get("/whoami")).status).toBe(200);
  });

  it.each([
    [{ password: "x" }, "tags_not_present"],
    [{ password: "x", password_hash: "eA==", tags: "" }, "both_password_and_password_hash_are_provided"],
    [{ password: 5, tags: "" }, "'password' should be a string"],
    [{ password: "x", tags: 5 }, "'tags' should be a list"],
    [{ password: "x", tags: ["a", null] }, "'tags' should be a list of strings"],
    [{ password_hash: "%%", tags: "" }, "the password hash of user 'bad' is not base64"],
    [{ password_hash: "", hashing_algorithm: "rot13", tags: "" }, "unknown password hashing algorithm 'rot13'"],
    ['"{}"', expect.stringContaining("JSON-decoded to a string")],
    ["[]", "not_json"],
    ["nonsense", "not_json"],
  ])("refuses %j and adds nobody", async (content, reason) => {
    const { status, body } = await admin.put("/users/bad", content);
    expect({ status, body }).toEqual({ status: 400, body: badRequest(reason) });
    expect((await admin.get("/users/bad")).status).toBe(404);
  });

  it("refuses names that AMQP could not carry", async () => {
    const { status, body } = await admin.put(`/users/${"x".repeat(256)}`, { password: "x", tags: "" });
    expect({ status, body }).toEqual({ status: 400, body: badRequest("user name of 256 bytes: 255 are allowed") });
  });
});
