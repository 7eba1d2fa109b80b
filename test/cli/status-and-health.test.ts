import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { freePort } from "../support/ports.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");
const noBroker = (url: string) => ({ env: { TSBROKER_URL: url } });

describe("status", () => {
  it("tells a person how the broker is", async () => {
    const text = await brokerctl.out("status");
    expect(text).toMatch(/^Status of node rabbit@\S+ \.\.\.\nRuntime\n\nOS PID: \d+\n/);
    expect(text).toContain("\nAlarms\n\n(none)\n");
    expect(text).toContain(`Interface: 127.0.0.1, port: ${broker.port}, protocol: amqp, purpose: AMQP 0-9-1\n`);
  });

  it("tells a program the same", async () => {
    expect(await brokerctl.json("status")).toMatchObject({
      pid: broker.pid,
      data_directory: broker.dataDir,
      config_files: [],
      log_files: ["<stdout>"],
      alarms: [],
      totals: { virtual_host_count: 1, queue_count: 0 },
      listeners: [{ protocol: "amqp", port: broker.port }, { protocol: "http" }],
    });
  });

  it("is no CSV", async () => {
    expect(await brokerctl.run(["status", "--formatter", "csv"])).toMatchObject({ exitCode: 70, stdout: "" });
  });

  it("has memory in the unit that is asked for", async () => {
    expect(await brokerctl.out("-q", "memory_breakdown", "--unit", "MB")).toMatch(
      /^heap_used: [\d.]+ mb \([\d.]+%\)$/m,
    );
    expect(await brokerctl.run(["memory_breakdown", "--unit", "stones"])).toMatchObject({ exitCode: 65 });
  });

  it("is part of a report, with all there is", async () => {
    const report = await brokerctl.out("report");
    for (const part of ["OS PID:", "Cluster name:", "Queues of vhost /", '"name":"amq.topic"']) {
      expect(report).toContain(part);
    }
  });
});

it("tells of a node that is drained, until it is revived", async () => {
  await brokerctl.out("drain");
  expect(await brokerctl.out("cluster_status")).toMatch(/^Node: \S+, status: under maintenance$/m);
  const { maintenance_status } = Object(await brokerctl.json("cluster_status"));
  expect(Object.values(maintenance_status)).toEqual(["under maintenance"]);
  await brokerctl.out("revive");
  expect(await brokerctl.out("cluster_status")).toMatch(/^Node: \S+, status: not under maintenance$/m);
});

describe("attempts to log in", () => {
  it("are counted by protocol, and anew after a reset", async () => {
    await brokerctl.out("reset_node_auth_attempt_metrics");
    const env = { TSBROKER_USER: "nobody", TSBROKER_PASSWORD: "wrong" };
    await brokerctl.run(["list_users"], { env });
    const rows = Object(await brokerctl.json("list_node_auth_attempt_stats"));
    const http = rows.find(({ protocol }: { protocol: string }) => protocol === "http");
    expect(http.auth_attempts_failed).toBe(1);
    expect(http.auth_attempts_succeeded).toBeLessThan(10);
  });
});

describe("health checks", () => {
  it.each([
    [["check_running"], "is fully booted and running"],
    [["is_running"], "is fully booted and running"],
    [["is_booting"], "is fully booted (check with is_running)"],
    [["check_alarms"], "reported no alarms, local or clusterwide"],
    [["check_local_alarms"], "reported no local alarms"],
    [["alarms"], "reported no alarms, local or clusterwide"],
    [["check_virtual_hosts"], "reported all vhosts as running"],
    [["check_port_connectivity"], "Successfully connected to ports"],
    [
      ["check_certificate_expiration", "--within", "2", "--unit", "months"],
      "No certificates are expiring within 2 months",
    ],
    [["log_location"], "<stdout>"],
    [["check_if_metadata_store_is_initialized"], "definitions are loaded"],
    [["check_if_metadata_store_is_initialized_with_data"], "definitions are loaded"],
    [
      ["check_for_quorum_queues_without_an_elected_leader", "--across-all-vhosts", ".*"],
      "every quorum queue has a leader",
    ],
    [["check_if_any_deprecated_features_are_used"], "No deprecated features"],
    [["check_if_cluster_has_classic_queue_mirroring_policy"], "There are no mirrored queues"],
    [["check_protocol_listener", "amqp"], "A listener for protocol amqp is running"],
    [["check_if_node_is_quorum_critical"], "the check does not apply"],
    [["ping"], "Ping succeeded"],
  ])("that succeed say so: %j", async (args, text) => {
    expect(await brokerctl.out("-q", ...args)).toContain(text);
  });

  it.each([
    [["check_port_listener", "1"], "No listener for port 1 is active on node"],
    [["check_protocol_listener", "mqtt"], "No listener for protocol mqtt is active on node"],
    [["check_port_connectivity", "--address", "127.0.0.2"], "Connection failed to"],
  ])("that fail end with 69: %j", async (args, text) => {
    expect(await brokerctl.run(args)).toMatchObject({ exitCode: 69, stderr: expect.stringContaining(text) });
  });

  it("include a look at the end of the log, as text and as JSON", async () => {
    for (const user of ["first-in-log", "last-in-log"]) {
      await brokerctl.run(["list_users"], { env: { TSBROKER_USER: user, TSBROKER_PASSWORD: "wrong" } });
    }
    const text = await brokerctl.out("-q", "log_tail", "--number", "2");
    expect(text).toMatch(/^\S+Z WARN .*user=first-in-log.*\n\S+Z WARN .*user=last-in-log.*\n$/);
    expect(await brokerctl.json("log_tail", "-N", "1")).toEqual([expect.objectContaining({ user: "last-in-log" })]);
    expect((await brokerctl.run(["log_tail", "--number", "many"])).exitCode).toBe(64);
  });

  it("need no login when they only ask whether the broker is there", async () => {
    const env = { TSBROKER_USER: "nobody", TSBROKER_PASSWORD: "wrong" };
    for (const name of ["ping", "check_running", "is_running", "await_startup", "wait"]) {
      expect(await brokerctl.run([name], { env })).toMatchObject({ exitCode: 0, stderr: "" });
    }
  });

  it.each(["ping", "check_running", "list_queues", "status"])(
    "and %s end with 69 when no broker is there",
    async (name) => {
      const url = `http://127.0.0.1:${await freePort()}`;
      expect(await brokerctl.run(["-q", name], noBroker(url))).toEqual({
        exitCode: 69,
        stdout: "",
        stderr: expect.stringMatching(
          new RegExp(`^Error:\nCannot reach the broker at ${url}: connection refused\n\n.*tsbroker start\n.*--url`),
        ),
      });
    },
  );
});

