import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestBroker, useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest } from "../support/management.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-cli-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Empties the queues, and puts the messages one to four into the first. */
beforeEach(async () => {
  for (const queue of ["from", "to"]) {
    await brokerctl.run(["delete_queue", queue]);
    await brokerctl.out("declare", "queue", `name=${queue}`);
  }
  for (const [index, payload] of ["one", "two", "three", "four"].entries()) {
    const properties = JSON.stringify({ delivery_mode: 2, headers: { n: index + 1 } });
    await brokerctl.out("publish", "routing_key=from", `payload=${payload}`, `properties=${properties}`);
  }
});

async function payloads(queue: string, ...more: string[]): Promise<string[]> {
  const text = await brokerctl.out("-s", "list_messages", queue, "payload", ...more);
  return text.split("\n").slice(0, -1);
}

async function ids(queue: string): Promise<string[]> {
  return Object(await brokerctl.json("list_messages", queue, "id")).map(({ id }: { id: string }) => id);
}

describe("explain_route", () => {
  it("tells where a message would go, and publishes none", async () => {
    await brokerctl.out("declare", "binding", "source=amq.topic", "destination=to", "routing_key=orders.*");
    expect(await brokerctl.json("explain_route", "amq.topic", "orders.new")).toEqual([
      expect.objectContaining({ exchange: "amq.topic", destination: "to", via: "binding", routing_key: "orders.*" }),
    ]);
    expect(await brokerctl.json("explain_route", "amq.topic", "other")).toEqual([]);
    expect(await brokerctl.out("explain_route", "amq.topic", "other")).toContain("It would go nowhere");
    expect(await payloads("to")).toEqual([]);
  });

  it("tells of an exchange that there is not", async () => {
    const { exitCode, stderr } = await brokerctl.run(["explain_route", "nothing", "key"]);
    expect(exitCode).toBe(69);
    expect(stderr).toContain("There is no exchange 'nothing' in vhost '/'");
  });
});

describe("replay_dead_letters", () => {
  it("sends dead letters back, and tells first what it would do", async () => {
    const headers = { "x-first-death-queue": "to", "x-first-death-reason": "expired" };
    const properties = JSON.stringify({ headers });
    await brokerctl.out("publish", "routing_key=from", "payload=dead", `properties=${properties}`);
    const plan = [{ queue: "to", reason: "expired", messages: 1 }];
    expect(await brokerctl.json("replay_dead_letters", "from", "--dry-run")).toEqual(plan);
    expect(await payloads("to")).toEqual([]);
    expect(await brokerctl.out("-q", "replay_dead_letters", "from")).toContain("Moved 1 messages");
    expect(await payloads("to")).toEqual(["dead"]);
  });
});

it("moves and deletes all messages when told so", async () => {
  expect(await brokerctl.out("-q", "move_messages", "from", "--to", "to", "--all")).toBe("Moved 4 messages\n");
  expect([await payloads("from"), await payloads("to")]).toEqual([[], ["one", "two", "three", "four"]]);
  expect(await brokerctl.out("-q", "delete_messages", "to", "--all")).toBe("Deleted 4 messages\n");
  expect(await payloads("to")).toEqual([]);
});

describe("list_messages", () => {
  it("shows what is in a queue, and leaves it there", async () => {
    expect(await brokerctl.out("list_messages", "from")).toMatch(
      /^Listing messages of queue 'from' in vhost '\/' \.\.\.\nid\tstate\trouting_key\tpayload_bytes\tpayload\n\d+\tready\tfrom\t3\tone\n/,
    );
    expect(await brokerctl.json("list_messages", "from", "position", "redelivered", "properties.headers")).toEqual(
      [1, 2, 3, 4].map((n) => ({ position: n - 1, redelivered: false, "properties.headers": { n } })),
    );
  });

  it("shows only those that are meant", async () => {
    expect(await payloads("from", "--header", "n=3")).toEqual(["three"]);
    expect(await payloads("from", "--property", "delivery_mode=1")).toEqual([]);
    expect(await payloads("from", "--property", "routing_key=from", "--body", "tw")).toEqual(["two"]);
    expect(await payloads("from", "--body", "o")).toEqual(["one", "two", "four"]);
    expect(await payloads("from", "--offset", "1", "--limit", "2")).toEqual(["two", "three"]);
  });

  it("asks for as many pages as it needs", async () => {
    const admin = asGuest(broker);
    const body = { properties: {}, routing_key: "to", payload: "x", payload_encoding: "string" };
    for (let n = 0; n < 501; n++) await admin.must("POST", "/exchanges/%2F/amq.default/publish", body);
    expect(await payloads("to", "--limit", "1000")).toHaveLength(501);
  });
});

