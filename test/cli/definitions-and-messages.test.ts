import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-cli-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("definitions", () => {
  it("go to a file that others cannot read, and come back from it", async () => {
    await brokerctl.out("declare", "queue", "name=kept", 'arguments={"x-max-length":3}');
    const file = join(directory, "definitions.json");
    expect(await brokerctl.out("export_definitions", file)).toBe(
      `Exporting definitions in JSON to a file at "${file}" ...\n`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await brokerctl.out("delete_queue", "kept");
    expect(await brokerctl.out("import_definitions", file)).toBe(
      `Importing definitions in JSON from a file at "${file}" ...\n`,
    );
    expect(await brokerctl.out("-s", "list_queues", "name", "arguments")).toBe('kept\t[{"x-max-length",3}]\n');
  });

  it("go to standard output, and come from standard input", async () => {
    const text = await brokerctl.out("export_definitions", "-");
    expect(JSON.parse(text)).toMatchObject({ queues: [{ name: "kept" }] });
    await brokerctl.out("delete_queue", "kept");
    expect(await brokerctl.run(["import_definitions"], { input: text })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await brokerctl.out("-s", "list_queues", "name")).toBe("kept\n");
  });

  it("are refused when they are none, and change nothing", async () => {
    const bad = join(directory, "bad.json");
    writeFileSync(bad, "not JSON");
    expect(await brokerctl.run(["import_definitions", bad])).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining("Failed to deserialise input (format: JSON)"),
    });
    expect(await brokerctl.run(["import_definitions", join(directory, "none.json")])).toMatchObject({
      exitCode: 65,
      stderr: expect.stringMatching(/^Error \(argument validation\): Bad argument: File .*none\.json does not exist\n/),
    });
    expect(await brokerctl.run(["export_definitions", join(directory, "none", "x.json")])).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining("Directory"),
    });
    const { exitCode } = await brokerctl.run(["import_definitions"], {
      input: JSON.stringify({
        queues: [
          { name: "new", vhost: "/", durable: true },
          { name: "bad", vhost: "none" },
        ],
      }),
    });
    expect(exitCode).toBe(69);
    expect(await brokerctl.out("-s", "list_queues", "name")).toBe("kept\n");
  });
});

