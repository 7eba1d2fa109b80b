import { beforeAll, describe, expect, it } from "vitest";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import {
  addUser,
  asGuest,
  badRequest,
  everything,
  type ManagementClient,
  notAuthorised,
  notFound,
} from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);
const vhost = encodeURIComponent("a/b ü");
let manager: ManagementClient;

beforeAll(async () => {
  manager = await addUser(broker, "manager", ["management", "policymaker", "monitoring"], "/");
  await addUser(broker, "ann", []);
  await addUser(broker, "ben", []);
  await admin.must("PUT", `/vhosts/${vhost}`);
});

describe("/api/permissions", () => {
  const some = { configure: "^ann-", write: "", read: ".*" };
  const ofAnn = { user: "ann", vhost: "a/b ü", ...some };

  it("gives a user permissions on a vhost and takes them away", async () => {
    expect((await admin.put(`/permissions/${vhost}/ann`, everything)).status).toBe(201);
    expect((await admin.put(`/permissions/${vhost}/ann`, some)).status).toBe(204);
    expect(await admin.read(`/permissions/${vhost}/ann`)).toEqual(ofAnn);
    expect(await admin.read("/permissions")).toContainEqual(ofAnn);
    expect(await admin.read(`/vhosts/${vhost}/permissions`)).toContainEqual(ofAnn);
    expect(await admin.read("/users/ann/permissions")).toEqual([ofAnn]);
    expect((await admin.delete(`/permissions/${vhost}/ann`)).status).toBe(204);
    for (const method of ["GET", "DELETE"]) {
      const { status, body } = await admin.request(method, `/permissions/${vhost}/ann`);
      expect({ status, body }).toEqual({ status: 404, body: notFound });
    }
  });

  it("needs a vhost and a user that exist", async () => {
    for (const path of ["/permissions/nowhere/ann", "/permissions/%2F/nobody"]) {
      const { status, body } = await admin.put(path, everything);
      expect({ status, body }).toEqual({ status: 400, body: badRequest("vhost_or_user_not_found") });
      expect((await admin.get(path)).status).toBe(404);
    }
    expect((await admin.get("/vhosts/nowhere/permissions")).status).toBe(404);
    expect((await admin.get("/users/nobody/permissions")).status).toBe(404);
  });

  it("is for administrators only", async () => {
    for (const [method, path] of [
      ["GET", "/permissions"],
      ["GET", "/permissions/%2F/guest"],
      ["PUT", "/permissions/%2F/manager"],
      ["DELETE", "/permissions/%2F/guest"],
      ["GET", "/topic-permissions"],
      ["GET", "/topic-permissions/%2F/guest"],
      ["PUT", "/topic-permissions/%2F/manager"],
      ["DELETE", "/topic-permissions/%2F/guest"],
    ] as const) {
      const { status, body } = await manager.request(method, path);
      expect({ path, status, body }).toEqual({ path, status: 401, body: notAuthorised("Not administrator user") });
    }
    expect((await admin.get("/permissions/%2F/guest")).status).toBe(200);
  });

  it("remembers permissions over a crash", async (context) => {
    needsOwnBroker(context);
    await admin.must("PUT", "/permissions/%2F/ben", some);
    await broker.kill9();
    await broker.restart();
    expect(await admin.read("/users/ben/permissions")).toEqual([{ user: "ben", vhost: "/", ...some }]);
  });

  it.each([
    [{}, "[{key_missing,configure},{key_missing,write},{key_missing,read}]"],
    [{ configure: "", write: "" }, "[{key_missing,read}]"],
    [{ ...everything, read: 1 }, "'read' should be a string"],
    [{ ...everything, read: "*" }, expect.stringContaining("invalid regular expression '*'")],
    ["{", "not_json"],
  ])("refuses %j and permits nothing", async (content, reason) => {
    const { status, body } = await admin.put(`/permissions/${vhost}/ben`, content);
    expect({ status, body }).toEqual({ status: 400, body: badRequest(reason) });
    expect((await admin.get(`/permissions/${vhost}/ben`)).status).toBe(404);
  });
});

describe("/api/topic-permissions", () => {
  const path = `/topic-permissions/${vhost}/ann`;
  const first = { exchange: "amq.topic", write: "^a", read: ".*" };
  const second = { exchange: "other", write: "^{username}\\.", read: "" };
  const row = (permission: object) => ({ user: "ann", vhost: "a/b ü", ...permission });

  it("restricts a user's routing keys, one exchange at a time", async () => {
    expect((await admin.put(path, first)).status).toBe(201);
    expect((await admin.put(path, second)).status).toBe(204);
    expect(await admin.read(path)).toEqual([row(first), row(second)]);
    expect(await admin.read(`${path}/other`)).toEqual([row(second)]);
    expect(await admin.read("/topic-permissions")).toEqual([row(first), row(second)]);
    expect(await admin.read(`/vhosts/${vhost}/topic-permissions`)).toEqual([row(first), row(second)]);
    expect(await admin.read("/users/ann/topic-permissions")).toEqual([row(first), row(second)]);
    expect((await admin.delete(`${path}/other`)).status).toBe(204);
    expect((await admin.delete(`${path}/other`)).status).toBe(404);
    expect((await admin.delete(path)).status).toBe(204);
    expect((await admin.get(path)).status).toBe(404);
  });

  it.each([
    [{ write: "", read: "" }, "[{key_missing,exchange}]"],
    [{ ...first, write: "(" }, expect.stringContaining("invalid regular expression '('")],
  ])("refuses %j and restricts nothing", async (content, reason) => {
    const { status, body } = await admin.put(path, content);
    expect({ status, body }).toEqual({ status: 400, body: badRequest(reason) });
    expect((await admin.get(path)).status).toBe(404);
  });
});
