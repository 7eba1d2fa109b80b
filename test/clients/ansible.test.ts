import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { ansible, describeWith, run } from "../support/programs.ts";

const names = ["rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins", "rabbitmq-upgrade"];
const slow = 120_000;

interface Task {
  readonly module: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** What Ansible is to say of it. */
  readonly changed: boolean;
}

describeWith(ansible(), "Ansible's modules for RabbitMQ", (program) => {
  const broker = useBroker();
  const admin = asGuest(broker);
  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tsbroker-ansible-"));
    const script = join(import.meta.dirname, "../../dist/bin/brokerctl.js");
    for (const name of names) symlinkSync(script, join(directory, name));
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** Runs tasks in one play, each of which must say for itself whether it changed something. */
  async function play(tasks: readonly Task[]): Promise<void> {
    const file = join(directory, "play.json");
    const vars = { ansible_python_interpreter: "/usr/bin/python3" };
    const list = tasks.flatMap(({ module, args, changed }, index) => [
      { [`community.rabbitmq.rabbitmq_${module}`]: args, register: `result${index}` },
      {
        "ansible.builtin.assert": {
          that: `result${index}.changed == ${changed}`,
          fail_msg: `${module} ${JSON.stringify(args)} was to say changed ${changed}`,
        },
      },
    ]);
    const content = [{ hosts: "localhost", connection: "local", gather_facts: false, vars, tasks: list }];
    writeFileSync(file, JSON.stringify(content));
    const env = {
      HOME: directory,
      PATH: `${directory}:${process.env["PATH"]}`,
      TSBROKER_URL: broker.managementUrl,
    };
    await run(program, ["-i", "localhost,", file], { env, cwd: directory });
  }

  /** A task that changes something at first, and finds it so at the second time. */
  function twice(module: string, args: Task["args"]): Task[] {
    return [
      { module, args, changed: true },
      { module, args, changed: false },
    ];
  }

  it("sets up a vhost with users, permissions, limits and policies, and sees what is so already", {
    timeout: slow,
  }, async () => {
    const joe = {
      user: "joe",
      password: "secret",
      update_password: "always",
      tags: "monitoring,management",
      permissions: [{ vhost: "/ans", configure_priv: "^a", read_priv: ".*", write_priv: "" }],
      topic_permissions: [{ vhost: "/ans", exchange: "amq.topic", read_priv: ".*", write_priv: "^x" }],
    };
    const policy = {
      name: "limits",
      vhost: "/ans",
      pattern: ".*",
      apply_to: "queues",
      priority: 3,
      tags: { "max-length": 5 },
    };
    await play([
      ...twice("vhost", { name: "/ans", tracing: true }),
      ...twice("user", joe),
      ...twice("vhost_limits", { vhost: "/ans", max_connections: 64, max_queues: 256 }),
      ...twice("user_limits", { user: "joe", max_connections: 5, max_channels: 7 }),
      ...twice("policy", policy),
      { module: "plugin", args: { names: "rabbitmq_management", state: "enabled", new_only: true }, changed: false },
    ]);
    expect(await admin.read("/vhosts/%2Fans")).toMatchObject({ tracing: true });
    expect(await admin.read("/users/joe")).toMatchObject({ tags: ["monitoring", "management"] });
    expect(await admin.read("/permissions/%2Fans/joe")).toMatchObject({ configure: "^a", write: "", read: ".*" });
    expect(await admin.read("/policies/%2Fans/limits")).toMatchObject({ priority: 3, definition: { "max-length": 5 } });
    await play([
      { module: "policy", args: { ...policy, state: "absent" }, changed: true },
      ...twice("user", { user: "joe", state: "absent" }),
      ...twice("vhost", { name: "/ans", state: "absent" }),
    ]);
  });

  it("declares, binds and deletes over the HTTP API", { timeout: slow }, async () => {
    const login_port = new URL(broker.managementUrl).port;
    const at = { login_host: "127.0.0.1", login_port };
    const queue = { ...at, name: "aq", message_ttl: 60_000, max_length: 10, dead_letter_exchange: "aex" };
    const binding = { ...at, name: "aex", destination: "aq", destination_type: "queue", routing_key: "a.* b" };
    await play([
      ...twice("exchange", { ...at, name: "aex" }),
      ...twice("queue", queue),
      ...twice("binding", binding),
      ...twice("binding", { ...binding, state: "absent" }),
      ...twice("queue", { ...at, name: "aq", state: "absent" }),
      ...twice("exchange", { ...at, name: "aex", state: "absent" }),
    ]);
  });

  it("drains and revives the node around an upgrade", { timeout: slow }, async () => {
    await play([
      { module: "upgrade", args: { action: "await_online_quorum_plus_one" }, changed: true },
      ...twice("upgrade", { action: "drain" }),
      ...twice("upgrade", { action: "revive" }),
      { module: "upgrade", args: { action: "post_upgrade" }, changed: true },
      { module: "feature_flag", args: { name: "quorum_queue" }, changed: false },
    ]);
  });
});