describe("what rabbitmqadmin does", () => {
  it("declares a queue, exchange and binding, publishes, gets, and deletes all of them", async () => {
    expect(await brokerctl.out("declare", "queue", "name=adm.q")).toBe("queue declared\n");
    expect(await brokerctl.out("declare", "exchange", "name=adm.ex", "type=topic")).toBe("exchange declared\n");
    await brokerctl.out("declare", "binding", "source=adm.ex", "destination=adm.q", "routing_key=a.#");
    expect(await brokerctl.out("publish", "exchange=adm.ex", "routing_key=a.b", "payload=hello")).toBe(
      "Message published\n",
    );
    expect(await brokerctl.out("publish", "exchange=adm.ex", "routing_key=zzz", "payload=hello")).toBe(
      "Message published but NOT routed\n",
    );
    const properties = '{"delivery_mode":2,"headers":{"a":1}}';
    const published = await brokerctl.run(["publish", "routing_key=adm.q", `properties=${properties}`], {
      input: "from stdin",
    });
    expect(published).toMatchObject({ exitCode: 0, stdout: "Message published\n" });
    const messages = await brokerctl.json("get", "queue=adm.q", "count=5", "ackmode=ack_requeue_false");
    expect(messages).toMatchObject([
      { exchange: "adm.ex", routing_key: "a.b", payload: "hello", message_count: 1 },
      { exchange: "", payload: "from stdin", properties: { delivery_mode: 2, headers: { a: 1 } } },
    ]);
    expect(await brokerctl.out("get", "queue=adm.q")).toBe("No items\n");
    await brokerctl.out("delete", "binding", "source=adm.ex", "destination=adm.q", "routing_key=a.#");
    expect(await brokerctl.out("delete", "exchange", "name=adm.ex")).toBe("exchange deleted\n");
    expect(await brokerctl.out("delete", "queue", "name=adm.q")).toBe("queue deleted\n");
    expect(await brokerctl.run(["delete", "queue", "name=adm.q"])).toMatchObject({
      exitCode: 69,
      stderr: "Error:\nThere is no queue 'adm.q'\n",
    });
  });

  it("makes users, permissions, policies and limits", async () => {
    await brokerctl.out("declare", "vhost", "name=adm");
    const user = await brokerctl.run(["declare", "user", "name=adm.u", "tags=monitoring"], { input: "pw" });
    expect(user).toMatchObject({ exitCode: 0, stdout: "user declared\n" });
    expect(await brokerctl.out("-q", "authenticate_user", "adm.u", "pw")).toBe("Success\n");
    await brokerctl.out("declare", "permission", "vhost=adm", "user=adm.u", "configure=.*", "write=.*", "read=.*");
    await brokerctl.out("-p", "adm", "declare", "policy", "name=p", "pattern=^a", 'definition={"max-length":5}');
    await brokerctl.out("declare", "vhost_limit", "vhost=adm", "name=max-queues", "value=5");
    await brokerctl.out("declare", "user_limit", "user=adm.u", "name=max-channels", "value=5");
    expect(await brokerctl.json("list", "permissions", "-p", "adm", "user", "read")).toEqual([
      { user: "adm.u", read: ".*" },
      { user: "guest", read: ".*" },
    ]);
    expect(await brokerctl.json("list", "policies", "name", "definition.max-length")).toEqual([
      { name: "p", "definition.max-length": 5 },
    ]);
    expect(await brokerctl.json("list", "vhost_limits")).toEqual([{ vhost: "adm", value: { "max-queues": 5 } }]);
    await brokerctl.out("-p", "adm", "delete", "policy", "name=p");
    await brokerctl.out("delete", "vhost_limit", "vhost=adm", "name=max-queues");
    await brokerctl.out("delete", "permission", "vhost=adm", "user=adm.u");
    await brokerctl.out("delete", "user", "name=adm.u");
    await brokerctl.out("delete", "vhost", "name=adm");
  });

  it("purges queues, and closes connections", async () => {
    await brokerctl.out("publish", "routing_key=kept", "payload=x");
    expect(await brokerctl.out("purge", "queue", "name=kept")).toBe("queue purged\n");
    expect(await brokerctl.out("-s", "list_queues")).toBe("kept\t0\n");
    expect(await brokerctl.run(["purge", "queue", "name=none"])).toMatchObject({ exitCode: 69 });
    const connection = await connect(broker.url);
    const closed = new Promise((resolve) => connection.on("close", resolve));
    const [row] = Array.from(Object(await brokerctl.json("list", "connections", "name")));
    expect(await brokerctl.out("close", "connection", `name=${Object(row).name}`)).toBe("connection closed\n");
    expect(String(await closed)).toContain("Closed via management plugin");
    expect(await brokerctl.run(["close", "connection", "name=none"])).toMatchObject({ exitCode: 69 });
  });

  it("exports and imports definitions, of one vhost too", async () => {
    await brokerctl.out("declare", "vhost", "name=one");
    await brokerctl.out("-p", "one", "declare", "queue", "name=q1");
    const text = await brokerctl.out("-p", "one", "export", "-");
    expect(JSON.parse(text)).toMatchObject({ queues: [{ name: "q1" }] });
    await brokerctl.out("declare", "vhost", "name=two");
    expect(await brokerctl.run(["-q", "import", "-", "-p", "two"], { input: text })).toMatchObject({ exitCode: 0 });
    expect(await brokerctl.out("-s", "-p", "two", "list_queues", "name")).toBe("q1\n");
    for (const vhost of ["one", "two"]) await brokerctl.out("delete", "vhost", `name=${vhost}`);
    expect(JSON.parse(await brokerctl.out("export", "-")).users).toMatchObject([{ name: "guest" }]);
  });

  it("is told where the broker is in rabbitmqadmin's way", async () => {
    const { hostname, port } = new URL(broker.managementUrl);
    const env = { TSBROKER_URL: "", TSBROKER_PASSWORD: "guest" };
    const options = ["-H", hostname, "-P", port, "-u", "guest"];
    const listed = await brokerctl.run([...options, "-s", "list_vhosts", "name"], { env });
    expect(listed).toMatchObject({ exitCode: 0, stdout: "/\n" });
    const refused = await brokerctl.run(["list", "vhosts", "-u", "none", ...options.slice(0, 4)], { env });
    expect(refused).toMatchObject({ exitCode: 65, stderr: expect.stringContaining("Login failed") });
  });

  it("shows things with lines around them", async () => {
    expect(await brokerctl.out("list", "queues", "name", "messages")).toBe(
      "┌──────┬──────────┐\n│ name │ messages │\n├──────┼──────────┤\n│ kept │ 0        │\n└──────┴──────────┘\n",
    );
    expect(await brokerctl.out("show", "overview")).toContain("rabbitmq_version");
  });

  it.each([
    [["declare", "queue"], 'mandatory argument "name" is required'],
    [["declare", "nonsense"], "Type nonsense not recognised"],
    [["declare", "queue", "name"], "'name' is not of the form name=value"],
    [["declare", "queue", "name=q", "colour=red"], "unknown 'colour'"],
    [["list", "nonsense"], "Don't know how to list nonsense"],
    [["publish", "payload=x"], 'mandatory argument "routing_key" is required'],
  ])("refuses %j with 64", async (args, text) => {
    expect(await brokerctl.run(args)).toMatchObject({ exitCode: 64, stderr: expect.stringContaining(text) });
  });
});

describe("queues", () => {
  it("are purged", async () => {
    await brokerctl.out("publish", "routing_key=kept", "payload=x");
    expect(await brokerctl.out("purge_queue", "kept")).toBe("Purging queue 'kept' in vhost '/' ...\n");
    expect(await brokerctl.out("-s", "list_queues")).toBe("kept\t0\n");
    expect(await brokerctl.run(["purge_queue", "none"])).toMatchObject({ exitCode: 69 });
  });

  it("are deleted, unless they are to be empty and are not", async () => {
    await brokerctl.out("publish", "routing_key=kept", "payload=x");
    expect(await brokerctl.run(["delete_queue", "kept", "--if-empty"])).toEqual({
      exitCode: 64,
      stdout: "Deleting queue 'kept' on vhost '/' if queue is empty ...\n",
      stderr: "Error:\nQueue is not empty\n",
    });
    expect(await brokerctl.out("delete_queue", "kept")).toBe(
      "Deleting queue 'kept' on vhost '/' ...\nQueue was successfully deleted with 1 ready messages\n",
    );
    expect(await brokerctl.run(["-q", "delete_queue", "kept"])).toEqual({
      exitCode: 64,
      stdout: "",
      stderr: "Error:\nQueue not found\n",
    });
  });
});

it("exports what it says, to the byte", async () => {
  const file = join(directory, "again.json");
  await brokerctl.out("export_definitions", file);
  expect(readFileSync(file, "utf8")).toBe(await brokerctl.out("export_definitions", "-"));
});
