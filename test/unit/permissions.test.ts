import { beforeEach, describe, expect, it } from "vitest";
import { type Access, Permissions } from "../../src/permissions.ts";
import { RecordingStore } from "../support/recording-store.ts";

let store: RecordingStore;
let permissions: Permissions;

beforeEach(() => {
  store = new RecordingStore();
  permissions = new Permissions(store);
});

const ann = { vhost: "/", user: "ann", configure: "^ann\\.", write: ".*", read: "" };
const annOnTopic = { vhost: "/", user: "ann", exchange: "amq.topic", write: "^{username}\\.{vhost}\\.", read: "^a" };

function allowed(access: Access, names: readonly string[]): string[] {
  return names.filter((name) => permissions.allows("ann", "/", access, name));
}

describe("permissions", () => {
  it("allow what the pattern for the kind of access matches", () => {
    permissions.set(ann);
    const names = ["ann.q", "bob.q", "x.ann.q", ""];
    expect(allowed("configure", names)).toEqual(["ann.q"]);
    expect(allowed("write", names)).toEqual(names);
    expect(allowed("read", names)).toEqual([]);
  });

  it("check the default exchange as amq.default", () => {
    permissions.set({ ...ann, write: "^amq\\.default$" });
    expect(allowed("write", ["", "amq.default", "q"])).toEqual(["", "amq.default"]);
  });

  it("are of one user in one vhost", () => {
    permissions.set(ann);
    expect(permissions.allows("bob", "/", "write", "q")).toBe(false);
    expect(permissions.allows("ann", "other", "write", "q")).toBe(false);
  });

  it("open the vhost, whatever they match", () => {
    permissions.set({ ...ann, configure: "", write: "", read: "" });
    expect(permissions.allowsVhost("ann", "/")).toBe(true);
    expect(permissions.allowsVhost("ann", "other")).toBe(false);
    expect(permissions.allowsVhost("bob", "/")).toBe(false);
  });

  it("take effect at once, and move the version, when they change", () => {
    const versions = [permissions.version];
    const change = (act: () => unknown, expected: readonly string[]) => {
      act();
      versions.push(permissions.version);
      expect(allowed("configure", ["ann.q", "q"])).toEqual(expected);
    };
    change(() => permissions.set(ann), ["ann.q"]);
    change(() => permissions.set({ ...ann, configure: "^q$" }), ["q"]);
    change(() => permissions.setTopic(annOnTopic), ["q"]);
    change(() => permissions.clearTopic("/", "ann", "amq.topic"), ["q"]);
    change(() => permissions.clear("/", "ann"), []);
    change(() => permissions.restore({ kind: "permission", ...ann }), ["ann.q"]);
    change(() => permissions.restore({ kind: "topic-permission", ...annOnTopic }), ["ann.q"]);
    expect(new Set(versions).size).toBe(versions.length);
  });

  it("are listed, found, stored and removed", () => {
    permissions.set(ann);
    permissions.set({ ...ann, read: "x" });
    expect([...permissions.list()]).toEqual([{ ...ann, read: "x" }]);
    expect(permissions.find("/", "ann")).toEqual({ ...ann, read: "x" });
    expect(store.definitions).toEqual([{ kind: "permission", ...ann, read: "x" }]);
    expect([permissions.clear("/", "ann"), permissions.clear("/", "ann")]).toEqual([true, false]);
    expect([store.definitions, permissions.find("/", "ann")]).toEqual([[], undefined]);
  });

  it("come back from what is stored without being stored again", () => {
    permissions.restore({ kind: "permission", ...ann });
    permissions.restore({ kind: "topic-permission", ...annOnTopic });
    expect([[...permissions.list()], [...permissions.listTopics()]]).toEqual([[ann], [annOnTopic]]);
    expect(store.definitions).toEqual([]);
  });

  it("with a pattern that cannot be read are refused and change nothing", () => {
    const version = permissions.version;
    for (const bad of [{ configure: "(" }, { write: "(" }, { read: "(" }]) {
      expect(() => permissions.set({ ...ann, ...bad })).toThrow("invalid regular expression '(': missing closing )");
    }
    expect(() => permissions.setTopic({ ...annOnTopic, read: "[" })).toThrow("invalid regular expression '['");
    expect([permissions.version, store.definitions]).toEqual([version, []]);
  });

  it("that were stored with such a pattern allow nothing by it", () => {
    permissions.restore({ kind: "permission", ...ann, configure: "(" });
    expect([allowed("configure", ["q"]), allowed("write", ["q"])]).toEqual([[], ["q"]]);
  });

  it("go with their user or vhost", () => {
    for (const [vhost, user] of [
      ["/", "ann"],
      ["v", "ann"],
      ["v", "bob"],
    ] as const) {
      permissions.set({ ...ann, vhost, user });
      permissions.setTopic({ ...annOnTopic, vhost, user });
    }
    permissions.forgetUser("ann");
    const left = { vhost: "v", user: "bob" };
    expect(store.definitions).toMatchObject([
      { kind: "permission", ...left },
      { kind: "topic-permission", ...left },
    ]);
    permissions.forgetVhost("v");
    expect(store.definitions).toEqual([]);
  });
});

describe("topic permissions", () => {
  const write = (routingKey: string, user = "ann", vhost = "/", exchange = "amq.topic") =>
    permissions.allowsTopic(user, vhost, "write", exchange, routingKey);

  it("restrict the routing keys of one exchange, and where there is none all keys may be used", () => {
    expect(write("any")).toBe(true);
    permissions.setTopic({ ...annOnTopic, write: "^a" });
    expect([write("a.b"), write("b.a")]).toEqual([true, false]);
    expect(write("b.a", "ann", "/", "other")).toBe(true);
    expect(write("b.a", "bob")).toBe(true);
    expect(permissions.allowsTopic("ann", "/", "read", "amq.topic", "b")).toBe(false);
    expect(permissions.findTopic("/", "ann", "amq.topic")).toMatchObject({ write: "^a" });
    expect(permissions.clearTopic("/", "ann", "other")).toBe(false);
  });

  it("may name the user and the vhost", () => {
    permissions.setTopic(annOnTopic);
    expect([write("ann./.x"), write("bob./.x"), write("ann.v.x")]).toEqual([true, false, false]);
  });

  it("take the characters of a user's name for what they are", () => {
    const user = ".*|$&";
    permissions.setTopic({ ...annOnTopic, user });
    expect([write(`${user}./.x`, user), write("ann./.x", user)]).toEqual([true, false]);
  });

  it("with the empty pattern match the empty key only", () => {
    permissions.setTopic({ ...annOnTopic, write: "" });
    expect([write(""), write("a")]).toEqual([true, false]);
  });
});