describe("what listens there", () => {
  it("is named when it does not speak HTTP, or no TLS", async () => {
    const amqp = noBroker(`http://127.0.0.1:${broker.port}`);
    expect((await brokerctl.run(["status"], amqp)).stderr).toContain("does not speak HTTP; AMQP has another port");
    const plain = noBroker(broker.managementUrl.replace("http:", "https:"));
    expect((await brokerctl.run(["status"], plain)).stderr).toContain("does not speak TLS; try http:");
  });
});

describe("waiting", () => {
  it("ends when the broker serves clients", async () => {
    expect(await brokerctl.out("await_startup")).toBe("");
    expect(await brokerctl.out("-q", "await_online_nodes", "1")).toBe("");
    expect(await brokerctl.out("wait", "/run/rabbitmq.pid")).toContain("is running");
  });

  it("ends with 75 when the time is over", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await brokerctl.run(["await_startup", "--timeout", "0.5"], noBroker(url))).toMatchObject({
      exitCode: 75,
      stderr: `Error:\noperation await_startup on ${url} timed out. Timeout value used: 0.5 seconds\n`,
    });
    expect(await brokerctl.run(["await_online_nodes", "2", "-t", "0.3"])).toMatchObject({ exitCode: 75 });
    expect(await brokerctl.run(["list_queues", "--timeout", "0"])).toMatchObject({ exitCode: 75 });
  });

  it("for an answer that does not come ends with 75 as well", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const url = `http://127.0.0.1:${Object(silent.address()).port}`;
    expect(await brokerctl.run(["list_queues", "-t", "0.5"], noBroker(url))).toMatchObject({ exitCode: 75 });
    silent.close();
  });
});

it("prints the settings of the broker", async () => {
  const lines = (await brokerctl.out("environment")).split("\n");
  expect(lines).toContain("TSBROKER_DEFAULT_USER=guest");
  expect(lines).toContain("TSBROKER_LOOPBACK_USERS=guest");
});

describe("commands that have nothing to do here", () => {
  it.each([
    ["join_cluster", "rabbit@other", 64],
    ["reset", "", 64],
    ["forget_cluster_node", "rabbit@other", 69],
    ["eval", "1 + 1.", 69],
    ["stop_app", "", 69],
    ["rotate_logs", "", 69],
    ["set_log_level", "nonsense", 69],
    ["shovel_status", "", 69],
    ["federation_status", "", 69],
    ["encrypt_conf_value", "secret", 69],
    ["deactivate_free_disk_space_monitoring", "", 69],
    ["remove_classic_queue_mirroring_from_policies", "", 69],
    ["enable_feature_flag", "nonsense", 64],
  ])("such as %s end as in RabbitMQ", async (name, argument, exitCode) => {
    const outcome = await brokerctl.run([name, ...(argument === "" ? [] : [argument])]);
    expect(outcome).toMatchObject({ exitCode, stderr: expect.stringMatching(/^Error:\n\S/) });
  });

  it.each([
    ["start_app"],
    ["rebalance", "all"],
    ["enable_feature_flag", "all"],
    ["enable_feature_flag", "quorum_queue"],
    ["force_gc"],
    ["activate_free_disk_space_monitoring"],
    ["node_health_check"],
  ])("such as %s succeed when things are so already", async (...args) => {
    await brokerctl.out(...args);
  });
});
