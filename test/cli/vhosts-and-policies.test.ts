import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");

describe("virtual hosts", () => {
  it("are added, described, listed and deleted", async () => {
    expect(await brokerctl.out("add_vhost", "v1", "--description", "a vhost", "--tags", "t1,t2")).toBe(
      'Adding vhost "v1" ...\n',
    );
    expect(await brokerctl.out("-q", "list_vhosts", "name", "description", "tags", "tracing")).toBe(
      "name\tdescription\ttags\ttracing\n/\tDefault virtual host\t[]\tfalse\nv1\ta vhost\t[t1, t2]\tfalse\n",
    );
    await brokerctl.out("set_vhost_tags", "v1", "t3");
    await brokerctl.out("update_vhost_metadata", "v1", "--description", "another");
    expect(await brokerctl.json("list_vhosts", "name", "description", "tags")).toContainEqual({
      name: "v1",
      description: "another",
      tags: ["t3"],
    });
    await brokerctl.out("delete_vhost", "v1");
    expect(await brokerctl.out("-s", "list_vhosts")).toBe("/\n");
  });

  it("are traced from trace_on to trace_off", async () => {
    const tracing = () => brokerctl.json("list_vhosts", "name", "tracing");
    expect(await brokerctl.out("trace_on")).toBe('Starting tracing for vhost "/" ...\nTrace enabled for vhost /\n');
    expect(await tracing()).toEqual([{ name: "/", tracing: true }]);
    expect(await brokerctl.out("trace_off", "-p", "/")).toContain("Trace disabled for vhost /\n");
    expect(await tracing()).toEqual([{ name: "/", tracing: false }]);
  });

  it("may be added again", async () => {
    await brokerctl.out("add_vhost", "again");
    await brokerctl.out("add_vhost", "again");
    await brokerctl.out("delete_vhost", "again");
  });

  it("have limits", async () => {
    await brokerctl.out("add_vhost", "lv");
    await brokerctl.out("set_vhost_limits", "-p", "lv", '{"max-connections": 7, "max-queues": 9}');
    const limits = '{"max-connections":7,"max-queues":9}';
    expect(await brokerctl.out("list_vhost_limits", "-p", "lv")).toBe(`Listing limits for vhost "lv" ...\n${limits}\n`);
    expect(await brokerctl.json("list_vhost_limits", "-p", "lv")).toMatchObject({ result: "ok", value: limits });
    expect(await brokerctl.json("list_vhost_limits", "--global")).toEqual([{ vhost: "lv", limits }]);
    await brokerctl.out("clear_vhost_limits", "-p", "lv");
    expect(await brokerctl.json("list_vhost_limits", "-p", "lv")).toEqual([]);
  });

  it.each([
    ["delete_vhost", "none"],
    ["set_vhost_limits", "-p", "none", '{"max-queues":1}'],
    ["list_policies", "-p", "none"],
    ["list_parameters", "-p", "none"],
    ["set_policy", "-p", "none", "p", ".*", '{"max-length":1}'],
    ["declare", "queue", "name=q", "-p", "none"],
  ])("that do not exist make %s end with 65", async (...args) => {
    const { exitCode, stderr } = await brokerctl.run(args);
    expect([exitCode, stderr]).toEqual([65, "Error:\nVirtual host 'none' does not exist\n"]);
  });

  it.each(["queues", "exchanges", "bindings", "consumers"])("that do not exist have no %s", async (what) => {
    expect(await brokerctl.json(`list_${what}`, "-p", "none")).toEqual([]);
  });
});

describe.each([
  ["policy", "policies", "policy"],
  ["operator_policy", "operator_policies", "operator policy override"],
])("a %s", (name, plural, said) => {
  const definition = '{"max-length":100}';

  it("is set, listed and cleared", async () => {
    expect(await brokerctl.out(`set_${name}`, "--priority", "2", "--apply-to", "queues", "pol", "^q", definition)).toBe(
      `Setting ${said} "pol" for pattern "^q" to "${definition}" with priority "2" for vhost "/" ...\n`,
    );
    expect(await brokerctl.out("-q", `list_${plural}`)).toBe(
      `vhost\tname\tpattern\tapply-to\tdefinition\tpriority\n/\tpol\t^q\tqueues\t${definition}\t2\n`,
    );
    await brokerctl.out(`clear_${name}`, "pol");
    expect(await brokerctl.run(["-q", `clear_${name}`, "pol"])).toEqual({
      exitCode: 69,
      stdout: "",
      stderr: "Error:\nParameter does not exist\n",
    });
  });

  it.each([
    [["p", "*", definition], 69, "pattern should be regular expression"],
    [["p", ".*", '{"max-length":'], 69, "JSON decoding error"],
    [["p", ".*", "[1]"], 69, "it is no object"],
    [["p", ".*", '{"nonsense":1}'], 69, "not recognised policy settings"],
    [["--apply-to", "everything", "p", ".*", definition], 69, "apply-to 'everything' unrecognised"],
    [["--priority", "high", "p", ".*", definition], 64, "--priority : high"],
  ])("is refused with %j", async (args, exitCode, text) => {
    const outcome = await brokerctl.run([`set_${name}`, ...args]);
    expect(outcome).toMatchObject({ exitCode, stderr: expect.stringContaining(text) });
    expect(await brokerctl.json(`list_${plural}`)).toEqual([]);
  });
});

describe("parameters", () => {
  it("that are global are set, listed and cleared", async () => {
    await brokerctl.out("set_global_parameter", "gp", '{"a":1}');
    expect(await brokerctl.out("list_global_parameters")).toContain('gp\t{"a":1}\n');
    await brokerctl.out("clear_global_parameter", "gp");
    expect(await brokerctl.run(["clear_global_parameter", "gp"])).toMatchObject({ exitCode: 69 });
  });

  it("of a component that is not there are refused", async () => {
    expect(await brokerctl.run(["set_parameter", "nonsense", "n", "{}"])).toMatchObject({
      exitCode: 69,
      stderr: "Error:\nValidation failed\n\ncomponent nonsense not found\n\n",
    });
  });

  it("give the cluster a name", async () => {
    await brokerctl.out("set_cluster_name", "mine");
    expect(await brokerctl.out("cluster_status")).toContain("Cluster name: mine\n");
  });
});
