import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ConfirmChannel } from "amqplib";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { smallTables } from "../../src/store/small-tables.ts";
import { AmqpClient, drain } from "../support/amqp-client.ts";
import { needsOwnBroker, startBroker, type TestBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest } from "../support/management.ts";
import { freePort } from "../support/ports.ts";
import { scrape } from "../support/prometheus.ts";
import { eventually } from "../support/wait-for.ts";

const prometheusPort = await freePort();
const pageBytes = 16 * 1024;
const messages = 200;

let broker: TestBroker;
let client: AmqpClient;
let channel: ConfirmChannel;
let hurt: string;
let fine: string;

beforeEach(async (context) => {
  needsOwnBroker(context);
  broker = await startBroker({ args: ["--prometheus-port", String(prometheusPort)] });
  await connect();
  hurt = await client.queue(channel, { durable: true });
  fine = await client.queue(channel, { durable: true });
  for (const queue of [hurt, fine]) {
    for (let i = 0; i < messages; i++) channel.sendToQueue(queue, bodyOf(queue, i), { persistent: true });
  }
  await channel.waitForConfirms();
  // What was written is all in the data file then.
  await broker.shutdown();
});

afterEach(async () => {
  await client?.cleanUp();
  await broker?.stop();
});

async function start(): Promise<void> {
  await broker.restart();
  await connect();
}

async function connect(): Promise<void> {
  client = new AmqpClient(broker);
  channel = await client.confirmChannel();
}

/** A page holds some ten of them. */
function bodyOf(queue: string, number: number): Buffer {
  return Buffer.alloc(1500, `${queue} ${number} `);
}

