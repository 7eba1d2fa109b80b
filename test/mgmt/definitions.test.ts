import { beforeAll, describe, expect, it } from "vitest";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import {
  addUser,
  as,
  asGuest,
  badRequest,
  everything,
  type ManagementClient,
  notAuthorised,
  vhostNotFound,
} from "../support/management.ts";

const broker = useBroker();
const admin = asGuest(broker);
let manager: ManagementClient;

beforeAll(async () => {
  manager = await addUser(broker, "manager", ["management", "policymaker", "monitoring"], "/");
});

const vhost = "a/b ü";
const at = encodeURIComponent(vhost);
const sha256 = "rabbit_password_hashing_sha256";

/** As RabbitMQ exports it; the password of alice is alice-pw. */
const document = {
  rabbit_version: "3.10.8",
  rabbitmq_version: "3.10.8",
  product_name: "RabbitMQ",
  users: [
    {
      name: "alice",
      password_hash: "TW1mAKBe6TDZ5VIvxxEBkTwMMrZk50mfD/hBWUXHssghOxsC",
      hashing_algorithm: sha256,
      tags: ["administrator"],
      limits: { "max-channels": 20 },
    },
  ],
  vhosts: [{ name: vhost, metadata: { description: "imported", tags: ["t"], default_queue_type: "quorum" } }],
  permissions: [{ user: "alice", vhost, ...everything }],
  topic_permissions: [{ user: "alice", vhost, exchange: "amq.topic", write: "^{username}", read: ".*" }],
  parameters: [
    {
      component: "operator_policy",
      vhost,
      name: "bound",
      value: { pattern: "^o", "apply-to": "queues", definition: { "max-length": 5 }, priority: 0 },
    },
    { component: "vhost-limits", vhost, name: "limits", value: { "max-queues": 3 } },
  ],
  global_parameters: [
    { name: "cluster_name", value: "other" },
    { name: "mqtt_default_vhosts", value: { "O=client": "/" } },
  ],
  policies: [
    {
      vhost,
      name: "dlx",
      pattern: "^orders",
      "apply-to": "all",
      definition: { "dead-letter-exchange": "rest" },
      priority: 2,
    },
  ],
  queues: [
    {
      name: "orders",
      vhost,
      durable: true,
      auto_delete: false,
      arguments: { "x-message-ttl": 60_000, "x-max-priority": 5 },
    },
    { name: "amq.gen-given", vhost, durable: true, auto_delete: true, arguments: {} },
    { name: "quorum", vhost, type: "quorum", durable: true, auto_delete: false, arguments: {} },
  ],
  exchanges: [
    {
      name: "shop",
      vhost,
      type: "topic",
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: { "alternate-exchange": "rest" },
    },
    { name: "rest", vhost, type: "headers", durable: true, auto_delete: true, internal: true, arguments: {} },
  ],
  bindings: [
    { source: "shop", vhost, destination: "orders", destination_type: "queue", routing_key: "orders.#", arguments: {} },
    {
      source: "rest",
      vhost,
      destination: "shop",
      destination_type: "exchange",
      routing_key: "",
      arguments: { "x-match": "all", a: 1 },
    },
  ],
};

const inVhost = (rows: readonly { vhost: string }[]) => rows.map(({ vhost: _, ...row }) => row);

async function refused(content: unknown, reason: unknown, path = "/definitions"): Promise<void> {
  const before = await admin.read("/definitions");
  const { status, body } = await admin.post(path, content);
  expect({ status, body }).toEqual({ status: 400, body: badRequest(reason) });
  expect(await admin.read("/definitions")).toEqual(before);
}

