import { request } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { asGuest, badRequest, everything } from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);

const message = { properties: {}, routing_key: "q", payload: "x", payload_encoding: "string" };
const get = { count: 1, ackmode: "ack_requeue_true", encoding: "auto", truncate: 10 };
const policy = { pattern: "^a", definition: { "max-length": 5 }, priority: 1, "apply-to": "queues" };

/** Routes that take a body, with one that they take. */
const bodies: readonly (readonly [method: "PUT" | "POST", path: string, body: Readonly<Record<string, unknown>>])[] = [
  ["PUT", "/vhosts/bad", { description: "d", tags: "a", default_queue_type: "classic" }],
  ["PUT", "/users/bad", { password: "x", tags: "management", hashing_algorithm: "rabbit_password_hashing_sha256" }],
  ["POST", "/users/bulk-delete", { users: [] }],
  ["PUT", "/permissions/%2F/tester", everything],
  ["PUT", "/topic-permissions/%2F/tester", { exchange: "amq.topic", write: ".*", read: ".*" }],
  ["PUT", "/exchanges/%2F/bad", { type: "fanout", durable: true, auto_delete: false, internal: false, arguments: {} }],
  ["POST", "/exchanges/%2F/amq.default/publish", message],
  ["PUT", "/queues/%2F/bad", { durable: true, auto_delete: false, arguments: {}, node: undefined }],
  ["POST", "/queues/%2F/q/get", get],
  ["POST", "/queues/%2F/q/messages/move", { exchange: "", routing_key: "q", header: "a", body: "b" }],
  ["POST", "/queues/%2F/q/actions", { action: "sync" }],
  ["POST", "/bindings/%2F/e/amq.topic/q/q", { routing_key: "a", arguments: {} }],
  ["PUT", "/policies/%2F/bad", policy],
  ["PUT", "/operator-policies/%2F/bad", policy],
  ["PUT", "/vhost-limits/%2F/max-queues", { value: 1000 }],
  ["PUT", "/user-limits/guest/max-channels", { value: 1000 }],
  ["PUT", "/global-parameters/bad", { value: 1 }],
  ["PUT", "/cluster-name", { name: "same" }],
  ["POST", "/definitions", { users: [], vhosts: [], queues: [], exchanges: [], bindings: [], policies: [] }],
  ["POST", "/definitions/%2F", { queues: [], exchanges: [], bindings: [], policies: [], parameters: [] }],
];

/** What is no body: RabbitMQ's reasons. */
const noBodies: readonly (readonly [body: string, reason: string])[] = [
  ["{bad", "not_json"],
  ['{"a":', "not_json"],
  ["[]", "not_json"],
  ["5", "not_json"],
  ["true", "not_json"],
  ["\u0000", "not_json"],
  ["[".repeat(100_000), "not_json"],
  ['"{}"', "invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?"],
];

const wrongValues: readonly unknown[] = [
  5,
  -1,
  1.5,
  1e300,
  "maybe",
  true,
  [1],
  [[]],
  { a: 1 },
  { a: null },
  "x".repeat(70_000),
];

interface State {
  readonly definitions: unknown;
  readonly messages: unknown;
}

async function state(): Promise<State> {
  return {
    definitions: await admin.read("/definitions"),
    messages: await admin.read("/queues/%2F/q/messages"),
  };
}

beforeAll(async () => {
  await admin.must("PUT", "/queues/%2F/q");
  await admin.must("PUT", "/users/tester", { tags: "" });
  await admin.must("POST", "/exchanges/%2F/amq.default/publish", message);
  for (const [method, path, body] of bodies) await admin.must(method, path, body);
});

