import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { parity, useBroker } from "../support/broker.ts";
import { as, asGuest } from "../support/management.ts";
import { type Outcome, runToEnd } from "../support/programs.ts";

const peerUrl = process.env["RABBITMQ_PEER_URL"];
const { hostname: peerHost, port: peerAmqp } = new URL(peerUrl ?? "amqp://localhost:5672");
const peerPort = Number(peerAmqp || 5672) + 10_000;
const script = parity || peerUrl === undefined ? undefined : await fetchScript();

/** RabbitMQ serves the program itself; it is not ours to keep. */
async function fetchScript(): Promise<string | undefined> {
  const response = await fetch(`http://${peerHost}:${peerPort}/cli/rabbitmqadmin`).catch(() => undefined);
  return response?.ok === true ? await response.text() : undefined;
}

describe.skipIf(script === undefined)("rabbitmqadmin, as RabbitMQ serves it (needs RABBITMQ_PEER_URL)", () => {
  const broker = useBroker();
  const vhost = unique("admin");
  const user = unique("admin-user");
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tsbroker-rabbitmqadmin-"));
    program = join(folder, "rabbitmqadmin");
    await writeFile(program, script ?? "");
  });

  afterAll(async () => {
    for (const where of [peer(), ours()]) {
      await where("delete", "vhost", `name=${vhost}`);
      await where("delete", "user", `name=${user}`);
    }
    await rm(folder, { recursive: true, force: true });
  });

  type Admin = (...args: readonly string[]) => Promise<Outcome>;

  function admin(host: string, port: string | number, ...options: readonly string[]): Admin {
    return (...args) => runToEnd("python3", [program, "-H", host, "-P", String(port), ...options, ...args]);
  }

  const inVhost = ["-V", vhost];
  const peer = (options = inVhost) => admin(peerHost, peerPort, ...options);
  const ours = (options = inVhost) => {
    const { hostname, port } = new URL(broker.managementUrl);
    return admin(hostname, port, ...options);
  };

  /** Runs the same on both brokers; the output and the exit code are the same. */
  async function same(...args: readonly string[]): Promise<Outcome> {
    const [theirs, mine] = [await peer()(...args), await ours()(...args)];
    expect(mine).toEqual(theirs);
    return mine;
  }

  it("declares, lists and deletes as on RabbitMQ", { timeout: 120_000 }, async () => {
    await same("declare", "vhost", `name=${vhost}`);
    await same("declare", "user", `name=${user}`, "password=secret", "tags=monitoring");
    await same("declare", "permission", `vhost=${vhost}`, `user=${user}`, "configure=.*", "write=.*", "read=.*");
    await same("declare", "permission", `vhost=${vhost}`, "user=guest", "configure=.*", "write=.*", "read=.*");
    await same("declare", "exchange", "name=shop", "type=topic");
    await same("declare", "queue", "name=orders", "durable=true", 'arguments={"x-max-length":100}');
    await same("declare", "binding", "source=shop", "destination=orders", "routing_key=order.#");
    await same("declare", "policy", "name=short", "pattern=^o", 'definition={"max-length":10}', "apply-to=queues");
    await same("declare", "operator_policy", "name=limit", "pattern=^o", 'definition={"max-length":5}');
    await same("declare", "vhost_limit", `vhost=${vhost}`, "name=max-queues", "value=7");
    const columns: Readonly<Record<string, readonly string[]>> = {
      exchanges: ["name", "type", "durable", "auto_delete"],
      queues: ["name", "durable", "arguments.x-max-length"],
      bindings: ["source", "destination", "routing_key", "properties_key"],
      policies: ["name", "pattern", "apply-to", "definition.max-length", "priority"],
      operator_policies: ["name", "pattern", "definition.max-length"],
    };
    for (const [what, names] of Object.entries(columns)) {
      const { stdout } = await same("-f", "tsv", "-S", names[0] ?? "", "list", what, ...names);
      expect(stdout.split("\n").length).toBeGreaterThan(2);
    }
    expect((await ours()("list", "vhost_limits")).stdout).toContain("max-queues");
    await same("delete", "vhost_limit", `vhost=${vhost}`, "name=max-queues");
    await same("delete", "operator_policy", "name=limit");
    await same("delete", "policy", "name=short");
    await same(
      "delete",
      "binding",
      "source=shop",
      "destination_type=queue",
      "destination=orders",
      "properties_key=order.%23",
    );
    await same("delete", "exchange", "name=shop");
    await same("delete", "queue", "name=orders");
  });

  it("says what is wrong as on RabbitMQ", { timeout: 60_000 }, async () => {
    await same("declare", "queue", "name=twice", "durable=true");
    expect((await same("declare", "queue", "name=twice", "durable=false")).exitCode).toBe(1);
    expect((await same("delete", "queue", "name=none")).exitCode).toBe(1);
    expect((await same("-p", "wrong", "list", "queues")).exitCode).toBe(1);
    expect((await same("get", "queue=none")).exitCode).toBe(1);
  });

  it("publishes, gets and purges as on RabbitMQ", { timeout: 60_000 }, async () => {
    await same("declare", "queue", "name=letters", "durable=false");
    const props = 'properties={"delivery_mode":1,"headers":{"k":1}}';
    expect((await same("publish", "routing_key=letters", "payload=hello ü", props)).stdout).toBe("Message published\n");
    await same("publish", "routing_key=nowhere", "payload=lost");
    const got = await same("-f", "tsv", "get", "queue=letters", "ackmode=ack_requeue_true");
    expect(got.stdout).toContain("hello ü");
    await same("purge", "queue", "name=letters");
    await same("-f", "tsv", "get", "queue=letters");
    await same("delete", "queue", "name=letters");
  });

  it("takes definitions from RabbitMQ here, and from here to RabbitMQ", { timeout: 60_000 }, async () => {
    const here = asGuest(broker);
    await here.must("PUT", "/vhosts/moved");
    const hashing_algorithm = "rabbit_password_hashing_sha256";
    await here.must("PUT", "/users/moved", { password: "moved-pw", tags: "management", hashing_algorithm });
    await here.must("PUT", "/users/moved-scrypt", { password: "moved-pw", tags: "management" });
    await here.must("PUT", "/permissions/moved/moved", { configure: ".*", write: ".*", read: ".*" });
    await here.must("PUT", "/queues/moved/orders", { durable: true, arguments: { "x-max-length": 5 } });
    const file = join(folder, "definitions.json");
    expect((await ours([])("export", file)).exitCode).toBe(0);
    const exported = Object(await here.read("/definitions"));
    const own = (row: { vhost?: string; name?: string; user?: string }) =>
      row.vhost === "moved" || row.name?.startsWith("moved") === true || row.user === "moved";
    // What only concerns this test: the peer is shared.
    const parts = ["vhosts", "users", "permissions", "queues"] as const;
    await writeFile(file, JSON.stringify(Object.fromEntries(parts.map((part) => [part, exported[part].filter(own)]))));
    expect((await peer([])("import", file)).exitCode).toBe(0);
    const at = { managementUrl: `http://${peerHost}:${peerPort}` };
    const theirs = as(at, "moved", "moved-pw");
    expect(await theirs.read("/queues/moved/orders?columns=durable,arguments")).toEqual({
      durable: true,
      arguments: { "x-max-length": 5 },
    });
    // RabbitMQ takes in a hash of scrypt, and no password for it.
    expect((await as(at, "moved-scrypt", "moved-pw").get("/whoami")).status).toBe(401);
    const back = join(folder, "back.json");
    expect((await peer([])("export", back)).exitCode).toBe(0);
    await here.must("DELETE", "/vhosts/moved");
    for (const name of ["moved", "moved-scrypt"]) await here.must("DELETE", `/users/${name}`);
    expect(await ours([])("import", back)).toMatchObject({ exitCode: 0 });
    expect((await here.get("/queues/moved/orders")).status).toBe(200);
    // And gives it back as it was.
    expect((await as(broker, "moved-scrypt", "moved-pw").get("/whoami")).status).toBe(200);
    for (const what of ["vhost", "user"]) await peer()("delete", what, "name=moved");
    await peer()("delete", "user", "name=moved-scrypt");
  });
});
