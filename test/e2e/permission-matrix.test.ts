import type { Channel, ChannelModel } from "amqplib";
import { connect } from "amqplib";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { asGuest, everything } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const admin = asGuest(broker);
const vhost = "matrix";

type Access = "configure" | "write" | "read";
type Need = readonly [access: Access, resource: string];

interface Operation {
  readonly needs: readonly Need[];
  run(channel: Channel): Promise<unknown>;
}

/** What RabbitMQ asks for, operation by operation. */
const operations: Readonly<Record<string, Operation>> = {
  "queue.declare": { needs: [["configure", "new"]], run: (c) => c.assertQueue("new") },
  "queue.declare with a dead-letter exchange": {
    needs: [
      ["configure", "new"],
      ["read", "new"],
      ["write", "dlx"],
    ],
    run: (c) => c.assertQueue("new", { deadLetterExchange: "dlx" }),
  },
  "queue.declare, passive, with the right to configure": { needs: [["configure", "q"]], run: (c) => c.checkQueue("q") },
  "queue.declare, passive, with the right to write": { needs: [["write", "q"]], run: (c) => c.checkQueue("q") },
  "queue.declare, passive, with the right to read": { needs: [["read", "q"]], run: (c) => c.checkQueue("q") },
  "queue.delete": { needs: [["configure", "q"]], run: (c) => c.deleteQueue("q") },
  "queue.purge": { needs: [["read", "q"]], run: (c) => c.purgeQueue("q") },
  "queue.bind": {
    needs: [
      ["write", "q"],
      ["read", "x"],
    ],
    run: (c) => c.bindQueue("q", "x", ""),
  },
  "queue.unbind": {
    needs: [
      ["write", "q"],
      ["read", "x"],
    ],
    run: (c) => c.unbindQueue("q", "x", ""),
  },
  "exchange.declare": { needs: [["configure", "new"]], run: (c) => c.assertExchange("new", "direct") },
  "exchange.declare with an alternate exchange": {
    needs: [
      ["configure", "new"],
      ["read", "new"],
      ["write", "dlx"],
    ],
    run: (c) => c.assertExchange("new", "direct", { alternateExchange: "dlx" }),
  },
  "exchange.declare, passive": { needs: [["read", "x"]], run: (c) => c.checkExchange("x") },
  "exchange.delete": { needs: [["configure", "x"]], run: (c) => c.deleteExchange("x") },
  "exchange.bind": {
    needs: [
      ["write", "y"],
      ["read", "x"],
    ],
    run: (c) => c.bindExchange("y", "x", ""),
  },
  "exchange.unbind": {
    needs: [
      ["write", "y"],
      ["read", "x"],
    ],
    run: (c) => c.unbindExchange("y", "x", ""),
  },
  "basic.publish": { needs: [["write", "x"]], run: (c) => published(c, "x") },
  "basic.publish to the default exchange": { needs: [["write", "amq.default"]], run: (c) => published(c, "") },
  "basic.get": { needs: [["read", "q"]], run: (c) => c.get("q") },
  "basic.consume": { needs: [["read", "q"]], run: (c) => c.consume("q", () => {}) },
};

/** A publish is not answered: what comes behind it tells whether it was refused. */
async function published(channel: Channel, exchange: string): Promise<void> {
  channel.publish(exchange, "q", Buffer.from("x"));
  await channel.prefetch(1);
}

/** Permissions for just these. */
function granting(needs: readonly Need[]): Record<Access, string> {
  const pattern = (access: Access): string => {
    const names = needs.filter(([each]) => each === access).map(([, name]) => name.replaceAll(".", "\\."));
    return names.length === 0 ? "" : `^(${names.join("|")})$`;
  };
  return { configure: pattern("configure"), write: pattern("write"), read: pattern("read") };
}

let connection: ChannelModel;

beforeAll(async () => {
  await admin.must("PUT", `/vhosts/${vhost}`);
  await admin.must("PUT", "/users/tester", { password: "pw", tags: "" });
});

beforeEach(async () => {
  await admin.must("PUT", `/permissions/${vhost}/tester`, everything);
  connection = await connect(`amqp://tester:pw@${broker.host}:${broker.port}/${vhost}`);
  const channel = await connection.createChannel();
  for (const exchange of ["x", "y"]) await channel.assertExchange(exchange, "fanout");
  await channel.assertQueue("q");
  await channel.close();
});