describe("a body that makes no sense", () => {
  it.each(bodies)("is refused at %s %s and changes nothing", async (method, path) => {
    const before = await state();
    for (const [body, reason] of noBodies) {
      const answer = await admin.request(method, path, { body });
      const words = path.startsWith("/definitions") ? "failed_to_parse_json" : reason;
      expect([body.slice(0, 20), answer.status, answer.body]).toEqual([body.slice(0, 20), 400, badRequest(words)]);
    }
    expect(await state()).toEqual(before);
  });

  it.each(bodies)(
    "with one field of a wrong type is refused, or taken, at %s %s, but never a fault",
    async (method, path, body) => {
      for (const name of Object.keys(body)) {
        let before = await state();
        for (const wrong of wrongValues) {
          const sent = JSON.stringify(wrong).slice(0, 20);
          const { status, body: answer } = await admin.request(method, path, { body: { ...body, [name]: wrong } });
          if (status < 300) {
            await admin.must(method, path, body);
            before = await state();
            continue;
          }
          expect([name, sent, status, answer]).toEqual([
            name,
            sent,
            expect.toSatisfy((each: number) => each >= 400 && each < 500),
            { error: expect.any(String), reason: expect.any(String) },
          ]);
        }
        expect(await state()).toEqual(before);
      }
    },
  );

  it("is refused when it is nested too deep to be written again", async () => {
    const deep = `{"value":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    const { status, body } = await admin.put("/global-parameters/deep", deep);
    expect([status, body]).toEqual([400, badRequest("the value of 'deep' is nested too deep")]);
    expect((await admin.get("/global-parameters/deep")).status).toBe(404);
  });

  it("of 100 MB is refused before it is sent", async () => {
    const { status, body } = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const headers = { authorization: `Basic ${btoa("guest:guest")}`, "content-length": 100_000_000 };
      const sending = request(`${broker.managementUrl}/api/definitions`, { method: "POST", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => {
          resolve({ status: response.statusCode, body: text });
          sending.destroy();
        });
      });
      sending.on("error", reject);
      sending.write("{");
    });
    expect([status, JSON.parse(body)]).toEqual([400, badRequest("Exceeded HTTP request body size limit")]);
  });
});

describe("a name that is too long", () => {
  const long = "ü".repeat(128);

  it.each([
    ["PUT", `/vhosts/${long}`, {}],
    ["PUT", `/users/${long}`, { tags: "" }],
    ["PUT", `/exchanges/%2F/${long}`, {}],
    ["PUT", `/queues/%2F/${long}`, {}],
    ["PUT", `/policies/%2F/${long}`, policy],
    ["POST", "/bindings/%2F/e/amq.topic/q/q", { routing_key: long }],
    ["POST", "/exchanges/%2F/amq.default/publish", { ...message, routing_key: long }],
  ])("is refused: %s %s", async (method, path, body) => {
    const before = await state();
    const answer = await admin.request(method, encodeURI(path).replaceAll("%25", "%"), { body });
    expect([answer.status, answer.body]).toEqual([400, badRequest(expect.stringContaining("255"))]);
    expect(await state()).toEqual(before);
  });

  it("finds nothing", async () => {
    for (const path of [
      `/vhosts/${long}`,
      `/queues/%2F/${long}`,
      `/queues/${long}`,
      `/users/${long}`,
      `/connections/${long}`,
    ]) {
      expect([path, (await admin.get(encodeURI(path).replaceAll("%25", "%"))).status]).toEqual([path, 404]);
    }
  });
});

describe("a regular expression that would take for ever", () => {
  const evil = "^(a+)+$";
  const name = `${"a".repeat(200)}!`;

  it("takes no longer than any other, wherever it is given", async () => {
    await admin.must("PUT", `/queues/%2F/${encodeURIComponent(name)}`);
    await admin.must("PUT", "/policies/%2F/evil", { ...policy, pattern: evil });
    await admin.must("PUT", "/users/evil", { password: "x", tags: "management" });
    await admin.must("PUT", "/permissions/%2F/evil", { configure: evil, write: evil, read: evil });
    const found = await admin.read(`/queues?page=1&use_regex=true&name=${encodeURIComponent(evil)}`);
    expect(found).toMatchObject({ filtered_count: 0 });
    const { policy: effective } = Object(await admin.read(`/queues/%2F/${encodeURIComponent(name)}`));
    expect(effective).not.toBe("evil");
  });
});