describe("delete_messages", () => {
  it("deletes those with the ids, or those that are meant", async () => {
    const [one = ""] = await ids("from");
    expect(await brokerctl.out("delete_messages", "from", one)).toContain("Deleted 1 messages\n");
    expect(await brokerctl.out("-q", "delete_messages", "from", "--body", "o")).toBe("Deleted 2 messages\n");
    expect(await payloads("from")).toEqual(["three"]);
  });
});

describe("move_messages", () => {
  it("moves those with the ids, or those that are meant", async () => {
    const [, two = "", three = ""] = await ids("from");
    expect(await brokerctl.out("-q", "move_messages", "from", two, three, "--to", "to")).toBe("Moved 2 messages\n");
    expect(await brokerctl.out("-q", "move_messages", "from", "--header", "n=4", "--to", "to")).toBe(
      "Moved 1 messages\n",
    );
    expect([await payloads("from"), await payloads("to")]).toEqual([["one"], ["two", "three", "four"]]);
  });

  it("moves to an exchange, with the routing key that messages have", async () => {
    await brokerctl.out("declare", "binding", "source=amq.direct", "destination=to", "routing_key=from");
    await brokerctl.out("move_messages", "from", "--body", "three", "--to-exchange", "amq.direct");
    expect(await payloads("to")).toEqual(["three"]);
  });

  it("fails when messages have nowhere to go, which stay", async () => {
    expect(await brokerctl.run(["-q", "move_messages", "from", "--body", "one", "--to", "nowhere"])).toEqual({
      exitCode: 69,
      stdout: "Moved 0 messages\n",
      stderr: expect.stringContaining("1 messages stayed where they were: 1 because no queue is bound there"),
    });
    expect(await payloads("from")).toHaveLength(4);
  });
});

it.each([
  [["list_messages", "none"], 69, "There is no queue 'none' in vhost '/'"],
  [["list_messages", "from", "nonsense"], 64, "Info key(s) nonsense are not supported"],
  [["list_messages", "from", "--limit", "many"], 64, "--limit : many"],
  [["delete_messages", "from"], 64, "ids, --header, --property, --body or --all should say which messages"],
  [
    ["delete_messages", "from", "1", "--body", "x"],
    64,
    "give ids, or --header, --property and --body, or --all, and only one of these",
  ],
  [["delete_messages", "from", "1"], 69, "There is no message 1 in the queue"],
  [["delete_messages", "none", "--body", "x"], 69, "There is no queue 'none'"],
  [["move_messages", "from", "--body", "x"], 64, "--to or --to-exchange should say where to"],
  [["move_messages", "none", "--body", "x", "--to", "to"], 69, "There is no queue 'none'"],
])("%j is refused", async (args, exitCode, text) => {
  expect(await brokerctl.run(args)).toMatchObject({ exitCode, stderr: expect.stringContaining(text) });
});

describe("backup", () => {
  it("is a file that others cannot read, on which a broker starts with the messages", async () => {
    const file = join(directory, "backup.db");
    expect(await brokerctl.out("backup", file)).toMatch(/^Backing up .*\nSaved \d+ bytes\n$/);
    expect([statSync(file).mode & 0o777, existsSync(`${file}.partial`)]).toEqual([0o600, false]);
    expect(await brokerctl.out("-q", "check", file)).toBe("4 messages and 2 queues are whole\n");
    const dataDir = join(directory, "data");
    mkdirSync(dataDir);
    copyFileSync(file, join(dataDir, "tsbroker.db"));
    const restored = new TestBroker({ args: ["--data-dir", dataDir] });
    await restored.start();
    try {
      const messages = await new Brokerctl(restored, "in process").out("-s", "list_messages", "from", "payload");
      expect(messages).toBe("one\ntwo\nthree\nfour\n");
    } finally {
      await restored.stop();
    }
  });

  it("takes the place of files only", async () => {
    const stderr = expect.stringContaining("no regular file");
    expect(await brokerctl.run(["backup", directory])).toMatchObject({ exitCode: 65, stderr });
    // A socket stands for devices, which not everybody could replace.
    const socket = join(directory, "socket");
    const server = createServer().listen(socket);
    await once(server, "listening");
    expect(await brokerctl.run(["backup", socket])).toMatchObject({ exitCode: 65, stderr });
    expect(statSync(socket).isSocket()).toBe(true);
    server.close();
  });

  it("leaves what was there when it cannot be made", async () => {
    const file = join(directory, "kept.db");
    await brokerctl.out("backup", file);
    const { size } = statSync(file);
    const env = { TSBROKER_URL: "http://127.0.0.1:1" };
    expect(await brokerctl.run(["backup", file], { env })).toMatchObject({ exitCode: 69 });
    expect([statSync(file).size, existsSync(`${file}.partial`)]).toEqual([size, false]);
  });
});
