import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { type ClientProgram, describeWith, pythonWith, runToEnd } from "../support/programs.ts";

const broker = useBroker();
const collection = "ansible_collections.community.rabbitmq.plugins.modules";
const ansible: ClientProgram = {
  ...pythonWith("ansible_collections.community.rabbitmq"),
  name: "Ansible with community.rabbitmq",
  install: "apt-get install ansible",
};
const vhost = unique("ansible");
const user = unique("ansible-user");
const at = { vhost };
/** The modules that use the HTTP API; the others call rabbitmqctl. */
const overHttp = new Set(["rabbitmq_exchange", "rabbitmq_queue", "rabbitmq_binding"]);
let bin: string;

beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), "tsbroker-ansible-"));
  for (const name of ["rabbitmqctl", "rabbitmq-plugins", "rabbitmq-diagnostics", "rabbitmq-upgrade"]) {
    symlinkSync(join(import.meta.dirname, "../../dist/bin/brokerctl.js"), join(bin, name));
  }
});

afterAll(() => rmSync(bin, { recursive: true }));

/** Steps of a role, in this order: the module and what it is told. */
const steps: readonly (readonly [module: string, args: Readonly<Record<string, unknown>>])[] = [
  ["rabbitmq_vhost", { name: vhost, tracing: true }],
  [
    "rabbitmq_user",
    {
      user,
      password: "old",
      tags: "management,policymaker",
      permissions: [{ vhost, configure_priv: ".*", write_priv: "^a", read_priv: "" }],
      topic_permissions: [{ vhost, exchange: "amq.topic", write_priv: "^t", read_priv: ".*" }],
      update_password: "always",
    },
  ],
  ["rabbitmq_user_limits", { user, max_connections: 4, max_channels: 5 }],
  ["rabbitmq_vhost_limits", { ...at, max_connections: 6, max_queues: 7 }],
  ["rabbitmq_policy", { ...at, name: "short", pattern: "^q", tags: { "max-length": 9 }, priority: "3" }],
  ["rabbitmq_policy", { ...at, name: "of queues", pattern: ".*", apply_to: "queues", tags: { expires: 90_000 } }],
  ["rabbitmq_global_parameter", { name: vhost, value: '{"a":1}' }],
  ["rabbitmq_exchange", { ...at, name: "x", type: "topic" }],
  ["rabbitmq_queue", { ...at, name: "q", message_ttl: 1000, max_length: 5, max_priority: 3 }],
  ["rabbitmq_binding", { ...at, name: "x", destination: "q", type: "queue", routing_key: "a.#" }],
  ["rabbitmq_binding", { ...at, name: "x", destination: "q", type: "queue", routing_key: "a.#", state: "absent" }],
  ["rabbitmq_queue", { ...at, name: "q", state: "absent" }],
  ["rabbitmq_exchange", { ...at, name: "x", state: "absent" }],
  ["rabbitmq_global_parameter", { name: vhost, state: "absent" }],
  ["rabbitmq_policy", { ...at, name: "short", state: "absent" }],
  ["rabbitmq_vhost_limits", { ...at, state: "absent" }],
  ["rabbitmq_user_limits", { user, state: "absent" }],
  ["rabbitmq_user", { user, state: "absent" }],
  ["rabbitmq_vhost", { name: vhost, state: "absent" }],
  ["rabbitmq_upgrade", { action: "drain" }],
  ["rabbitmq_upgrade", { action: "revive" }],
];

describeWith(ansible, "a role of community.rabbitmq", (python) => {
  async function play(module: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { hostname, port } = new URL(broker.managementUrl);
    const address = overHttp.has(module) ? { login_host: hostname, login_port: port } : {};
    const { stdout, stderr } = await runToEnd(python, ["-m", `${collection}.${module}`], {
      input: JSON.stringify({ ANSIBLE_MODULE_ARGS: { ...args, ...address } }),
      env: {
        PATH: `${bin}${delimiter}${process.env["PATH"]}`,
        TSBROKER_URL: broker.managementUrl,
        XDG_CONFIG_HOME: "/nonexistent",
      },
    });
    expect(stdout, stderr).toMatch(/^\s*\{/);
    return JSON.parse(stdout);
  }

  it.each(steps)("changes what is not so yet and nothing the second time: %s %j", async (module, args) => {
    expect(await play(module, args)).toMatchObject({ changed: true });
    expect(await play(module, args)).toMatchObject({ changed: false });
  });

  it.each(["await_online_quorum_plus_one", "await_online_synchronized_mirror", "post_upgrade"])(
    "upgrades one node as those of a cluster: %s",
    async (action) => expect(await play("rabbitmq_upgrade", { action })).not.toMatchObject({ failed: true }),
  );

  it("finds enabled what is built in", async () => {
    expect(await play("rabbitmq_plugin", { names: "rabbitmq_management" })).toMatchObject({ changed: false });
    expect(await play("rabbitmq_feature_flag", { name: "quorum_queue" })).toMatchObject({ changed: false });
  });
});