/** Writes over bytes of the data file. */
function overwrite(at: number, bytes: Buffer): void {
  const file = openSync(join(broker.dataDir, "tsbroker.db"), "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** Where the body of a message stands in the data file. */
function placeOf(queue: string, number: number): number {
  const at = readFileSync(join(broker.dataDir, "tsbroker.db")).indexOf(bodyOf(queue, number));
  expect(at).toBeGreaterThan(0);
  return at;
}

/** What brokerctl check says, which must be that something is wrong. */
async function complaints(): Promise<string> {
  const { exitCode, stderr, stdout } = await new Brokerctl(broker, "built").run(["check", broker.dataDir]);
  expect(exitCode, stdout).toBe(65);
  return stderr;
}

/** Expects it to be told that messages of a queue, and of no other, are damaged. Returns how many. */
async function reported(queue: string): Promise<number> {
  const [damage] = await eventually(async () => {
    const { status, body } = await asGuest(broker).get("/health/checks/data-damage");
    expect(status).toBe(503);
    const { damaged } = Object(body);
    expect(damaged).toEqual([expect.objectContaining({ vhost: "/", queue })]);
    return damaged;
  });
  const metrics = await scrape(`http://127.0.0.1:${prometheusPort}/metrics`);
  expect(metrics.value("tsbroker_damaged_messages")).toBe(damage.messages);
  expect(broker.log()).toMatch(new RegExp(`"queue":"${queue}".*messages of a queue are damaged`));
  return damage.messages;
}

/**
 * Restarts, and expects all to be reported and served that is not damaged. Returns how many of the hurt queue came. Where
 * `mayBeFound`, what was left out as damaged may come after another start.
 */
async function servesTheRest({ mayBeFound } = { mayBeFound: false }): Promise<number> {
  await start();
  const damaged = await reported(hurt);
  expect(await drain(channel, fine)).toHaveLength(messages);
  const left = await drain(channel, hurt);
  expect(left.length + damaged).toBe(messages);
  for (const body of left) expect(body).toMatch(new RegExp(`^${hurt} (\\d+) `));
  for (const queue of [hurt, fine]) channel.sendToQueue(queue, Buffer.from("new"), { persistent: true });
  await channel.waitForConfirms();
  for (const queue of [hurt, fine]) expect(await drain(channel, queue)).toEqual(["new"]);
  // What was acked does not come back, wherever it stands. What is damaged stays, and stays reported, until it is purged.
  await start();
  expect(await drain(channel, fine)).toEqual([]);
  const found = await drain(channel, hurt);
  expect(found.filter((body) => left.includes(body))).toEqual([]);
  if (!mayBeFound) expect(found).toEqual([]);
  expect(await reported(hurt)).toBe(damaged - found.length);
  await channel.purgeQueue(hurt);
  expect((await asGuest(broker).get("/health/checks/data-damage")).status).toBe(200);
  await start();
  for (const queue of [hurt, fine]) expect((await channel.checkQueue(queue)).messageCount).toBe(0);
  return left.length;
}

it("finds nothing where nothing is", async () => {
  const brokerctl = new Brokerctl(broker, "built");
  expect(await brokerctl.out("-q", "check", broker.dataDir)).toBe(`${2 * messages} messages and 2 queues are whole\n`);
  await start();
  // With a broker on it as well.
  expect(await brokerctl.out("-q", "check", broker.dataDir)).toBe(`${2 * messages} messages and 2 queues are whole\n`);
  expect((await asGuest(broker).get("/health/checks/data-damage")).status).toBe(200);
});

it("a byte of a message that has flipped is found, named, and costs that message alone", async () => {
  const at = placeOf(hurt, 100);
  overwrite(at + 700, Buffer.from("X"));
  expect(await complaints()).toContain(`queue '${hurt}' in vhost '/': 1 message damaged`);
  expect(await servesTheRest()).toBe(messages - 1);
});

it("a page that is no page any more is found, named, and costs what was on it", async () => {
  const at = placeOf(hurt, 100);
  overwrite(at - (at % pageBytes), Buffer.alloc(pageBytes, 0xff));
  expect(await complaints()).toMatch(new RegExp(`queue '${hurt}' in vhost '/': \\d+ messages damaged`));
  const left = await servesTheRest();
  expect(left).toBeLessThan(messages);
  expect(left).toBeGreaterThan(messages - 20);
});

it("a message that claims to be of gigabytes is found, named, and costs what is beside it at most", async () => {
  const at = placeOf(hurt, 100);
  const start = at - (at % pageBytes);
  const page = readFileSync(join(broker.dataDir, "tsbroker.db")).subarray(start, start + pageBytes);
  // By SQLite's file format: behind the head of a page are the places of its cells, which begin with their size.
  overwrite(start + page.readUInt16BE(8 + 2 * 4), Buffer.from([0x82, 0xff, 0xff, 0xff, 0x7f]));
  // Where SQLite's search begins, and so whether it finds those before it, depends on what was deleted elsewhere.
  expect(await servesTheRest({ mayBeFound: true })).toBeGreaterThan(messages - 20);
});

describe("a ruined page where the next message would go", () => {
  it.each([
    ["full of zeros", 0, 0x00],
    ["whose second half is full of ones", pageBytes / 2, 0xff],
  ])("that is %s is found and named, and costs what was on it", async (_, from, fill) => {
    const at = placeOf(fine, messages - 1);
    overwrite(at - (at % pageBytes) + from, Buffer.alloc(pageBytes - from, fill));
    await start();
    const news = Array.from({ length: 100 }, (_, i) => bodyOf("new", i));
    for (const body of news) {
      for (const queue of [hurt, fine]) channel.sendToQueue(queue, body, { persistent: true });
    }
    await channel.waitForConfirms();
    await broker.kill9();
    await start();
    const texts = news.map(String);
    const old = Array.from({ length: messages }, (_, i) => String(bodyOf(hurt, i)));
    expect(await drain(channel, hurt)).toEqual([...old, ...texts]);
    const left = await drain(channel, fine);
    expect(left.slice(-texts.length)).toEqual(texts);
    expect(left.length - texts.length + (await reported(fine))).toBe(messages);
    expect(left.length).toBeGreaterThan(texts.length + messages - 20);
    expect(await complaints()).toMatch(new RegExp(`queue '${fine}' in vhost '/': \\d+ messages? damaged`));
  });
});

describe("a ruined page of everything but messages", () => {
  /** Something in every table that definitions are in. Returns them all, with the broker stopped. */
  async function defined(): Promise<unknown> {
    await start();
    const admin = asGuest(broker);
    await admin.must("PUT", "/vhosts/other", { description: "another" });
    await admin.must("PUT", "/users/ada", { password: "secret", tags: "monitoring" });
    await admin.must("PUT", "/permissions/other/ada", { configure: "^a", write: ".*", read: ".*" });
    await admin.must("PUT", "/topic-permissions/other/ada", { exchange: "amq.topic", write: "^a", read: ".*" });
    await admin.must("PUT", "/policies/other/few", { pattern: "^q", definition: { "max-length": 10 } });
    await admin.must("PUT", "/operator-policies/other/least", { pattern: "^q", definition: { "max-length": 5 } });
    await admin.must("PUT", "/vhost-limits/other/max-queues", { value: 7 });
    await admin.must("PUT", "/global-parameters/note", { value: { text: "kept" } });
    await channel.assertExchange("news", "topic");
    await channel.assertQueue("one more");
    await channel.bindQueue(hurt, "news", "#.hurt", { "x-note": 1 });
    const definitions = await allDefinitions();
    await broker.shutdown();
    return definitions;
  }

  /** All there are, in an order that says nothing. */
  async function allDefinitions(): Promise<unknown> {
    const lists = Object.entries(Object(await asGuest(broker).read("/definitions")));
    return lists.map(([kind, list]) => [
      kind,
      Array.isArray(list) ? list.map((one) => JSON.stringify(one)).sort() : list,
    ]);
  }

  /** Where each of these begins in the data file: all of it is there, as they are small. */
  function placesOf(names: readonly string[]): number[] {
    const db = new Sqlite(join(broker.dataDir, "tsbroker.db"), { readonly: true });
    const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").pluck();
    const places = names.map((name) => (Number(root.get(name)) - 1) * pageBytes);
    db.close();
    return places;
  }

  /** Returns what brings the pages of these back to what they are now. */
  function kept(names: readonly string[]): () => void {
    const places = placesOf(names);
    const file = readFileSync(join(broker.dataDir, "tsbroker.db"));
    return () => {
      for (const at of places) overwrite(at, file.subarray(at, at + pageBytes));
    };
  }

  function ruin(names: readonly string[]): void {
    for (const at of placesOf(names)) overwrite(at, Buffer.alloc(pageBytes, 0xff));
  }

  it.each([
    ["tables", (table: string) => table],
    ["copies", (table: string) => `${table}_copy`],
  ])("costs nothing where it is one of the %s", async (_, nameOf) => {
    const definitions = await defined();
    ruin(smallTables.map(nameOf));
    await complaints();
    await start();
    expect(broker.log()).toContain('"tables":["vhost"');
    expect(await allDefinitions()).toEqual(definitions);
    expect(await drain(channel, fine)).toHaveLength(messages);
    await channel.assertQueue("later");
    channel.publish("news", "to.hurt", Buffer.from("new"), { persistent: true });
    await channel.waitForConfirms();
    await broker.kill9();
    const logged = broker.log().length;
    await start();
    expect(broker.log().slice(logged)).not.toContain("were damaged");
    expect((await channel.checkQueue("later")).messageCount).toBe(0);
    expect((await channel.checkQueue(fine)).messageCount).toBe(0);
    expect(await drain(channel, hurt)).toEqual([
      ...Array.from({ length: messages }, (_, i) => String(bodyOf(hurt, i))),
      "new",
    ]);
  });

  it.each(["queue", "queue_copy"])("costs nothing where %s is as it was before", async (name) => {
    const undo = kept([name]);
    const definitions = await defined();
    undo();
    await start();
    expect(await allDefinitions()).toEqual(definitions);
  });

  it("leaves the log of a kill alone where the data file is empty, which it never was", async () => {
    await start();
    channel.sendToQueue(fine, Buffer.from("in the log"), { persistent: true });
    await channel.waitForConfirms();
    await broker.kill9();
    const [file, log] = ["tsbroker.db", "tsbroker.db-wal"].map((name) => join(broker.dataDir, name));
    if (file === undefined || log === undefined) throw new Error("no files");
    const [data, logged] = [readFileSync(file), readFileSync(log)];
    truncateSync(file);
    await expect(broker.restart()).rejects.toThrow(/is empty, and once was not: restore a backup/);
    expect(readFileSync(log).equals(logged)).toBe(true);
    writeFileSync(file, data);
    await start();
    expect((await drain(channel, fine)).at(-1)).toBe("in the log");
  });

  it("costs nothing where a definition of the table, and not of its copy, makes no sense", async () => {
    const definitions = await defined();
    const [at = 0] = placesOf(["user"]);
    const inPage = readFileSync(join(broker.dataDir, "tsbroker.db"))
      .subarray(at, at + pageBytes)
      .indexOf('["monitoring"]');
    expect(inPage).toBeGreaterThan(0);
    // What was JSON is none.
    overwrite(at + inPage, Buffer.from("!"));
    await start();
    expect(await allDefinitions()).toEqual(definitions);
  });

  const texts = [
    ["vhost", "another"],
    ["user", "ada"],
    ["permission", "^a.*"],
    ["topic_permission", "amq.topic^a"],
    ["policy", "few"],
    ["upper_limit", "max-queues"],
    ["global_parameter", "kept"],
    ["exchange", "topic"],
    ["queue", "one more"],
    ["binding", "#.hurt"],
  ] as const;

  it.each([
    ["tables", (table: string) => table],
    ["copies", (table: string) => `${table}_copy`],
  ])("costs nothing where a bit of each of the %s has flipped", async (_, nameOf) => {
    const definitions = await defined();
    const file = readFileSync(join(broker.dataDir, "tsbroker.db"));
    for (const [table, text] of texts) {
      const [at = 0] = placesOf([nameOf(table)]);
      const inPage = file.subarray(at, at + pageBytes).indexOf(text);
      expect([table, inPage]).not.toEqual([table, -1]);
      overwrite(at + inPage, Buffer.of((file[at + inPage] ?? 0) ^ 1));
    }
    await complaints();
    await start();
    for (const [table] of texts) expect(broker.log()).toMatch(new RegExp(`"tables":\\[.*"${table}".*\\]`));
    expect(await allDefinitions()).toEqual(definitions);
  });

  it("costs nothing where bits of different definitions have flipped in a table and in its copy", async () => {
    const definitions = await defined();
    const file = readFileSync(join(broker.dataDir, "tsbroker.db"));
    for (const [tree, text] of [
      ["queue", "one more"],
      ["queue_copy", hurt],
    ] as const) {
      const [at = 0] = placesOf([tree]);
      const inPage = file.subarray(at, at + pageBytes).indexOf(text);
      expect([tree, inPage]).not.toEqual([tree, -1]);
      overwrite(at + inPage, Buffer.of((file[at + inPage] ?? 0) ^ 1));
    }
    await start();
    expect(await allDefinitions()).toEqual(definitions);
  });

  it("costs nothing where one of the tables is another one's page", async () => {
    const definitions = await defined();
    const [at = 0, other = 0] = placesOf(["high_water", "binding"]);
    overwrite(at, readFileSync(join(broker.dataDir, "tsbroker.db")).subarray(other, other + pageBytes));
    await start();
    expect(await allDefinitions()).toEqual(definitions);
  });

  it("gives no number of messages out twice where the highest of them is as it was before", async () => {
    const undo = kept(["high_water", "high_water_copy"]);
    await start();
    const later = await client.queue(channel, { durable: true });
    channel.sendToQueue(later, Buffer.from("later"), { persistent: true });
    await channel.waitForConfirms();
    await broker.shutdown();
    undo();
    await start();
    channel.sendToQueue(fine, Buffer.from("new"), { persistent: true });
    await channel.waitForConfirms();
    await start();
    expect(await drain(channel, later)).toEqual(["later"]);
    expect((await drain(channel, fine)).slice(messages)).toEqual(["new"]);
  });

  it("keeps the broker from starting, with a reason, where definitions do not fit together", async () => {
    const change = (sql: string) => {
      const db = new Sqlite(join(broker.dataDir, "tsbroker.db"));
      db.exec(sql);
      db.close();
    };
    change("UPDATE vhost SET name = 'another'");
    const logged = broker.log().length;
    await expect(broker.restart()).rejects.toThrow();
    expect(broker.log().slice(logged).trim().split("\n")).toEqual([expect.stringContaining("no such vhost")]);
    change("UPDATE vhost SET name = '/'");
    await start();
    expect(await drain(channel, fine)).toHaveLength(messages);
  });

  it.each([
    ["map of pages", 0xff, () => 2],
    ["list of unused pages", 0x00, (file: Buffer) => file.readUInt32BE(32)],
  ])("costs nothing where it is the %s, but that the file does not shrink any more", async (_, fill, pageOf) => {
    const definitions = await defined();
    await start();
    // What is deleted leaves pages that are not used.
    const gone = await client.queue(channel, { durable: true });
    for (let i = 0; i < messages; i++) channel.sendToQueue(gone, bodyOf(gone, i), { persistent: true });
    await channel.waitForConfirms();
    await channel.deleteQueue(gone);
    await broker.shutdown();
    const page = pageOf(readFileSync(join(broker.dataDir, "tsbroker.db")));
    expect(page).toBeGreaterThan(1);
    overwrite((page - 1) * pageBytes, Buffer.alloc(pageBytes, fill));
    const logged = broker.log().length;
    await start();
    expect(broker.log().slice(logged)).toContain("it can only grow from now on");
    expect(await allDefinitions()).toEqual(definitions);
    for (let i = 0; i < messages; i++) channel.sendToQueue(hurt, bodyOf("new", i), { persistent: true });
    await channel.waitForConfirms();
    await broker.kill9();
    const loggedThen = broker.log().length;
    await start();
    expect(broker.log().slice(loggedThen)).not.toContain("error");
    const old = Array.from({ length: messages }, (_, i) => String(bodyOf(hurt, i)));
    const news = Array.from({ length: messages }, (_, i) => String(bodyOf("new", i)));
    expect(await drain(channel, hurt)).toEqual([...old, ...news]);
    expect(await drain(channel, fine)).toHaveLength(messages);
  });

  it("is mended while the broker runs, also where the page that a new table would take is found from it", async () => {
    // Where nothing was before, the first page after those that tables begin with goes to whatever grows first.
    await broker.stop();
    broker = await startBroker();
    await connect();
    const bound = await client.queue(channel, { durable: true });
    for (let i = 0; i < 150; i++) await channel.bindQueue(bound, "amq.topic", `${"long.".repeat(40)}${i}`);
    const definitions = await allDefinitions();
    await broker.shutdown();
    const [tree = "", root = 0, kind] = treeOfNextRoot();
    expect([tree.replace("_copy", ""), kind]).toEqual(["binding", "internal"]);
    const logged = broker.log().length;
    await start();
    overwrite((root - 1) * pageBytes, Buffer.alloc(pageBytes, 0xff));
    // SQLite forgets what it has in memory of the file.
    await channel.assertQueue("ballast");
    for (let i = 0; i < 300; i++) channel.sendToQueue("ballast", Buffer.alloc(100_000), { persistent: true });
    await channel.waitForConfirms();
    await channel.bindQueue("ballast", "amq.topic", "one.more");
    await channel.unbindQueue("ballast", "amq.topic", "one.more");
    expect(broker.log().slice(logged)).toMatch(/"tables":\["binding"\].*\n.*it can only grow from now on/);
    await channel.deleteQueue("ballast");
    const alarms = await asGuest(broker).get("/health/checks/alarms");
    expect(alarms.status).toBe(200);
    const news = Array.from({ length: messages }, (_, i) => String(bodyOf("new", i)));
    for (const body of news) channel.sendToQueue(bound, Buffer.from(body), { persistent: true });
    await channel.waitForConfirms();
    await broker.kill9();
    const loggedThen = broker.log().length;
    await start();
    expect(broker.log().slice(loggedThen)).not.toContain("error");
    expect(await allDefinitions()).toEqual(definitions);
    expect(await drain(channel, bound)).toEqual(news);
    const check = await new Brokerctl(broker, "built").run(["check", broker.dataDir]);
    expect(check.stderr).not.toContain("table 'binding'");
  });

  /** The tree that has the page which the next table would begin with, and its own first page. */
  function treeOfNextRoot(): [name: string, root: number, kind: string] {
    const file = join(broker.dataDir, "tsbroker.db");
    const lastRoot = readFileSync(file).readUInt32BE(52);
    const db = new Sqlite(file, { readonly: true });
    const pages = "SELECT name, pageno, pagetype FROM dbstat WHERE path = '/' AND name =";
    const row: unknown = db
      .prepare(`${pages} (SELECT name FROM dbstat WHERE pageno = ?)`)
      .raw()
      .get(lastRoot + 1);
    db.close();
    const [name, root, kind]: unknown[] = Array.isArray(row) ? row : [];
    return [String(name), Number(root), String(kind)];
  }

  it("can be mended more than once", async () => {
    const definitions = await defined();
    for (const name of ["queue", "queue_copy_1", "queue"]) {
      ruin([name]);
      await start();
      expect(await allDefinitions()).toEqual(definitions);
      await broker.shutdown();
    }
    await start();
    expect(await drain(channel, hurt)).toHaveLength(messages);
  });

  it("keeps the broker from starting where both are ruined, until they are back", async () => {
    const definitions = await defined();
    const undo = kept(["binding", "binding_copy"]);
    ruin(["binding", "binding_copy"]);
    await expect(broker.restart()).rejects.toThrow();
    expect(broker.log()).toContain("the data file is damaged where its table 'binding' is, and its copy");
    undo();
    await start();
    expect(await allDefinitions()).toEqual(definitions);
  });
});

it("starts after a crash while somebody reads the file", async () => {
  await start();
  for (let i = 0; i < messages; i++) channel.sendToQueue(hurt, bodyOf("new", i), { persistent: true });
  await channel.waitForConfirms();
  await broker.kill9();
  const reader = new Sqlite(join(broker.dataDir, "tsbroker.db"), { readonly: true });
  reader.exec("BEGIN");
  expect(reader.prepare("SELECT count(*) FROM queue").pluck().get()).toBe(2);
  const logged = broker.log().length;
  await start();
  expect(broker.log().slice(logged)).not.toContain("error");
  expect(await drain(channel, hurt)).toHaveLength(2 * messages);
  reader.close();
});

it("says what is no data of a broker", async () => {
  const { exitCode, stderr } = await new Brokerctl(broker, "built").run(["check", join(broker.dataDir, "pages")]);
  expect(exitCode).toBe(65);
  expect(stderr).toContain("cannot be read");
  await start();
});