afterEach(async () => {
  await connection.close();
  for (const what of ["queues", "exchanges"]) await admin.delete(`/${what}/${vhost}/new`);
});

/** What an operation comes to: done, or the error that closes its channel. */
async function attempt(operation: Operation): Promise<string> {
  const channel = await connection.createChannel();
  const closed = new Promise<string>((resolve) => channel.once("error", (error: Error) => resolve(error.message)));
  const done = operation.run(channel).then(
    () => "done",
    () => closed,
  );
  return await Promise.race([done, closed]);
}

describe("every operation", () => {
  it.each(Object.entries(operations))("%s works with just the permissions it needs", async (_name, operation) => {
    await admin.must("PUT", `/permissions/${vhost}/tester`, granting(operation.needs));
    expect(await attempt(operation)).toBe("done");
  });

  const lacking = Object.entries(operations).flatMap(([name, operation]) =>
    operation.needs.map((lacks) => [name, lacks.join(" on "), operation, lacks] as const),
  );

  it.each(lacking)("%s is refused for want of %s", async (_name, _what, operation, lacks) => {
    const isPassive = operation.needs.length === 1 && /check/.test(String(operation.run));
    const others = (["configure", "write", "read"] as const).flatMap((access): Need[] =>
      ["q", "x", "y", "dlx", "new", "amq.default"].map((name) => [access, name]),
    );
    // A passive declaration needs any of the three.
    const kept = others.filter(([access, name]) => name !== lacks[1] || (access !== lacks[0] && !isPassive));
    await admin.must("PUT", `/permissions/${vhost}/tester`, granting(kept));
    expect(await attempt(operation)).toMatch(/403|ACCESS[_-]REFUSED/);
  });
});

describe("topic permissions", () => {
  const topicBindings: readonly ((key: string) => Operation)[] = [
    (key) => ({ needs: [], run: (channel) => channel.bindQueue("q", "amq.topic", key) }),
    (key) => ({ needs: [], run: (channel) => channel.unbindQueue("q", "amq.topic", key) }),
    (key) => ({ needs: [], run: (channel) => channel.bindExchange("x", "amq.topic", key) }),
    (key) => ({ needs: [], run: (channel) => channel.unbindExchange("x", "amq.topic", key) }),
  ];
  const topic = { exchange: "amq.topic", write: "^{vhost}\\.{username}\\.", read: "^{username}\\." };

  it("hold a user to routing keys that may name the user and the vhost", async () => {
    await admin.must("PUT", `/topic-permissions/${vhost}/tester`, topic);
    const publish = (key: string): Operation => ({
      needs: [],
      run: async (channel) => {
        channel.publish("amq.topic", key, Buffer.from("x"));
        await channel.prefetch(1);
      },
    });
    expect(await attempt(publish("matrix.tester.a"))).toBe("done");
    expect(await attempt(publish("matrix.other.a"))).toMatch(/ACCESS_REFUSED|403/);
    for (const bindings of topicBindings) {
      expect(await attempt(bindings("tester.#"))).toBe("done");
      expect(await attempt(bindings("other.#"))).toMatch(/ACCESS_REFUSED|403/);
    }
    await admin.must("DELETE", `/topic-permissions/${vhost}/tester`);
    expect(await attempt(publish("matrix.other.a"))).toBe("done");
  });
});

describe("a changed permission", () => {
  it("counts at once on channels that are open", async () => {
    const channel = await connection.createChannel();
    const failed = new Promise<string>((resolve) => channel.once("error", (error: Error) => resolve(error.message)));
    channel.publish("x", "", Buffer.from("x"));
    await channel.checkQueue("q");
    await admin.must("PUT", `/permissions/${vhost}/tester`, { ...everything, write: "" });
    channel.publish("x", "", Buffer.from("x"));
    expect(await failed).toMatch(/ACCESS_REFUSED - write access to exchange 'x' in vhost 'matrix' refused/);
  });

  it("cannot hang the broker, whatever its pattern", async () => {
    await admin.must("PUT", `/permissions/${vhost}/tester`, { ...everything, configure: "^(a+)+$" });
    const evil = `${"a".repeat(200)}!`;
    const declared = attempt({ needs: [], run: (channel) => channel.assertQueue(evil) });
    expect(await declared).toMatch(/ACCESS_REFUSED|403/);
    await eventually(async () => expect((await admin.get("/whoami")).status).toBe(200));
  });
});