describe("/api/definitions", () => {
  it("takes in what RabbitMQ exported, and gives it out again", async () => {
    expect((await admin.post("/definitions", document)).status).toBe(204);
    const exported = Object(await admin.read("/definitions"));
    expect(exported.rabbitmq_definition_format).toBe("cluster");
    expect(exported.users).toContainEqual(document.users[0]);
    expect(exported.vhosts).toContainEqual({
      name: vhost,
      description: "imported",
      tags: ["t"],
      default_queue_type: "quorum",
      metadata: { description: "imported", tags: ["t"], default_queue_type: "quorum" },
      limits: [],
    });
    for (const part of [
      "permissions",
      "topic_permissions",
      "parameters",
      "global_parameters",
      "policies",
      "exchanges",
      "bindings",
    ] as const) {
      for (const row of document[part]) expect(exported[part]).toContainEqual(row);
    }
    const [orders, given, quorum] = document.queues;
    const { type: _, ...named } = { type: "", ...quorum };
    const typed = { ...named, arguments: { "x-queue-type": "quorum" } };
    for (const queue of [orders, given, typed]) expect(exported.queues).toContainEqual(queue);
    expect((await as(broker, "alice", "alice-pw").get("/whoami")).status).toBe(200);
    expect(await admin.read(`/queues/${at}/orders`)).toMatchObject({
      policy: "dlx",
      operator_policy: "bound",
      effective_policy_definition: { "dead-letter-exchange": "rest", "max-length": 5 },
    });
  });

  it("takes in what RabbitMQ 4 exported, with what is new there", async () => {
    const four = {
      rabbit_version: "4.1.0",
      rabbitmq_version: "4.1.0",
      product_name: "RabbitMQ",
      product_version: "4.1.0",
      rabbitmq_definition_format: "cluster",
      original_cluster_name: "rabbit@four",
      explanation: "Definitions of cluster 'rabbit@four'",
      users: [{ ...document.users[0], name: "four", limits: {} }],
      vhosts: [
        {
          name: "four",
          description: "",
          tags: [],
          default_queue_type: "classic",
          metadata: { description: "", tags: [], default_queue_type: "classic" },
          limits: { "max-queues": 7 },
        },
      ],
      permissions: [{ user: "four", vhost: "four", ...everything }],
      topic_permissions: [],
      parameters: [],
      global_parameters: [
        { name: "cluster_tags", value: [] },
        { name: "internal_cluster_id", value: "rabbitmq-cluster-id-a" },
      ],
      policies: [
        {
          vhost: "four",
          name: "limit",
          pattern: "^q",
          "apply-to": "quorum_queues",
          definition: { "delivery-limit": 5, "max-length": 9 },
          priority: 0,
        },
      ],
      queues: ["classic", "quorum"].map((type) => ({
        name: `q-${type}`,
        vhost: "four",
        type,
        durable: true,
        auto_delete: false,
        arguments: { "x-queue-type": type },
      })),
      exchanges: [
        { name: "x", vhost: "four", type: "direct", durable: true, auto_delete: false, internal: false, arguments: {} },
      ],
      bindings: [],
    };
    expect(await admin.post("/definitions", four)).toMatchObject({ status: 204, body: undefined });
    expect((await as(broker, "four", "alice-pw").get("/whoami")).status).toBe(200);
    expect(await admin.read("/vhost-limits/four")).toEqual([{ vhost: "four", value: { "max-queues": 7 } }]);
    expect(await admin.read("/queues/four?columns=name,policy,type")).toEqual([
      { name: "q-classic", policy: null, type: "classic" },
      { name: "q-quorum", policy: "limit", type: "quorum" },
    ]);
  });

  it("keeps every digit of a 64-bit integer", async () => {
    const args = { "x-mine": 9223372036854775807n, "x-table": { least: -9223372036854775808n } };
    const queues = [{ name: "long", vhost: "/", durable: true, auto_delete: false, arguments: args }];
    await admin.must("POST", "/definitions", { queues });
    expect(Object(await admin.read("/definitions")).queues).toContainEqual(queues[0]);
    expect(await admin.read("/queues/%2F/long?columns=arguments")).toEqual({ arguments: args });
    const tooLong = { ...queues[0], name: "too-long", arguments: { "x-mine": 2n ** 63n } };
    await refused({ queues: [tooLong] }, "9223372036854775808 has more than 64 bits");
  });

  it("gives out and takes in one vhost", async () => {
    await admin.must("POST", "/definitions", document);
    const exported = Object(await admin.read(`/definitions/${at}`));
    expect(exported).not.toHaveProperty("users");
    expect(exported.exchanges).toEqual(inVhost(document.exchanges));
    expect(exported.bindings).toEqual(expect.arrayContaining(inVhost(document.bindings)));
    await admin.must("PUT", "/vhosts/copy");
    expect((await admin.post("/definitions/copy", exported)).status).toBe(204);
    const copied = Object(await admin.read("/definitions/copy"));
    for (const part of ["queues", "exchanges", "bindings", "policies", "parameters"])
      expect(copied[part]).toEqual(exported[part]);
    const read = await admin.get("/definitions/nowhere");
    expect([read.status, read.body]).toEqual([400, badRequest("vhost_not_found")]);
    const written = await admin.post("/definitions/nowhere", {});
    expect([written.status, written.body]).toEqual([404, vhostNotFound]);
  });

  it("leaves queues and exchanges alone that are there, and replaces users", async () => {
    await admin.must("PUT", "/queues/%2F/there", { durable: true });
    await admin.must("PUT", "/exchanges/%2F/there", { type: "fanout" });
    await addUser(broker, "bob", ["administrator"]);
    await admin.must("POST", "/definitions", {
      users: [{ name: "bob", password: "new-pw", tags: "management" }],
      queues: [{ name: "there", vhost: "/", durable: false, arguments: { "x-max-length": 1 } }],
      exchanges: [{ name: "there", vhost: "/", type: "topic" }],
    });
    expect(await admin.read("/queues/%2F/there?columns=durable,arguments")).toEqual({ durable: true, arguments: {} });
    expect(await admin.read("/exchanges/%2F/there?columns=type")).toEqual({ type: "fanout" });
    expect((await as(broker, "bob", "new-pw").get("/whoami")).body).toMatchObject({ tags: ["management"] });
  });

  it("leaves out bindings that lack an end, and says so in the log", async () => {
    const binding = { source: "none", vhost: "/", destination: "there", destination_type: "queue", routing_key: "#" };
    expect((await admin.post("/definitions", { bindings: [binding] })).status).toBe(204);
    expect(broker.log()).toContain("a binding was not imported");
  });

  it("is all on disk when it is answered", async (context) => {
    needsOwnBroker(context);
    await admin.must("POST", "/definitions", document);
    const before = await admin.read("/definitions");
    await broker.kill9();
    await broker.restart();
    const after = Object(await admin.read("/definitions"));
    for (const [part, rows] of Object.entries(Object(before))) {
      expect(after[part]).toEqual(Array.isArray(rows) ? expect.arrayContaining(transientFree(rows)) : rows);
    }
  });

  it("comes as a file when a name is given, and goes as one of a form", async () => {
    const { headers } = await admin.get("/definitions?download=my.json");
    expect(headers.get("content-disposition")).toBe("attachment; filename=my.json");
    const evil = await admin.get(`/definitions?download=${encodeURIComponent('a";\r\nx-evil: 1')}`);
    expect(evil.headers.get("content-disposition")).toBe("attachment; filename=a____x-evil__1");
    const form = [
      "------b",
      'Content-Disposition: form-data; name="file"; filename="d.json"',
      "Content-Type: application/json",
      "",
      '{"vhosts": [{"name": "of-a-form"}]}',
      "------b--",
      "",
    ].join("\r\n");
    const type = { "content-type": "multipart/form-data; boundary=----b" };
    expect((await admin.request("POST", "/definitions", { body: form, headers: type })).status).toBe(204);
    expect((await admin.get("/vhosts/of-a-form")).status).toBe(200);
    const empty = await admin.request("POST", "/definitions", { body: "------b--", headers: type });
    expect(empty.body).toEqual(badRequest("the form has no part 'file'"));
  });

  it("does not give out exclusive queues", async () => {
    const exported = Object(await admin.read("/definitions"));
    expect(exported.queues.every((queue: { exclusive?: boolean }) => queue.exclusive === undefined)).toBe(true);
    expect(exported.exchanges.some(({ name }: { name: string }) => name.startsWith("amq."))).toBe(false);
  });

  const queue = { name: "new", vhost: "/", durable: true };

  it.each([
    ["a user without tags", { users: [{ name: "x" }] }, "tags_not_present"],
    [
      "a hash that is none",
      { users: [{ name: "x", tags: "", password_hash: "%" }] },
      expect.stringContaining("not base64"),
    ],
    ["a queue in a vhost that is not there", { queues: [{ ...queue, vhost: "nowhere" }] }, "no vhost 'nowhere'"],
    ["a permission of nobody", { permissions: [{ vhost: "/", user: "nobody", ...everything }] }, "no user 'nobody'"],
    [
      "a pattern that is none",
      { permissions: [{ vhost: "/", user: "guest", ...everything, read: "(" }] },
      expect.stringContaining("invalid regular expression"),
    ],
    [
      "a topic pattern that is none",
      { topic_permissions: [{ vhost: "/", user: "guest", exchange: "", write: "(", read: "" }] },
      expect.stringContaining("invalid regular expression"),
    ],
    [
      "a queue with a bad argument",
      { queues: [queue, { ...queue, name: "bad", arguments: { "x-message-ttl": -1 } }] },
      expect.stringContaining("invalid arg 'x-message-ttl' for queue 'bad'"),
    ],
    ["a stream", { queues: [{ ...queue, type: "stream" }] }, expect.stringContaining("stream")],
    [
      "a rule that no policy may have, by the policy's name",
      { policies: [{ name: "upstream", vhost: "/", pattern: "", definition: { "federation-upstream-set": "all" } }] },
      "policy 'upstream' in vhost '/': Validation failed\n\nfederation-upstream-set are not recognised policy settings\n",
    ],
    [
      "an exchange of a type unknown here",
      { queues: [queue], exchanges: [{ name: "x", vhost: "/", type: "x-jms-topic" }] },
      "unknown exchange type 'x-jms-topic'",
    ],
    [
      "an exchange with a reserved name",
      { exchanges: [{ name: "amq.mine", vhost: "/", type: "direct" }] },
      "exchange name 'amq.mine' contains reserved prefix 'amq.*'",
    ],
    [
      "an alternate exchange that is no name",
      { exchanges: [{ name: "x", vhost: "/", type: "direct", arguments: { "alternate-exchange": 1 } }] },
      expect.stringContaining("invalid type 'long'"),
    ],
    [
      "a binding to what cannot be bound",
      { bindings: [{ source: "a", vhost: "/", destination: "b", destination_type: "stream" }] },
      "unknown destination type 'stream'",
    ],
    [
      "arguments that a headers exchange does not understand",
      {
        queues: [queue],
        bindings: [
          {
            source: "amq.headers",
            vhost: "/",
            destination: "new",
            destination_type: "queue",
            arguments: { "x-match": "some" },
          },
        ],
      },
      expect.stringContaining("x-match"),
    ],
    [
      "the same in a vhost that is yet to be made",
      {
        vhosts: [{ name: "unmade" }],
        queues: [{ ...queue, vhost: "unmade" }],
        bindings: [
          {
            source: "amq.headers",
            vhost: "unmade",
            destination: "new",
            destination_type: "queue",
            arguments: { "x-match": "some" },
          },
        ],
      },
      expect.stringContaining("x-match"),
    ],
    ["a list that is none", { queues: {} }, "'queues' should be a list"],
    ["a member that is no object", { queues: [5] }, "'queues' should be a list of objects"],
    ["half a document", '{"users":', "failed_to_parse_json"],
  ])("refuses %s, and then changes nothing at all", async (_what, content, reason) => {
    await refused(content, reason);
  });

  it("refuses parameters of what is not here rather than lose them", async () => {
    const parameters = [{ component: "shovel", vhost: "/", name: "s", value: {} }];
    await refused({ parameters, queues: [queue] }, "not supported in definitions: parameters of component 'shovel'");
  });

  it.each([
    ["policies", { policies: [{ name: "p", vhost: "/", pattern: "(", definition: { "max-length": 1 } }] }],
    ["policies", { policies: [{ name: "p", vhost: "/", pattern: "", definition: { nonsense: 1 } }] }],
    ["limits of users", { users: [{ name: "x", tags: "", limits: { "max-nonsense": 1 } }] }],
    ["limits of vhosts", { vhosts: [{ name: "x", limits: [{ name: "max-nonsense", value: 1 }] }] }],
  ])("refuses %s that cannot be followed", async (_what, content) => {
    await refused({ ...content, queues: [queue] }, expect.stringContaining("Validation failed"));
  });

  it("is for administrators only", async () => {
    for (const [method, path] of [
      ["GET", "/definitions"],
      ["GET", "/all-configuration"],
      ["POST", "/definitions"],
      ["GET", "/definitions/%2F"],
      ["POST", "/definitions/%2F"],
    ] as const) {
      const { status, body } = await manager.request(method, path);
      expect({ path, status, body }).toEqual({ path, status: 401, body: notAuthorised("Not administrator user") });
    }
    expect((await admin.get("/all-configuration")).status).toBe(200);
  });
});

/** What must be there after a crash. */
function transientFree(rows: readonly unknown[]): unknown[] {
  return rows.filter((row) => Object(row).durable !== false);
}
